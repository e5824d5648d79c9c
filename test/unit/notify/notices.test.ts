import { describe, expect, it } from "vitest";
import type { OutgoingMessage } from "../../../functions/core/queue-message.ts";
import { readMessage } from "../../../functions/core/read-message.ts";
import { NOTICES_AT_ONCE } from "../../../functions/core/subscription-limits.ts";
import type { SubscriptionNotice } from "../../../functions/core/delivery-work.ts";
import { sendNotices } from "../../../functions/notify/notices.ts";

const SUBSCRIPTION = "sub_0123456789abcdef0123456789abcdef";
const notice = (id: string, changes: Partial<SubscriptionNotice> = {}): SubscriptionNotice => ({
  id,
  subscriptionId: SUBSCRIPTION,
  tenant: "acme",
  name: "orders",
  failingSince: "2026-11-01T00:00:00.000Z",
  percent: 70,
  kind: "failing",
  at: "2026-11-04T11:00:00.000Z",
  ...changes,
});

/** Sends what waits. The queue confirms those that `isConfirmed` names. */
async function send(waiting: SubscriptionNotice[], isConfirmed: (id: string) => boolean = () => true) {
  const messages: OutgoingMessage[] = [];
  let kept = waiting;
  const work = {
    notices: async (most: number) => kept.slice(0, most),
    deleteNotices: async (ids: readonly string[]) => {
      kept = kept.filter(({ id }) => !ids.includes(id));
      return [...ids];
    },
  };
  const events = {
    send: async (all: OutgoingMessage[]) => {
      messages.push(...all);
      return eventsOf(all).map(({ id }) => (isConfirmed(id) ? ("enqueued" as const) : ("failed" as const)));
    },
  };
  const clock = () => new Date("2026-11-04T12:00:00.000Z");
  const counts = await sendNotices({ work, events, clock }, 0);
  return { messages, counts, kept: kept.map(({ id }) => id) };
}

/** The events as the consumer reads them. */
const eventsOf = (messages: OutgoingMessage[]) =>
  messages.flatMap(({ body }) => {
    const read = readMessage(body);
    if (read.kind === "unreadable") throw new Error(read.detail);
    expect(read.unreadable).toEqual([]);
    return read.events.map(({ event }) => event);
  });

describe("the notices about subscriptions", () => {
  it("a notice is an event of its tenant, of the time at which it was written, which the consumer can read", async () => {
    const { messages, counts, kept } = await send([notice("n1")]);

    expect(messages).toMatchObject([{ group: "acme" }]);
    expect(eventsOf(messages)).toMatchObject([
      {
        id: "n1",
        source: `/subscriptions/${SUBSCRIPTION}`,
        type: "sluice.subscription.failing",
        time: "2026-11-04T11:00:00.000Z",
        data: { subscription: SUBSCRIPTION, name: "orders", percent: 70 },
      },
    ]);
    expect([counts, kept]).toEqual([{ warned: 1, disabled: 0, unsent: 0 }, []]);
  });

  it("a disabled subscription has a notice with its reason", async () => {
    const { messages, counts } = await send([
      notice("n1", { percent: 100, kind: "disabled" }),
      notice("n2", { percent: undefined, kind: "disabled" }),
    ]);

    expect(eventsOf(messages)).toMatchObject([
      { type: "sluice.subscription.disabled", data: { reason: "sink_failing" } },
      { type: "sluice.subscription.disabled", data: { reason: "sink_ended" } },
    ]);
    expect(counts).toMatchObject({ disabled: 2, warned: 0 });
  });

  it("a notice that the queue does not confirm stays, and the others are deleted", async () => {
    const { counts, kept } = await send([notice("n1"), notice("n2"), notice("n3")], (id) => id !== "n2");

    expect(counts).toEqual({ warned: 2, disabled: 0, unsent: 1 });
    expect(kept).toEqual(["n2"]);
  });

  it("more notices than are sent together are all sent", async () => {
    const many = Array.from({ length: NOTICES_AT_ONCE + 1 }, (_, at) => notice(`n${at}`));

    const { messages, counts, kept } = await send(many);

    expect(messages).toHaveLength(many.length);
    expect([counts.warned, kept]).toEqual([many.length, []]);
  });
});
