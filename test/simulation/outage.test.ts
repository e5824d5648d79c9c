import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createStoreMessages } from "../../functions/consume/store-messages.ts";
import { BACKOFF_MAX_SECONDS } from "../../functions/core/queue-limits.ts";
import { MAX_RECEIVE_COUNT } from "../../functions/core/queue-limits.ts";
import { POISON, simulateConsumer, THROWS } from "./simulated-consumer.ts";
import { simulateQueue } from "../support/simulated-queue.ts";
import { memoryDeadLetters, memoryStore, message, NOW, outage } from "../unit/consume/support.ts";
import { untraced } from "../support/observability.ts";

/** Virtual time, in seconds: a day passes as fast as the consumer works, in about a second. */
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => void vi.useRealTimers());

describe("an outage of the database", () => {
  it.each([
    { name: "10 minutes", length: 10 * MINUTE, everySeconds: 0.5, pollSeconds: 1 },
    { name: "3 days", length: 3 * DAY, everySeconds: HOUR, pollSeconds: 20 },
    {
      name: "5 days, longer than the queue keeps a message,",
      length: 5 * DAY,
      everySeconds: 2 * HOUR,
      pollSeconds: 20,
    },
  ])(
    "an outage of $name dead-letters nothing, and its backlog is stored within a third of its length",
    async ({ name, length, ...pace }) => {
      const simulation = start(pace, { isDown: (now) => now < length });
      await simulation.run({ until: () => simulation.now() >= length, within: length });
      const waiting = simulation.sent();

      await simulation.run({ until: () => simulation.areStored(waiting) });
      const drained = simulation.now() - length;
      const rate = ((simulation.stored().length / drained) * pace.everySeconds).toFixed(1);
      await simulation.finish();

      console.info(`${name}: ${waiting.length} messages, stored ${drained} s after it, at ${rate} times their rate`);
      expect(drained).toBeLessThanOrEqual(Math.min(length / 3, BACKOFF_MAX_SECONDS) + 2 * pace.pollSeconds);
      expect(Number(rate)).toBeGreaterThan(3);
      expect(simulation.stored()).toEqual(simulation.sent());
      expect(simulation.queue).toMatchObject({ deadLetters: [], expired: [] });
    },
  );
});

describe("poison messages", () => {
  it.each([
    { poison: 1, seed: 1 },
    { poison: 1, seed: 2 },
    { poison: 10, seed: 3 },
    { poison: 10, seed: 4 },
  ])(
    "poison messages are the only ones that leave the queue, after 30 receives each ($poison of 400, seed $seed)",
    async ({ poison, seed }) => {
      const simulation = start({ everySeconds: 10, pollSeconds: 1 }, { seed });
      simulation.sendAtOnce(400, POISON, poison);
      const neighbours = simulation.sent();

      await simulation.run({ until: () => simulation.areStored(neighbours) });
      const freed = simulation.now();
      await simulation.run({ until: () => simulation.queue.deadLetters.length >= poison });
      const left = simulation.now();
      await simulation.finish();

      console.info(
        `${poison} in 400: the last neighbour stored after ${minutes(freed)}, poison out after ${minutes(left)}`,
      );
      expect(freed).toBeLessThan(HOUR);
      expect(simulation.counts.crashes).toBeLessThanOrEqual(poison * MAX_RECEIVE_COUNT);
      expect(simulation.queue.deadLetters).toHaveLength(poison);
      for (const { body } of simulation.queue.deadLetters) expect(body).toContain(POISON);
      expect(simulation.stored()).toEqual(simulation.sent());
    },
  );

  it("poison messages do not starve the other messages where each batch has a new one", async () => {
    const simulation = start({ everySeconds: 0.1, pollSeconds: 1 }, { poisonEvery: 10 });

    await simulation.run({ until: () => simulation.now() >= 30 * MINUTE });

    const share = simulation.stored().length / simulation.sent().length;
    console.info(
      `a poison message among 10 each second: ${Math.round(100 * share)} % of the others stored after 30 min`,
    );
    expect(share).toBeGreaterThan(0.2);
    expect(simulation.queue.deadLetters).toEqual([]);
  });

  it("poison messages use up their receives after an outage too, and nothing else is dead-lettered", async () => {
    const length = 4 * HOUR;
    const simulation = start(
      { everySeconds: 2 * MINUTE, pollSeconds: 10 },
      { isDown: (now) => now > 5 * MINUTE && now < length },
    );
    simulation.sendAtOnce(200, POISON);
    await simulation.run({ until: () => simulation.now() >= length });
    const crashesBefore = simulation.counts.crashes;

    await simulation.run({ until: () => simulation.queue.deadLetters.length > 0 });
    await simulation.finish();

    expect(simulation.counts.crashes - crashesBefore).toBeLessThanOrEqual(MAX_RECEIVE_COUNT);
    expect(simulation.queue.deadLetters.map(({ body }) => body)).toEqual([expect.stringContaining(POISON)]);
    expect(simulation.stored()).toEqual(simulation.sent());
  });
});

