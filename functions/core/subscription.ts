import type { FeedPlace } from "./feed.ts";
import type { AllowedEvents } from "./ports.ts";

/**
 * A subscription (decision 0029): a cursor over the feed of a tenant with a filter. Its events become deliveries, which are sent
 * to its sink until it confirms them. The records, and the ports to where they are.
 */

export const SUBSCRIPTION_ID = /^sub_[0-9a-f]{32}$/;
export const SUBSCRIPTION_ID_ERROR = "is no id of a subscription: sub_ and 32 characters of 0-9 and a-f";
export const REDELIVERY_ID = /^rdl_[0-9a-f]{32}$/;
export const REDELIVERY_ID_ERROR = "is no id of a redelivery: rdl_ and 32 characters of 0-9 and a-f";

/** `none`: as fast as possible. `subject`: of the events of one subject one at a time, in the order of the feed. */
export const DELIVERY_ORDERS = ["none", "subject"] as const;

/** `standard`: the ten tries of RETRY_SCHEDULE_SECONDS. `doubling`: twice the wait each time, for as long. */
export const RETRY_SCHEDULES = ["standard", "doubling"] as const;

/** `active`: it delivers. `disabled`: it delivers nothing, and loses nothing. */
export const SUBSCRIPTION_STATES = ["active", "disabled"] as const;

/** Why a subscription is disabled: somebody asked for it; its sink answered 410; its sink failed for DISABLE_AFTER_HOURS. */
export const DISABLED_REASONS = ["requested", "sink_ended", "sink_failing"] as const;

export const DELIVERY_STATES = ["pending", "delivered", "failed", "skipped"] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** The result of one attempt. `later`: it is tried again. `failed`: it was the last one, or the sink refused it for ever. */
export const ATTEMPT_STATUSES = ["delivered", "later", "failed"] as const;

/** The forms of the body of a webhook. `batch` is what `structured` becomes where `batch` is above 1. */
export const WEBHOOK_FORMATS = ["structured", "binary"] as const;

/** The destination of a subscription, without its secrets. */
export type Sink =
  | { type: "webhook"; url: string; format?: (typeof WEBHOOK_FORMATS)[number]; headers?: Record<string, string> }
  | { type: "email"; to: string[] }
  | { type: "slack"; url: string }
  | { type: "sns"; topicArn: string }
  | { type: "sqs"; queueUrl: string };

export type SinkType = Sink["type"];

export type Subscription = {
  id: string;
  tenant: string;
  name: string;
  /** The JSON text of the filter, so that its numbers keep their digits; undefined for all events. */
  filter: string | undefined;
  /** The events that the key that made it may read: the subscription gets no others. */
  allowed: AllowedEvents;
  sink: Sink;
  order: (typeof DELIVERY_ORDERS)[number];
  schedule: (typeof RETRY_SCHEDULES)[number];
  /** Events of one request, 1 to DELIVERY_BATCH_MAX. Above 1 only for webhooks in order `none`. */
  batch: number;
  /** Events a second on average; undefined without a bound. */
  rate: number | undefined;
  timeoutMs: number;
  state: (typeof SUBSCRIPTION_STATES)[number];
  disabledReason: (typeof DISABLED_REASONS)[number] | undefined;
  disabledAt: string | undefined;
  /** Since when no attempt has succeeded; undefined where the last one did. */
  failingSince: string | undefined;
  /** Until when the circuit keeps attempts back; undefined where it is closed. */
  openUntil: string | undefined;
  keyId: string;
  createdAt: string;
  updatedAt: string;
};

/** The place where a subscription begins, or goes on: behind all that is stored now, at a time of receipt, or at a cursor of the feed. */
export type Start = { kind: "now" } | { kind: "time"; at: string } | { kind: "place"; place: FeedPlace };

/** A key under which webhooks are signed, sealed (notify/seal.ts). `until`: it was rotated, and signs too until then. */
export type SealedSecret = { number: number; sealed: string; createdAt: string; until: string | undefined };

export type NewSubscription = Pick<
  Subscription,
  | "id"
  | "tenant"
  | "name"
  | "filter"
  | "allowed"
  | "sink"
  | "order"
  | "schedule"
  | "batch"
  | "rate"
  | "timeoutMs"
  | "keyId"
> & { start: Start; sealed: string | undefined };

/** Members that PUT may change. Undefined leaves one as it is; null takes it away. */
type SubscriptionChanges = {
  name?: string | undefined;
  filter?: string | null | undefined;
  allowed?: AllowedEvents | undefined;
  sink?: Sink | undefined;
  order?: Subscription["order"] | undefined;
  schedule?: Subscription["schedule"] | undefined;
  batch?: number | undefined;
  rate?: number | null | undefined;
  timeoutMs?: number | undefined;
};

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

