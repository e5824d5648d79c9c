import { readTraceparentOf } from "../core/event-members.ts";
import type { Notice, Notifier, Notifiers, NotifyOutcome } from "../core/notifier.ts";
import type { Clock } from "../core/ports.ts";
import { replaceForSqs } from "../core/sqs-text.ts";
import type { AttemptResult, Claim, ClaimedDelivery, ClaimedSubscription } from "../core/delivery-work.ts";
import type { Tracing } from "../core/tracing.ts";
import { nextTry } from "./schedule.ts";

/** The deliveries of one subscription that are sent together: one, or a batch; and the id of that message. */
export type PendingNotice = { id: string; subscription: ClaimedSubscription; deliveries: ClaimedDelivery[] };

export type DeliverDeps = {
  notifiers: Notifiers;
  clock: Clock;
  random: () => number;
  tracing: Pick<Tracing, "send">;
  /** A notifier threw, which it must not; the delivery is tried again. */
  onFailure: (error: unknown) => void;
};

/** Sends a notice, and gives the result of the attempt at each of its deliveries. Never throws. */
export function createDeliver({ notifiers, clock, random, tracing, onFailure }: DeliverDeps) {
  /** @param deadline the attempt ends by then, ms since the epoch */
  return async function deliver(
    { id, subscription, deliveries }: PendingNotice,
    deadline: number,
  ): Promise<AttemptResult[]> {
    const { sink, secrets, batch, timeoutMs } = subscription;
    const startedAt = clock().getTime();
    const span = tracing.send(
      sink.type,
      deliveries.map(({ event }) => readTraceparentOf(event)),
    );
    const { traceparent } = span;
    const isBatch = batch > 1 || deliveries.length > 1;
    const notice: Notice = { id, sink, subscription, deliveries, secrets, isBatch, traceparent };
    const notifier = notifiers[sink.type] as Notifier;
    const outcome = await notifier
      .notify(notice, Math.min(startedAt + timeoutMs, deadline))
      .catch((error: unknown): NotifyOutcome => {
        onFailure(error);
        return { kind: "later", error: "Sluice failed to send it" };
      });
    span.end({
      attributes: {
        "sluice.subscription": subscription.id,
        "sluice.deliveries": deliveries.length,
        "sluice.attempt": deliveries[0]?.attempt,
        "http.response.status_code": outcome.code,
      },
      isError: outcome.kind !== "delivered",
    });
    const now = clock().getTime();
    // One for all: what was sent together is due together.
    const chance = random();
    return deliveries.map((delivery) => ({
      deliveryId: delivery.id,
      subscriptionId: subscription.id,
      number: delivery.attempt,
      ...verdictOf(outcome, subscription, delivery, { now, random: chance }),
      code: outcome.code,
      at: new Date(startedAt).toISOString(),
      durationMs: Math.max(now - startedAt, 0),
      error: storable(outcome.error),
      response: storable(outcome.response),
      isEnded: outcome.isEnded === true,
    }));
  };
}

/** A sink that has ended loses nothing: its subscription is disabled, and what waits goes on once it has another sink. */
function verdictOf(
  { kind, isEnded, retryAfterMs }: NotifyOutcome,
  { schedule }: ClaimedSubscription,
  { scheduleAttempt }: ClaimedDelivery,
  at: { now: number; random: number },
): Pick<AttemptResult, "status" | "dueAt"> {
  if (kind === "delivered") return { status: "delivered", dueAt: undefined };
  const tries = isEnded === true ? 1 : scheduleAttempt;
  const dueAt = kind === "never" && isEnded !== true ? undefined : nextTry({ schedule, tries, retryAfterMs }, at);
  if (dueAt === undefined) return { status: "failed", dueAt };
  return { status: "later", dueAt: new Date(dueAt).toISOString() };
}

/** The database stores no U+0000 and no half of a pair, and a sink may answer anything. */
const storable = (text: string | undefined) => (text === undefined ? undefined : replaceForSqs(text));

/** Puts the deliveries of a claim together as they are sent, in their order. */
export function intoNotices({ subscriptions, deliveries }: Claim): PendingNotice[] {
  const byId = new Map(subscriptions.map((subscription) => [subscription.id, subscription]));
  const notices = new Map<string, PendingNotice>();
  for (const delivery of deliveries) {
    const subscription = byId.get(delivery.subscriptionId);
    if (subscription === undefined) throw new Error(`The claim lacks the subscription ${delivery.subscriptionId}.`);
    const id = delivery.batchId ?? delivery.id;
    const notice = notices.get(id);
    if (notice === undefined) notices.set(id, { id, subscription, deliveries: [delivery] });
    else notice.deliveries.push(delivery);
  }
  return [...notices.values()];
}
