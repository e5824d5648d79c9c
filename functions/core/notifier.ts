import type { ClaimedDelivery, ClaimedSubscription } from "./delivery-work.ts";
import type { SealedSecret, Sink, SinkType } from "./subscription.ts";

/** Something to send to one sink: an event, or several where the subscription has batches. */
export type Notice<Of extends SinkType = SinkType> = {
  /** Of its delivery or of the batch: the same in each attempt. */
  id: string;
  sink: Extract<Sink, { type: Of }>;
  subscription: Pick<ClaimedSubscription, "id" | "tenant" | "name" | "timeoutMs">;
  deliveries: readonly Pick<ClaimedDelivery, "id" | "event" | "attempt">[];
  /** The keys, the current one first. */
  secrets: readonly Pick<SealedSecret, "sealed">[];
  /** It has the form of a batch, also where it has one event. */
  isBatch: boolean;
  /** The place of the attempt in a trace, for receivers. */
  traceparent: string;
};

/**
 * `delivered`: the sink has it. `later`: it is to be tried again, not before `retryAfterMs` where the sink said so. `never`: the sink will
 * not take it; with `isEnded`, nor anything else.
 */
export type NotifyOutcome = {
  kind: "delivered" | "later" | "never";
  retryAfterMs?: number | undefined;
  isEnded?: boolean | undefined;
  /** The HTTP status, where there was one. */
  code?: number | undefined;
  /** For people: what went wrong. No part of it comes from the answer. */
  error?: string | undefined;
  /** The beginning of the answer, redacted. */
  response?: string | undefined;
};

/** Sends notices to one type of sink. Every type passes the same tests (test/support/conformance/notifier.ts). */
export type Notifier<Of extends SinkType = SinkType> = {
  /** Never throws, and ends by `deadline` (ms since the epoch) or the timeout of the subscription, whatever the sink does. */
  notify(notice: Notice<Of>, deadline: number): Promise<NotifyOutcome>;
  /** Refuses a sink that could never work, when a subscription is made or changed. @returns what is wrong, for people */
  check(sink: Extract<Sink, { type: Of }>, deadline: number): Promise<string | undefined>;
};

export type Notifiers = { readonly [Type in SinkType]: Notifier<Type> };
