import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createConsume } from "../../../functions/consume/consume.ts";
import { BACKOFF_MAX_SECONDS, MAX_RECEIVE_COUNT } from "../../../functions/core/limits.ts";
import { KILLS, simulateConsumer, THROWS } from "./simulated-consumer.ts";
import { simulateQueue } from "./simulated-queue.ts";
import { memoryDeadLetters, memoryStore, message, NOW, outage } from "./support.ts";

/** Virtual time, in seconds: days pass as fast as the consumer works. */
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

beforeEach(() => {
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "true");
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe("an outage of the database", () => {
  it.each([
    { name: "10 minutes", length: 10 * MINUTE, everySeconds: 0.5, pollSeconds: 1 },
    { name: "3 days", length: 3 * DAY, everySeconds: 30 * MINUTE, pollSeconds: 20 },
    {
      name: "5 days, longer than the queue keeps a message,",
      length: 5 * DAY,
      everySeconds: 2 * HOUR,
      pollSeconds: 20,
    },
  ])("of $name dead-letters nothing, and is made up for within a third of it", async ({ name, length, ...pace }) => {
    const world = start(pace, { away: (now) => now < length });
    await world.run({ until: () => world.now() >= length });
    const waiting = world.sent();

    await world.run({ until: () => world.areStored(waiting) });
    const drained = world.now() - length;
    const rate = ((world.stored().length / drained) * pace.everySeconds).toFixed(1);
    await world.finish();

    console.info(`${name}: ${waiting.length} messages, stored ${drained} s after it, at ${rate} times their rate`);
    expect(drained).toBeLessThanOrEqual(Math.min(length / 3, BACKOFF_MAX_SECONDS) + 2 * pace.pollSeconds);
    expect(Number(rate)).toBeGreaterThan(3);
    expect(world.stored()).toEqual(world.sent());
    expect(world.queue).toMatchObject({ deadLetters: [], expired: [] });
  });
});

describe("a message that ends the function each time", () => {
  it.each([1, 2, 3, 4, 5])(
    "leaves alone, after at most 30 receives, and its neighbours are stored (%i)",
    async (seed) => {
      const world = start({ everySeconds: 10, pollSeconds: 1 }, { seed });
      world.sendAtOnce(400, KILLS);
      const neighbours = world.sent();

      await world.run({ until: () => world.areStored(neighbours) });
      const freed = world.now();
      await world.run({ until: () => world.queue.deadLetters.length > 0 });
      const left = world.now();
      await world.finish();

      console.info(`seed ${seed}: neighbours stored after ${minutes(freed)}, culprit out after ${minutes(left)}`);
      expect(world.counts.crashes).toBeLessThanOrEqual(MAX_RECEIVE_COUNT);
      expect(world.queue.deadLetters.map(({ body }) => body)).toEqual([expect.stringContaining(KILLS)]);
      expect(world.stored()).toEqual(world.sent());
    },
  );

  it("leaves so many receives after an outage, from which nothing else is dead-lettered", async () => {
    const length = 4 * HOUR;
    const world = start(
      { everySeconds: 2 * MINUTE, pollSeconds: 10 },
      { away: (now) => now > 5 * MINUTE && now < length },
    );
    world.sendAtOnce(200, KILLS);
    await world.run({ until: () => world.now() >= length });
    const crashesBefore = world.counts.crashes;

    await world.run({ until: () => world.queue.deadLetters.length > 0 });
    await world.finish();

    expect(world.counts.crashes - crashesBefore).toBeLessThanOrEqual(MAX_RECEIVE_COUNT);
    expect(world.queue.deadLetters.map(({ body }) => body)).toEqual([expect.stringContaining(KILLS)]);
    expect(world.stored()).toEqual(world.sent());
  });
});

describe("a message on which the rule throws each time", () => {
  it("leaves alone, after at most 30 receives, and its neighbours are stored within seconds", async () => {
    const world = start({ everySeconds: 10, pollSeconds: 1 }, {});
    world.sendAtOnce(400, THROWS);
    const neighbours = world.sent();

    await world.run({ until: () => world.areStored(neighbours) });
    const freed = world.now();
    await world.run({ until: () => world.queue.deadLetters.length > 0 });
    await world.finish();

    expect(freed).toBeLessThan(MINUTE);
    expect(world.counts.errors).toBeLessThanOrEqual(MAX_RECEIVE_COUNT);
    expect(world.queue.deadLetters.map(({ body }) => body)).toEqual([expect.stringContaining(THROWS)]);
    expect(world.stored()).toEqual(world.sent());
  });
});

type Pace = { everySeconds: number; pollSeconds: number };

/** A consumer, its queue and its database, from second 0 on; good messages of one event arrive at a steady rate. */
function start({ everySeconds, pollSeconds }: Pace, options: { away?: (now: number) => boolean; seed?: number }) {
  const random = seeded(options.seed ?? 1);
  const now = () => (Date.now() - NOW) / 1_000;
  const { store, ids } = memoryStore({ fault: () => (options.away?.(now()) ? outage() : undefined) });
  const queue = simulateQueue(random);
  const consume = createConsume({ store, deadLetters: memoryDeadLetters().queue, clock: () => new Date() });
  const { counts, poll } = simulateConsumer(queue, consume, random);
  const sent: string[] = [];
  const send = () => {
    const id = `e${String(sent.length).padStart(6, "0")}`;
    sent.push(id);
    queue.send({ body: message("", [id]).body });
  };
  let due = 0;

  const arrive = () => {
    for (; due <= now(); due += everySeconds) send();
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
    sendAtOnce(good: number, bad: string): void {
      for (let i = 0; i < good; i++) send();
      queue.send({ body: message("", [bad]).body });
    },
    async run({ until }: { until: () => boolean }): Promise<void> {
      while (!until()) {
        arrive();
        await pollOnce();
      }
    },
    async finish(): Promise<void> {
      while (queue.size() > 0) await pollOnce();
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