export type ListPage<T> = { items: T[]; next: string | undefined };
export type PageOf = { after: string | undefined; limit: number };

/** Subscriptions and what happened to their deliveries, for requests. Every call may throw a DatabaseError. */
export type SubscriptionStore = {
  /** Writes a subscription. `expired`: its start is at a cursor that this database cannot follow. `full`: the tenant has SUBSCRIPTIONS_MAX. */
  create(subscription: NewSubscription, deadline: number): Promise<Subscription | "expired" | "full">;
  count(tenant: string, deadline: number): Promise<number>;
  read(tenant: string, id: string, deadline: number): Promise<Subscription | undefined>;
  list(tenant: string, page: PageOf, deadline: number): Promise<ListPage<Subscription>>;
  /** Without an order, deliveries that wait for others of their subject are free. Where many wait it may end too late, and goes on when it is called again. */
  change(tenant: string, id: string, changes: SubscriptionChanges, deadline: number): Promise<Subscription | undefined>;
  /** With everything that belongs to it. False where there is none. */
  remove(tenant: string, id: string, deadline: number): Promise<boolean>;
  /** Active closes the circuit, and makes what waits due now. Where much waits it may end too late, and goes on when it is called again. */
  setState(
    tenant: string,
    id: string,
    state: Subscription["state"],
    deadline: number,
  ): Promise<Subscription | undefined>;
  /** Goes on from another place. What is pending stays; events that matched already are delivered again under new ids. */
  seek(tenant: string, id: string, start: Start, deadline: number): Promise<Subscription | "expired" | undefined>;
  /** Adds a secret, and ends the others `overlapHours` from now. `fullUntil`: SECRETS_MAX sign and would go on, the first until then. */
  addSecret(
    tenant: string,
    id: string,
    sealed: string,
    overlapHours: number,
    deadline: number,
  ): Promise<Subscription | { fullUntil: string } | undefined>;
  ledger(tenant: string, id: string, deadline: number): Promise<DeliveryLedger | undefined>;
  listAttempts(
    tenant: string,
    id: string,
    selection: { status?: Attempt["status"]; code?: number; eventId?: string; from?: string; to?: string },
    page: PageOf,
    deadline: number,
  ): Promise<ListPage<Attempt>>;
  listDeliveries(
    tenant: string,
    id: string,
    selection: { state?: DeliveryState; eventId?: string },
    page: PageOf,
    deadline: number,
  ): Promise<ListPage<Delivery>>;
  groupFailures(tenant: string, id: string, deadline: number): Promise<FailureGroup[]>;
  planRedelivery(
    tenant: string,
    id: string,
    request: FailureSelection,
    deadline: number,
  ): Promise<{ planned: number; sample: Delivery[] }>;
  /** Writes a redelivery that begins; a worker takes its deliveries (DeliveryWork.redeliver). `full`: REDELIVERIES_MAX_RUNNING run. */
  startRedelivery(
    redelivery: Pick<Redelivery, "id" | "subscriptionId" | "request" | "planned" | "keyId">,
    deadline: number,
  ): Promise<Redelivery | "full">;
  readRedelivery(tenant: string, id: string, deadline: number): Promise<Redelivery | undefined>;
  listRedeliveries(
    tenant: string,
    subscriptionId: string,
    page: PageOf,
    deadline: number,
  ): Promise<ListPage<Redelivery>>;
  cancelRedelivery(tenant: string, id: string, deadline: number): Promise<Redelivery | undefined>;
};

/** A delivery that a worker has claimed. */
export type ClaimedDelivery = {
  id: string;
  subscriptionId: string;
  /** The message of which it is a part, whatever a retry looks like; undefined where it is sent alone. */
  batchId: string | undefined;
  /** The number of the attempt to come, from 1. */
  attempt: number;
  /** Its number in the schedule, which a redelivery begins again. */
  scheduleAttempt: number;
  /** The schedule began at this time: the event matched, or a redelivery took the delivery. */
  matchedAt: string;
  /** The event as CloudEvents JSON, as `GET /events/{id}` has it. */
  event: string;
};

/** A subscription as workers need it: what is sent to where, and under which keys. */
export type ClaimedSubscription = Pick<
  Subscription,
  "id" | "tenant" | "name" | "sink" | "schedule" | "batch" | "timeoutMs" | "failingSince"
> & {
  secrets: SealedSecret[];
  /** The circuit is half open: one delivery of the claim is a probe. */
  isProbe: boolean;
};

export type Claim = { subscriptions: ClaimedSubscription[]; deliveries: ClaimedDelivery[] };

