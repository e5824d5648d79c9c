import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Notice, Notifiers, NotifyOutcome } from "../../../functions/core/notifier.ts";
import type { ClaimedDelivery, ClaimedSubscription } from "../../../functions/core/delivery-work.ts";
import type { Tracing } from "../../../functions/core/tracing.ts";
import { createDeliver, intoNotices } from "../../../functions/notify/deliver.ts";
import { untraced } from "../../support/observability.ts";

const NOW = Date.parse("2026-11-01T00:00:00Z");

const subscription = (changes: Partial<ClaimedSubscription> = {}): ClaimedSubscription => ({
  id: "sub_a",
  tenant: "acme",
  name: "a",
  sink: { type: "webhook", url: "https://a/hook" },
  schedule: "standard",
  batch: 1,
  timeoutMs: 15_000,
  failingSince: undefined,
  secrets: [],
  isProbe: false,
  ...changes,
});

const delivery = (id: string, changes: Partial<ClaimedDelivery> = {}): ClaimedDelivery => ({
  id,
  subscriptionId: "sub_a",
  batchId: undefined,
  attempt: 1,
  scheduleAttempt: 1,
  matchedAt: new Date(NOW).toISOString(),
  event: "{}",
  ...changes,
});

const noSpans: Pick<Tracing, "send"> = untraced;

async function deliver(
  outcome: NotifyOutcome,
  {
    of = subscription(),
    deliveries = [delivery("d")],
    deadline = NOW + 60_000,
    random = (): number => 0.5,
    tracing = noSpans,
  } = {},
) {
  const seen: { notice: Notice; deadline: number }[] = [];
  const notifier = {
    notify: async (notice: Notice, until: number) => {
      seen.push({ notice, deadline: until });
      return outcome;
    },
    check: async () => undefined,
  };
  const notifiers = { webhook: notifier } as unknown as Notifiers;
  const deps = { notifiers, clock: () => new Date(NOW), random, tracing, onFailure: () => undefined };
  return { results: await createDeliver(deps)({ id: "message", subscription: of, deliveries }, deadline), seen };
}

describe("the result of a delivery", () => {
  it("a delivery that the sink has is delivered, with what it answered", async () => {
    const { results } = await deliver({ kind: "delivered", code: 204, response: "ok" });

    expect(results).toMatchObject([{ status: "delivered", dueAt: undefined, code: 204, response: "ok", number: 1 }]);
  });

  it("a delivery that the sink takes later is due after the wait of its try", async () => {
    const third = delivery("d", { attempt: 13, scheduleAttempt: 3 });

    const { results } = await deliver({ kind: "later", code: 503 }, { deliveries: [third] });

    expect(results).toMatchObject([{ status: "later", number: 13, dueAt: new Date(NOW + 1_800_000).toISOString() }]);
  });

  it("a delivery is failed after its last try, and at once where the sink will never take it", async () => {
    const last = delivery("d", { attempt: 10, scheduleAttempt: 10 });

    expect((await deliver({ kind: "later" }, { deliveries: [last] })).results).toMatchObject([{ status: "failed" }]);
    expect((await deliver({ kind: "never", code: 400 })).results).toMatchObject([{ status: "failed", isEnded: false }]);
  });

  it("a delivery whose sink has ended stays, even after its last try, for another sink of the subscription", async () => {
    const last = delivery("d", { attempt: 10, scheduleAttempt: 10 });

    const { results } = await deliver({ kind: "never", isEnded: true, code: 410 }, { deliveries: [last] });

    expect(results).toMatchObject([{ status: "later", isEnded: true }]);
  });

  it("an attempt has the time of its subscription, and never more than the round", async () => {
    const own = await deliver({ kind: "delivered" });
    const short = await deliver({ kind: "delivered" }, { deadline: NOW + 2_000 });

    expect([own.seen[0]?.deadline, short.seen[0]?.deadline]).toEqual([NOW + 15_000, NOW + 2_000]);
  });

  it("what the sink answered can be stored, whatever it is", async () => {
    const { results } = await deliver({ kind: "later", error: "a\u0000b", response: "\ud800 \u0007" });

    expect(results).toMatchObject([{ error: "a\uFFFDb", response: "\uFFFD \uFFFD" }]);
  });

  it("an attempt is traced with the traces of its events, and its result", async () => {
    const end = vi.fn<(result: object) => void>();
    const send = vi.fn<Tracing["send"]>(() => ({ traceparent: "00-here", end }));
    const inDepth = '{"id":"1","data":{"traceparent":"00-deep"}}';
    const deliveries = [
      delivery("d", { event: '{"traceparent":"00-a","data":{}}', attempt: 2 }),
      delivery("e", { event: inDepth }),
    ];

    const { seen } = await deliver(
      { kind: "later", code: 503 },
      { of: subscription({ batch: 10 }), deliveries, tracing: { send } },
    );

    expect(send.mock.calls).toEqual([["webhook", ["00-a", undefined]]]);
    expect(seen[0]?.notice.traceparent).toBe("00-here");
    expect(end.mock.calls).toEqual([
      [
        {
          attributes: {
            "sluice.subscription": "sub_a",
            "sluice.deliveries": 2,
            "sluice.attempt": 2,
            "http.response.status_code": 503,
          },
          isError: true,
        },
      ],
    ]);
  });

  it("the deliveries of a batch have one result each, and are due together", async () => {
    const batch = [delivery("d"), delivery("e")];
    const chances = [0.1, 0.9];
    const random = () => chances.pop() ?? 0;

    const { results, seen } = await deliver(
      { kind: "later" },
      { of: subscription({ batch: 10 }), deliveries: batch, random },
    );

    expect(seen).toHaveLength(1);
    expect(seen[0]?.notice).toMatchObject({ id: "message", isBatch: true, deliveries: batch });
    expect(new Set(results.map(({ dueAt }) => dueAt)).size).toBe(1);
    expect(results.map(({ deliveryId }) => deliveryId)).toEqual(["d", "e"]);
  });
});

describe("the notices of a claim", () => {
  it("each delivery of a claim is in the notice of its batch, or in one of its own, in its order", () => {
    const claims = fc.array(fc.constantFrom(undefined, "a", "b", "c"), { maxLength: 20 });
    fc.assert(
      fc.property(claims, (batches) => {
        const deliveries = batches.map((batchId, index) => delivery(`d${index}`, { batchId }));

        const notices = intoNotices({ subscriptions: [subscription()], deliveries });

        for (const { id, deliveries: own } of notices) {
          const wanted = deliveries.filter((each) => (each.batchId ?? each.id) === id);
          expect(own).toEqual(wanted);
        }
        expect(notices.flatMap((each) => each.deliveries)).toHaveLength(deliveries.length);
      }),
    );
  });

  it("a delivery goes as a batch where its subscription has batches, and a batch stays one where it has none any more", async () => {
    const two = [delivery("d"), delivery("e")];
    const isBatch = async (batch: number, deliveries = two) => {
      const { seen } = await deliver({ kind: "delivered" }, { of: subscription({ batch }), deliveries });
      return seen[0]?.notice.isBatch;
    };

    expect([await isBatch(10), await isBatch(1), await isBatch(10, [delivery("d")])]).toEqual([true, true, true]);
    expect(await isBatch(1, [delivery("d")])).toBe(false);
  });
});
