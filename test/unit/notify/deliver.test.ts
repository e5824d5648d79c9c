import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Notice, Notifiers, NotifyOutcome } from "../../../functions/core/notifier.ts";
import { DELIVERY_BATCH_MAX_BYTES } from "../../../functions/core/subscription-limits.ts";
import type { Claim, ClaimedDelivery, ClaimedSubscription } from "../../../functions/core/subscription.ts";
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
  return { results: await createDeliver(deps)({ subscription: of, deliveries }, deadline), seen };
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
    expect(seen[0]?.notice).toMatchObject({ isBatch: true, deliveries: batch });
    expect(new Set(results.map(({ dueAt }) => dueAt)).size).toBe(1);
    expect(results.map(({ deliveryId }) => deliveryId)).toEqual(["d", "e"]);
  });
});

describe("the notices of a claim", () => {
  it("each delivery of a claim is in one notice, in its order, in no batch that is larger than its subscription says", () => {
    const claims = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }).chain((batches) =>
      fc.record({
        subscriptions: fc.constant(batches.map((batch, index) => subscription({ id: `sub_${index}`, batch }))),
        deliveries: fc.array(
          fc.record({
            of: fc.integer({ min: 0, max: batches.length - 1 }),
            attempt: fc.integer({ min: 1, max: 3 }),
            kib: fc.constantFrom(1, 300, 700),
          }),
          { maxLength: 20 },
        ),
      }),
    );
    fc.assert(
      fc.property(claims, ({ subscriptions, deliveries }) => {
        const claim: Claim = {
          subscriptions,
          deliveries: deliveries.map(({ of, attempt, kib }, index) =>
            delivery(`d${index}`, { subscriptionId: `sub_${of}`, attempt, event: "x".repeat(kib * 1_024) }),
          ),
        };

        const notices = intoNotices(claim);

        expect(
          notices
            .flatMap((each) => each.deliveries)
            .map(({ id }) => id)
            .toSorted(),
        ).toEqual(claim.deliveries.map(({ id }) => id).toSorted());
        for (const { subscription: of, deliveries: own } of notices) {
          expect(own.every(({ subscriptionId }) => subscriptionId === of.id)).toBe(true);
          expect(own.length).toBeLessThanOrEqual(of.batch);
          expect(new Set(own.map(({ attempt }) => attempt)).size).toBe(1);
          const bytes = own.reduce((sum, { event }) => sum + event.length, 0);
          if (own.length > 1) expect(bytes).toBeLessThanOrEqual(DELIVERY_BATCH_MAX_BYTES);
        }
        for (const [, own] of Map.groupBy(
          notices,
          (each) => `${each.subscription.id} ${each.deliveries[0]?.attempt}`,
        )) {
          const order = own.flatMap((each) => each.deliveries).map(({ id }) => Number(id.slice(1)));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it("a batch that failed is tried again as the same batch, apart from what is new", () => {
    const again = (id: string) => delivery(id, { attempt: 2 });

    const notices = intoNotices({
      subscriptions: [subscription({ batch: 3 })],
      deliveries: [again("a"), again("b"), delivery("c"), again("d"), delivery("e")],
    });

    expect(notices.map(({ deliveries }) => deliveries.map(({ id }) => id))).toEqual([
      ["a", "b", "d"],
      ["c", "e"],
    ]);
  });
});