describe("a message on which storing throws each time", () => {
  it("a message on which storing throws is the only one that leaves the queue, after at most 30 receives, and its neighbours are stored within a minute", async () => {
    const simulation = start({ everySeconds: 10, pollSeconds: 1 }, {});
    simulation.sendAtOnce(400, THROWS);
    const neighbours = simulation.sent();

    await simulation.run({ until: () => simulation.areStored(neighbours) });
    const freed = simulation.now();
    await simulation.run({ until: () => simulation.queue.deadLetters.length > 0 });
    await simulation.finish();

    expect(freed).toBeLessThan(MINUTE);
    expect(simulation.counts.errors).toBeLessThanOrEqual(MAX_RECEIVE_COUNT);
    expect(simulation.queue.deadLetters.map(({ body }) => body)).toEqual([expect.stringContaining(THROWS)]);
    expect(simulation.stored()).toEqual(simulation.sent());
  });
});

type Pace = { everySeconds: number; pollSeconds: number };

/** A consumer, its queue and its database, from second 0 on; good messages of one event arrive at a steady rate. */
function start(
  { everySeconds, pollSeconds }: Pace,
  options: { isDown?: (now: number) => boolean; seed?: number; poisonEvery?: number },
) {
  const random = seeded(options.seed ?? 1);
  const now = () => (Date.now() - NOW) / 1_000;
  const { store, ids } = memoryStore({ fault: () => (options.isDown?.(now()) ? outage() : undefined) });
  const queue = simulateQueue(random);
  const deadLetters = memoryDeadLetters().queue;
  const storeMessages = createStoreMessages({ store, deadLetters, clock: () => new Date(), tracing: untraced });
  const { counts, poll } = simulateConsumer(queue, storeMessages, random);
  const sent: string[] = [];
  const send = () => {
    const id = `e${String(sent.length).padStart(6, "0")}`;
    sent.push(id);
    queue.send({ body: message("", [id]).body });
  };
  let due = 0;
  let generated = 0;
  const { poisonEvery = Infinity } = options;

  const arrive = () => {
    for (; due <= now(); due += everySeconds) {
      generated += 1;
      if (generated % poisonEvery === 0) queue.send({ body: message("", [`${POISON} ${generated}`]).body });
      else send();
    }
  };
  async function pollOnce(): Promise<void> {
    await poll();
    vi.setSystemTime(Date.now() + pollSeconds * 1_000);
  }
  return {
    queue,
    counts,
    now,
    sent: () => [...sent],
    stored: ids,
    areStored: (wanted: string[]) => {
      const stored = new Set(ids());
      return wanted.every((id) => stored.has(id));
    },
    sendAtOnce(good: number, bad: string, times = 1): void {
      for (let i = 0; i < good; i++) send();
      for (let i = 0; i < times; i++) queue.send({ body: message("", [`${bad} ${i}`]).body });
    },
    /** Lets messages arrive; fails when the condition does not hold within the given virtual time. */
    async run({ until, within = 6 * HOUR }: { until: () => boolean; within?: number }): Promise<void> {
      for (const end = now() + within; !until(); await pollOnce()) {
        if (now() > end) throw new Error(`Not within ${within} s: ${until}`);
        arrive();
      }
    },
    /** Lets no more messages arrive, and the queue drain. */
    async finish(): Promise<void> {
      for (const end = now() + 6 * HOUR; queue.size() > 0; await pollOnce()) {
        if (now() > end) throw new Error(`${queue.size()} messages are still in the queue`);
      }
    },
  };
}

/** Numbers from 0 to 1, the same at each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

function minutes(seconds: number): string {
  return `${Math.round(seconds / MINUTE)} min`;
}
