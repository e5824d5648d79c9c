import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createConsume } from "../../functions/consume/consume.ts";
import { BACKOFF_MAX_SECONDS, MAX_RECEIVE_COUNT } from "../../functions/core/limits.ts";
import { KILLS, simulateConsumer, THROWS } from "./simulated-consumer.ts";
import { simulateQueue } from "./simulated-queue.ts";
import { memoryDeadLetters, memoryStore, message, NOW, outage } from "../unit/consume/support.ts";

/** Virtual time, in seconds: days pass as fast as the consumer works, a second each or, on a busy machine, some. */
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
    { name: "3 days", length: 3 * DAY, everySeconds: HOUR, pollSeconds: 20 },
    {
      name: "5 days, longer than the queue keeps a message,",
      length: 5 * DAY,
      everySeconds: 2 * HOUR,
      pollSeconds: 20,
    },
  ])("of $name dead-letters nothing, and is made up for within a third of it", async ({ name, length, ...pace }) => {
    const world = start(pace, { away: (now) => now < length });
    await world.run({ until: () => world.now() >= length, within: length });
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

describe("messages that end the function each time", () => {
  it.each([
    { killers: 1, seed: 1 },
    { killers: 1, seed: 2 },
    { killers: 10, seed: 3 },
    { killers: 10, seed: 4 },
  ])("leave, they alone, after 30 receives each ($killers of 400, seed $seed)", async ({ killers, seed }) => {
    const world = start({ everySeconds: 10, pollSeconds: 1 }, { seed });
    world.sendAtOnce(400, KILLS, killers);
    const neighbours = world.sent();

    await world.run({ until: () => world.areStored(neighbours) });
    const freed = world.now();
    await world.run({ until: () => world.queue.deadLetters.length >= killers });
    const left = world.now();
    await world.finish();

    console.info(
      `${killers} in 400: the last neighbour stored after ${minutes(freed)}, culprits out after ${minutes(left)}`,
    );
    expect(freed).toBeLessThan(HOUR);
    expect(world.counts.crashes).toBeLessThanOrEqual(killers * MAX_RECEIVE_COUNT);
    expect(world.queue.deadLetters).toHaveLength(killers);
    for (const { body } of world.queue.deadLetters) expect(body).toContain(KILLS);
    expect(world.stored()).toEqual(world.sent());
  });

  it("do not starve the others where each batch has a new one", async () => {
    const world = start({ everySeconds: 0.1, pollSeconds: 1 }, { killerEvery: 10 });

    await world.run({ until: () => world.now() >= 30 * MINUTE });

    const share = world.stored().length / world.sent().length;
    console.info(`a killer among 10 each second: ${Math.round(100 * share)} % of the others stored after 30 min`);
    expect(share).toBeGreaterThan(0.2);
    expect(world.queue.deadLetters).toEqual([]);
  });

  it("leave so many receives after an outage, from which nothing else is dead-lettered", async () => {
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
function start(
  { everySeconds, pollSeconds }: Pace,
  options: { away?: (now: number) => boolean; seed?: number; killerEvery?: number },
) {
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
  let made = 0;
  const { killerEvery = Infinity } = options;

  const arrive = () => {
    for (; due <= now(); due += everySeconds) {
      made += 1;
      if (made % killerEvery === 0) queue.send({ body: message("", [`${KILLS} ${made}`]).body });
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
    /** Lets messages arrive; fails when what it waits for has not come after so much virtual time. */
    async run({ until, within = 6 * HOUR }: { until: () => boolean; within?: number }): Promise<void> {
      for (const end = now() + within; !until(); await pollOnce()) {
        if (now() > end) throw new Error(`Not within ${within} s: ${until}`);
        arrive();
      }
    },
    /** Lets no more arrive, and the queue run empty. */
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
