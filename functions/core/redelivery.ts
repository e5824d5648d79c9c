import type { Delivery } from "./delivery.ts";

/** A redelivery is a job that makes failed deliveries of a subscription pending again. */

export const REDELIVERY_ID = /^rdl_[0-9a-f]{32}$/;
export const REDELIVERY_ID_ERROR = "is no id of a redelivery: rdl_ and 32 characters of 0-9 and a-f";

/** The failed deliveries that a redelivery means. */
export type FailureSelection = {
  /** The JSON text of a filter of their events. */
  filter?: string;
  codes?: number[];
  /** Of the last attempt; `from` is in the range and `to` is not. */
  from?: string;
  to?: string;
  limit?: number;
};

/** The deliveries that a redelivery would take: their number, some of them, and the time before which all of them were tried last. */
export type RedeliveryPlan = { planned: number; until: string; sample: Delivery[] };

export type Redelivery = {
  id: string;
  subscriptionId: string;
  state: "running" | "done" | "cancelled";
  request: FailureSelection;
  planned: number;
  /** Deliveries that are pending again, or were; of these `delivered` and `failed` have ended since. */
  taken: number;
  delivered: number;
  failed: number;
  keyId: string;
  createdAt: string;
  finishedAt: string | undefined;
};
