import { describe, expect, it } from "vitest";
import type { OutgoingMessage } from "../../../functions/core/queue-message.ts";
import { readMessage } from "../../../functions/core/read-message.ts";
import type { SubscriptionNotice } from "../../../functions/core/subscription.ts";
import { createSendNotices } from "../../../functions/notify/notices.ts";

const failing: SubscriptionNotice = {
  subscriptionId: "sub_0123456789abcdef0123456789abcdef",
  tenant: "acme",
  name: "orders",
  failingSince: "2026-11-01T00:00:00.000Z",
  percent: 70,
  kind: "failing",
};

async function send(notices: SubscriptionNotice[], outcome: "enqueued" | "failed" = "enqueued") {
  const messages: OutgoingMessage[] = [];
  const unsent: number[] = [];
  const queue = {
    send: async (all: OutgoingMessage[]) => {
      messages.push(...all);
      return all.map(() => outcome);
    },
  };
  const clock = () => new Date("2026-11-04T12:00:00.000Z");
  await createSendNotices({ queue, clock, onUnsent: (count) => unsent.push(count) })(notices, 0);
  return { messages, unsent };
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
  it("a notice is an event of its tenant, which the consumer can read", async () => {
    const { messages } = await send([failing]);

    expect(messages).toMatchObject([{ group: "acme" }]);
    expect(eventsOf(messages)).toMatchObject([
      {
        id: `${failing.subscriptionId}-2026-11-01T00:00:00.000Z-70`,
        source: `/subscriptions/${failing.subscriptionId}`,
        type: "sluice.subscription.failing",
        data: { subscription: failing.subscriptionId, name: "orders", percent: 70 },
      },
    ]);
  });

  it("the same notice is the same event however often it is sent, and each share of the time is another one", async () => {
    const all = [failing, failing, { ...failing, percent: 90 }];

    const ids = eventsOf((await send(all)).messages).map(({ id }) => id);

    expect(new Set(ids).size).toBe(2);
  });

  it("a disabled subscription has a notice with its reason", async () => {
    const { messages } = await send([
      { ...failing, percent: 100, kind: "disabled" },
      { ...failing, percent: undefined, kind: "disabled" },
    ]);

    expect(eventsOf(messages)).toMatchObject([
      { type: "sluice.subscription.disabled", data: { reason: "sink_failing" } },
      { type: "sluice.subscription.disabled", data: { reason: "sink_ended" } },
    ]);
  });

  it("notices that the queue does not confirm are counted", async () => {
    expect((await send([failing, failing], "failed")).unsent).toEqual([2]);
  });
});
