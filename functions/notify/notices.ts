import { writeEnvelope } from "../core/envelope.ts";
import type { Event } from "../core/event.ts";
import type { Clock, EventQueue } from "../core/ports.ts";
import type { OutgoingMessage } from "../core/queue-message.ts";
import type { SubscriptionNotice } from "../core/subscription.ts";

/** The types of the events that Sluice itself sends about subscriptions. */
const NOTICE_TYPES = {
  failing: "sluice.subscription.failing",
  disabled: "sluice.subscription.disabled",
} as const satisfies Record<SubscriptionNotice["kind"], string>;

/**
 * Sends notices as events of their tenant, into the queue of events: whoever subscribes to them gets them, and the feed has them. The
 * same notice is always the same event. Never throws.
 * @param onUnsent so many were not confirmed
 */
export function createSendNotices({
  queue,
  clock,
  onUnsent,
}: {
  queue: EventQueue;
  clock: Clock;
  onUnsent: (count: number) => void;
}) {
  return async function sendNotices(notices: readonly SubscriptionNotice[], deadline: number): Promise<void> {
    const receivedAt = clock().toISOString();
    const outcomes = await queue.send(
      notices.map((notice) => toMessage(notice, receivedAt)),
      deadline,
    );
    const unsent = outcomes.filter((outcome) => outcome !== "enqueued").length;
    if (unsent > 0) onUnsent(unsent);
  };
}

function toMessage(notice: SubscriptionNotice, receivedAt: string): OutgoingMessage {
  const { tenant } = notice;
  return { body: writeEnvelope({ tenant, receivedAt }, toEvent(notice, receivedAt)), group: tenant };
}

function toEvent({ subscriptionId, name, failingSince, percent, kind }: SubscriptionNotice, time: string): Event {
  const reason = percent === undefined ? "sink_ended" : "sink_failing";
  return {
    id: `${subscriptionId}-${failingSince}-${percent ?? "ended"}`,
    source: `/subscriptions/${subscriptionId}`,
    type: NOTICE_TYPES[kind],
    subject: subscriptionId,
    time,
    datacontenttype: "application/json",
    data: {
      subscription: subscriptionId,
      name,
      failingSince,
      ...(percent !== undefined && { percent }),
      ...(kind === "disabled" && { reason }),
    },
  };
}
