import { writeEnvelope } from "../core/envelope.ts";
import { toMessageBody } from "../core/message-text.ts";
import type { Event } from "../core/event.ts";
import type { Clock, EventQueue } from "../core/ports.ts";
import type { OutgoingMessage } from "../core/queue-message.ts";
import type { DeliveryWork, SubscriptionNotice } from "../core/delivery-work.ts";
import { NOTICES_AT_ONCE } from "../core/subscription-limits.ts";

/** The types of the events that Sluice itself sends about subscriptions. */
const NOTICE_TYPES = {
  failing: "sluice.subscription.failing",
  disabled: "sluice.subscription.disabled",
} as const satisfies Record<SubscriptionNotice["kind"], string>;

export type SendNoticesDeps = {
  work: Pick<DeliveryWork, "notices" | "deleteNotices">;
  /** The queue of events. */
  events: EventQueue;
  clock: Clock;
};

/** Notices that were sent, by their kind; and those that the queue has not confirmed, which wait. */
export type NoticeCounts = { warned: number; disabled: number; unsent: number };

/**
 * Sends the notices that wait, as events of their tenant, into the queue of events: whoever subscribes to them gets them, and the feed
 * has them. Each is deleted when the queue has confirmed it, and is the same event however often it is sent. So none is lost, and none
 * is stored twice. @throws DatabaseError
 */
export async function sendNotices({ work, events, clock }: SendNoticesDeps, deadline: number): Promise<NoticeCounts> {
  const counts = { warned: 0, disabled: 0, unsent: 0 };
  for (;;) {
    const notices = await work.notices(NOTICES_AT_ONCE, deadline);
    if (notices.length === 0) return counts;
    const receivedAt = clock().toISOString();
    const outcomes = await events.send(
      notices.map((notice) => toMessage(notice, receivedAt)),
      deadline,
    );
    const sent = notices.filter((_, index) => outcomes[index] === "enqueued");
    const ids = sent.map(({ id }) => id);
    const deleted = new Set(ids.length > 0 ? await work.deleteNotices(ids, deadline) : ids);
    for (const { id, kind } of sent) if (deleted.has(id)) counts[kind === "failing" ? "warned" : kind] += 1;
    counts.unsent = notices.length - sent.length;
    if (counts.unsent > 0 || notices.length < NOTICES_AT_ONCE) return counts;
  }
}

function toMessage(notice: SubscriptionNotice, receivedAt: string): OutgoingMessage {
  const { tenant } = notice;
  return { body: toMessageBody(writeEnvelope({ tenant, receivedAt }, toEvent(notice))), group: tenant };
}

function toEvent({ id, subscriptionId, name, failingSince, percent, kind, at }: SubscriptionNotice): Event {
  const reason = percent === undefined ? "sink_ended" : "sink_failing";
  return {
    id,
    source: `/subscriptions/${subscriptionId}`,
    type: NOTICE_TYPES[kind],
    subject: subscriptionId,
    time: at,
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
