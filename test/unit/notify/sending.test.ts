import { expect, it } from "vitest";
import type {
  AttemptResult,
  Claim,
  ClaimedDelivery,
  ClaimedSubscription,
} from "../../../functions/core/delivery-work.ts";
import {
  CIRCUIT_FAILURES,
  DELIVERIES_HELD,
  DELIVERIES_HELD_BYTES,
  DELIVERY_BATCH_MAX,
  FAST_ANSWER_MS,
  IN_FLIGHT_OF_ALL_UNKNOWN,
  IN_FLIGHT_OF_UNKNOWN,
} from "../../../functions/core/subscription-limits.ts";
import { createSending } from "../../../functions/notify/sending.ts";

/** A worker whose sinks answer when the test says so. */
function createWorker() {
  const answer = Promise.withResolvers<void>();
  const deps = {
    work: { settle: () => Promise.resolve(false), release: () => Promise.resolve() },
    deliver: async () => (await answer.promise, []),
    clock: () => new Date(0),
    wait: () => new Promise(() => undefined),
  };
  const until = 60_000;
  const sending = createSending(deps, "worker", until, { room: () => undefined, settled: () => undefined });
  return { sending, answer: answer.resolve };
}

function claimOf(count: number, event: string): Claim {
  const subscription = { id: "sub_a", timeoutMs: 15_000 } as ClaimedSubscription;
  const delivery = (at: number) => ({ id: `dlv_${at}`, subscriptionId: "sub_a", event }) as ClaimedDelivery;
  return { subscriptions: [subscription], deliveries: Array.from({ length: count }, (_, at) => delivery(at)) };
}

it("a worker has room for so many deliveries, and for fewer by those that it has", () => {
  const { sending } = createWorker();
  expect(sending.room()).toBe(DELIVERIES_HELD);

  sending.add(claimOf(30, "{}"), 45_000);

  expect(sending.room()).toBe(DELIVERIES_HELD - 30);
});

it("a worker with the events that it may have has no room until some are sent", async () => {
  const { sending, answer } = createWorker();
  const half = "x".repeat(DELIVERIES_HELD_BYTES / 2);
  sending.add(claimOf(1, half), 45_000);
  expect(sending.room()).toBe(DELIVERIES_HELD - 1);

  sending.add(claimOf(1, half), 45_000);
  expect(sending.room()).toBe(0);

  answer();
  await new Promise((resolve) => void setImmediate(resolve));
  expect(sending.room()).toBe(DELIVERIES_HELD);
});

it("sinks that never answer leave places for the others, of which each has one at least", async () => {
  const begun: string[] = [];
  const deliver = async ({
    subscription: { id },
    deliveries,
  }: {
    subscription: { id: string };
    deliveries: ClaimedDelivery[];
  }) => {
    begun.push(id);
    if (id.startsWith("sub_silent")) await new Promise(() => undefined);
    return deliveries.map(({ id: deliveryId }) => ({ deliveryId, status: "delivered" }) as AttemptResult);
  };
  const sending = createSending(
    {
      work: { settle: () => Promise.resolve(false), release: () => Promise.resolve() },
      deliver,
      clock: () => new Date(0),
      wait: () => new Promise(() => undefined),
    },
    "worker",
    60_000,
    { room: () => undefined, settled: () => undefined },
  );
  const of = (id: string, count: number): Claim => {
    const { subscriptions, deliveries } = claimOf(count, "{}");
    return {
      subscriptions: subscriptions.map((each) => ({ ...each, id })),
      deliveries: deliveries.map((each) => ({ ...each, id: `${id} ${each.id}`, subscriptionId: id })),
    };
  };
  for (let number = 0; number < 10; number += 1) sending.add(of(`sub_silent_${number}`, 20), 45_000);

  sending.add(of("sub_alive", 30), 45_000);
  await new Promise((resolve) => void setImmediate(resolve));

  const begunOf = (name: string) => begun.filter((id) => id.startsWith(name)).length;
  expect(begunOf("sub_alive")).toBe(30);
  expect(begunOf("sub_silent")).toBeGreaterThanOrEqual(IN_FLIGHT_OF_ALL_UNKNOWN);
  expect(begunOf("sub_silent")).toBeLessThan(IN_FLIGHT_OF_ALL_UNKNOWN + 10);
});

/** A worker whose attempts end at once, as the test says. */
function createEnding(endOf: (subscription: string) => Pick<AttemptResult, "status" | "durationMs">) {
  const [begun, released]: [string[], string[]] = [[], []];
  const sending = createSending(
    {
      work: {
        settle: () => Promise.resolve(false),
        release: async (_worker, ids) => void released.push(...ids),
      },
      deliver: async ({ subscription, deliveries }) => {
        begun.push(...deliveries.map(({ id }) => id));
        return deliveries.map(({ id }) => ({ deliveryId: id, ...endOf(subscription.id) }) as AttemptResult);
      },
      clock: () => new Date(0),
      wait: () => Promise.resolve(),
    },
    "worker",
    60_000,
    { room: () => undefined, settled: () => undefined },
  );
  return { sending, begun, released };
}

it("a sink whose circuit is open by now gets nothing more of what waits, and that is given back", async () => {
  const { sending, begun, released } = createEnding(() => ({ status: "later", durationMs: 1 }));

  sending.add(claimOf(100, "{}"), 45_000);
  await new Promise((resolve) => void setImmediate(resolve));
  await sending.end();

  expect(begun.length).toBeGreaterThanOrEqual(CIRCUIT_FAILURES);
  expect(begun.length).toBeLessThan(CIRCUIT_FAILURES + IN_FLIGHT_OF_UNKNOWN);
  expect(new Set([...begun, ...released]).size).toBe(100);
  expect(begun.length + released.length).toBe(100);
  expect(sending.room()).toBe(DELIVERIES_HELD);
});

