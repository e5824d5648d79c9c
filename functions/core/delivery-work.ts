import type { Attempt } from "./delivery.ts";
import type { SealedSecret, Subscription } from "./subscription.ts";

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

/** Deliveries that a claim may give at most, of all and of one subscription over all workers, and for how long. */
export type ClaimBounds = {
  most: number;
  mostOfOne: number;
  leaseSeconds: number;
  /** Ids of subscriptions whose sinks answer fast, of which a claim may have more. @default none */
  fast?: readonly string[];
  mostOfFast?: number;
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
   * Claims due deliveries for a worker until its lease ends: fairly over the subscriptions, no more of one than `mostOfOne` (`mostOfFast` of
   * those that `fast` names) or its batch at once over all workers, than its rate allows and its circuit lets through, and in order where it asks for that. Never the same one for
   * two workers. A batch is made when its deliveries are claimed first, and is claimed as a whole from then on.
   */
  claim(worker: string, bounds: ClaimBounds, deadline: number): Promise<Claim>;
  /**
   * Writes results: states, attempts, circuits, notices. A result of a lease that another worker has by now changes nothing. Returns
   * whether notices wait to be sent.
   */
  settle(worker: string, results: readonly AttemptResult[], deadline: number): Promise<boolean>;
  /** Settles and then claims, both or none of it: a worker that is busy has both to do, and a call has a price of its own. */
  settleAndClaim(
    worker: string,
    results: readonly AttemptResult[],
    bounds: ClaimBounds,
    deadline: number,
  ): Promise<{ hasNotices: boolean; claim: Claim }>;
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
