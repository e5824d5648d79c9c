/** A delivery is an event that a subscription owes its sink; an attempt is one request for it. */

export const DELIVERY_STATES = ["pending", "delivered", "failed", "skipped"] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** The result of one attempt. `later`: it is tried again. `failed`: it was the last one, or the sink refused it for ever. */
export const ATTEMPT_STATUSES = ["delivered", "later", "failed"] as const;

/** The events that matched, by what became of them: `matched` is the sum of the others. */
export type DeliveryLedger = { matched: number; delivered: number; pending: number; failed: number; skipped: number };

/** A delivery as lists have it. */
export type Delivery = {
  id: string;
  subscriptionId: string;
  eventId: string;
  eventSource: string;
  eventType: string;
  state: DeliveryState;
  attempts: number;
  /** When it is tried next; undefined where it is not pending. */
  dueAt: string | undefined;
  /** Of its last attempt. */
  lastAt: string | undefined;
  code: number | undefined;
  error: string | undefined;
};

export type Attempt = {
  deliveryId: string;
  eventId: string;
  /** Of the delivery, from 1. */
  number: number;
  status: (typeof ATTEMPT_STATUSES)[number];
  /** The HTTP status; undefined where there was none. */
  code: number | undefined;
  at: string;
  durationMs: number;
  error: string | undefined;
  /** The beginning of the answer, redacted. */
  response: string | undefined;
};

/** Why deliveries failed, by the error and the code of their last attempt. */
export type FailureGroup = {
  code: number | undefined;
  error: string;
  count: number;
  firstAt: string;
  lastAt: string;
  sample: Delivery;
};