/** The result of an attempt, as a worker reports it. */
export type AttemptResult = {
  deliveryId: string;
  subscriptionId: string;
  number: number;
  status: Attempt["status"];
  /** When it is tried again; of `later` alone. */
  dueAt: string | undefined;
  code: number | undefined;
  at: string;
  durationMs: number;
  error: string | undefined;
  response: string | undefined;
  /** The sink said that it takes no more events: the subscription is disabled. */
  isEnded: boolean;
};

/** Something that an operator should know about a subscription, each once a time of failing. */
export type SubscriptionNotice = {
  /** Of its event. */
  id: string;
  subscriptionId: string;
  tenant: string;
  name: string;
  failingSince: string;
  /** Of DISABLE_AFTER_HOURS: 50, 70, 90 or 100. At 100 the subscription is disabled. Missing where the sink has ended. */
  percent: number | undefined;
  kind: "failing" | "disabled";
  at: string;
};

/** The work on deliveries. Every call may throw a DatabaseError. */
export type DeliveryWork = {
  /**
   * Makes deliveries of the next events of every active subscription, each once, in one transaction a subscription with its
   * cursor. `isAtEnd`: nothing below the horizon is left. `isOpen`: a transaction is open whose events will come later.
   * `subscriptions`: all there are, also disabled ones. `failing`: the ids of those whose filter the database could not apply; the
   * next call tries them again. `hasNotices`: notices wait to be sent.
   */
  dispatch(
    budgetMs: number,
    deadline: number,
  ): Promise<{
    matched: number;
    isAtEnd: boolean;
    isOpen: boolean;
    subscriptions: number;
    failing: readonly string[];
    hasNotices: boolean;
  }>;
  /** Makes the next failed deliveries of running redeliveries pending. `isAtEnd`, `failing`: as of dispatch, of redeliveries. */
  redeliver(most: number, deadline: number): Promise<{ taken: number; isAtEnd: boolean; failing: readonly string[] }>;
  /**
   * Claims due deliveries for a worker until its lease ends: fairly over the subscriptions, no more of one than `mostOfOne` or
   * its batch at once over all workers, than its rate allows and its circuit lets through, and in order where it asks for that. Never the same one for
   * two workers. A batch is made when its deliveries are claimed first, and is claimed as a whole from then on.
   */
  claim(
    worker: string,
    bounds: { most: number; mostOfOne: number; leaseSeconds: number },
    deadline: number,
  ): Promise<Claim>;
  /**
   * Writes results: states, attempts, circuits, notices. A result of a lease that another worker has by now changes nothing. Returns
   * whether notices wait to be sent.
   */
  settle(worker: string, results: readonly AttemptResult[], deadline: number): Promise<boolean>;
  /** The notices that wait to be sent, the first first. */
  notices(most: number, deadline: number): Promise<SubscriptionNotice[]>;
  /** Deletes notices that were sent. Returns the ids of those that nobody has deleted before. */
  deleteNotices(ids: readonly string[], deadline: number): Promise<string[]>;
  /** Gives back what a worker has claimed and not tried. */
  release(worker: string, deliveryIds: readonly string[], deadline: number): Promise<void>;
  /**
   * When the next delivery of an active subscription is due, a lease ends or a circuit takes a probe; undefined where nothing waits.
   * `mostOfOne`: as of the claims.
   */
  nextDueAt(mostOfOne: number, deadline: number): Promise<string | undefined>;
  /** Claims the right to send the wake-up of that time: false where one of that time or earlier is sent already. */
  planWake(at: string, deadline: number): Promise<boolean>;
};

/**
 * The message that wakes workers. `until`: it waits until then, in the queue alone. `tries`: so many wake-ups in a row found that they
 * can only wait, for an outage, an open transaction or a filter that fails; it sets the wait for the next one. `isRepeated`: an earlier round may have planned
 * a wake-up and not sent it.
 */
export type Wake = { until?: string | undefined; tries?: number | undefined; isRepeated?: true | undefined };

/** Sends wake-ups. Never throws. */
export type Wakes = {
  /** Returns whether the queue confirmed it. */
  send(wake: Wake, delaySeconds: number, deadline: number): Promise<boolean>;
};

/**
 * Whether anybody subscribes: beside the mark of stored events, so that the consumer learns it by the write that it makes anyway.
 * `token` is another one after each subscription that begins.
 */
export type SubscribedMark = {
  /** @throws AccessError */
  set(token: string): Promise<void>;
  /** Takes the mark away, unless it has another token by now. @throws AccessError */
  clear(token: string): Promise<void>;
  /** @throws AccessError */
  read(): Promise<string | undefined>;
};