it.each([
  ["answers soon", { status: "delivered", durationMs: FAST_ANSWER_MS }, ["sub_a"]],
  ["answers late", { status: "delivered", durationMs: FAST_ANSWER_MS + 1 }, []],
  ["fails soon", { status: "later", durationMs: 1 }, []],
] as const)("a sink that %s is a fast one or not", async (_sink, end, fast) => {
  const { sending } = createEnding(() => end);
  expect(sending.fast()).toEqual([]);

  sending.add(claimOf(5, "{}"), 45_000);
  await new Promise((resolve) => void setImmediate(resolve));

  expect(sending.fast()).toEqual(fast);
});

it("results that an outage held up are written in parts that a call can carry, those of a batch together", async () => {
  const back = Promise.withResolvers<boolean>();
  const answer = '"'.repeat(1_024);
  const written: AttemptResult[][] = [];
  const sending = createSending(
    {
      work: {
        settle: (_worker, results) => {
          written.push([...results]);
          return written.length === 1 ? back.promise : Promise.resolve(false);
        },
        release: () => Promise.resolve(),
      },
      deliver: ({ deliveries }) =>
        Promise.resolve(deliveries.map(({ id }) => ({ deliveryId: id, response: answer }) as AttemptResult)),
      clock: () => new Date(0),
      wait: () => Promise.resolve(),
    },
    "worker",
    60_000,
    { room: () => undefined, settled: () => undefined },
  );
  const { subscriptions, deliveries } = claimOf(DELIVERIES_HELD + DELIVERY_BATCH_MAX, "{}");
  const batchOf = (at: number) => `dlv_batch_${Math.floor(at / DELIVERY_BATCH_MAX)}`;
  sending.add({ subscriptions, deliveries: deliveries.map((each, at) => ({ ...each, batchId: batchOf(at) })) }, 45_000);
  await new Promise((resolve) => void setImmediate(resolve));

  back.resolve(false);
  await sending.end();

  expect(written.flat()).toHaveLength(deliveries.length);
  expect(written.length).toBeGreaterThan(2);
  for (const group of written) {
    expect(group.length % DELIVERY_BATCH_MAX).toBe(0);
    const call = JSON.stringify(JSON.stringify(group));
    expect(Buffer.byteLength(call)).toBeLessThan(2 * 1024 * 1024);
  }
});

it("many results are written while a write is under way, and by no third one; few wait for it", async () => {
  const calls: PromiseWithResolvers<boolean>[] = [];
  const written: number[] = [];
  const sending = createSending(
    {
      work: {
        settle: (_worker, results) => {
          written.push(results.length);
          calls.push(Promise.withResolvers<boolean>());
          return calls.at(-1)?.promise ?? Promise.resolve(false);
        },
        release: () => Promise.resolve(),
      },
      deliver: ({ deliveries }) =>
        Promise.resolve(deliveries.map(({ id }) => ({ deliveryId: id, status: "delivered" }) as AttemptResult)),
      clock: () => new Date(0),
      wait: () => new Promise(() => undefined),
    },
    "worker",
    60_000,
    { room: () => undefined, settled: () => undefined },
  );
  const add = async (count: number) => {
    sending.add(claimOf(count, "{}"), 45_000);
    await new Promise((resolve) => void setImmediate(resolve));
  };
  await add(1);
  await add(99);
  expect(written).toEqual([1]);
  await add(1);
  await add(200);
  expect(written).toEqual([1, 100]);
  expect(sending.isSettling()).toBe(true);

  calls[1]?.resolve(false);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(written).toEqual([1, 100, 200]);
  await add(1);
  calls[2]?.resolve(false);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(written).toEqual([1, 100, 200]);

  // The answer that is read last need not be the newest.
  calls[0]?.resolve(true);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(written).toEqual([1, 100, 200, 1]);
  for (const call of calls) call.resolve(false);
  await sending.end();
  expect(sending.hasNotices()).toBe(true);
  expect(sending.isIdle()).toBe(true);
  expect(sending.counts.delivered).toBe(302);
});

it("what a claim gives while the round ends is given back, and not begun", async () => {
  const back = Promise.withResolvers<boolean>();
  const begun: string[] = [];
  const released: string[] = [];
  const sending = createSending(
    {
      work: {
        settle: () => back.promise,
        release: async (_worker, ids) => void released.push(...ids),
      },
      deliver: async ({ deliveries }) => {
        begun.push(...deliveries.map(({ id }) => id));
        return deliveries.map(({ id }) => ({ deliveryId: id, status: "delivered" }) as AttemptResult);
      },
      clock: () => new Date(0),
      wait: () => Promise.resolve(),
    },
    "worker",
    60_000,
    { room: () => undefined, settled: () => undefined },
  );
  sending.add(claimOf(1, "{}"), 45_000);
  await new Promise((resolve) => void setImmediate(resolve));

  const ended = sending.end();
  sending.add(claimOf(3, "{}"), 45_000);
  back.resolve(false);
  await ended;

  expect(begun).toEqual(["dlv_0"]);
  expect(released).toEqual(["dlv_0", "dlv_1", "dlv_2"]);
});
