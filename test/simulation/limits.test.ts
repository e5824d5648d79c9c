import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Limits } from "../../functions/core/access.ts";
import { createLimiter } from "../../functions/core/limiter.ts";
import { limitedPrincipal } from "../support/limited-principal.ts";
import { memoryLeaseStore } from "../support/memory-lease-store.ts";

const START = Date.parse("2026-11-29T10:00:00Z");
const SECOND = 1_000;

type SimulatedRequest = {
  process: number;
  events: number;
  isWhole?: boolean;
  key?: { id: string; limits?: Limits };
};

/** Function processes behind one table, in virtual time; each has a clock of its own. */
function simulate({ limits, skews }: { limits: Limits; skews: readonly number[] }) {
  const { store, calls } = memoryLeaseStore();
  let now = 0;
  let seed = 1;
  // Park and Miller's generator: each run has the same numbers.
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const limiters = skews.map((skew) =>
    createLimiter({
      store,
      clock: () => new Date(START + Math.floor(now) + skew),
      random,
      onFailure: (error) => {
        throw error;
      },
    }),
  );
  const passed = skews.map(() => 0);
  const wholes = { sent: 0, passed: 0 };
  const passedOfKey: Record<string, number> = {};
  return {
    calls,
    passed,
    passedOfKey,
    /** Requests that pass whole or not at all. */
    wholes,
    random,
    total: () => passed.reduce((sum, each) => sum + each, 0),
    waitUntil: (milliseconds: number) => {
      now = milliseconds;
    },
    /** Requests of several processes at one moment: their calls of the table mix. */
    send: async (requests: readonly SimulatedRequest[]) => {
      await Promise.all(
        requests.map(async ({ process, events, isWhole = false, key = { id: "key-1" } }) => {
          const caller = limitedPrincipal(
            { tenant: limits, ...(key.limits && { key: key.limits }) },
            { keyId: key.id },
          );
          const grant = await limiters[process]?.takeEvents(caller, events, { isWhole });
          const granted = grant?.granted ?? events;
          if (isWhole) wholes.sent++;
          if (isWhole && granted > 0) wholes.passed++;
          passed[process] = (passed[process] ?? 0) + granted;
          passedOfKey[key.id] = (passedOfKey[key.id] ?? 0) + granted;
        }),
      );
    },
  };
}

type Load = { processes: number; events: number; everyMs: number; seconds: number };

/** Each process sends one request each time, all at the same moment. */
async function run(simulation: ReturnType<typeof simulate>, { processes, events, everyMs, seconds }: Load) {
  const all = Array.from({ length: processes }, (_, process) => ({ process, events }));
  for (let now = 0; now < seconds * SECOND; now += everyMs) {
    simulation.waitUntil(now);
    await simulation.send(all);
  }
}

/** The same, one process after the other, as steady load comes. */
async function runSpread(simulation: ReturnType<typeof simulate>, { processes, events, everyMs, seconds }: Load) {
  for (let now = 0; now < seconds * SECOND; now += everyMs) {
    for (let process = 0; process < processes; process++) {
      simulation.waitUntil(now + (process * everyMs) / processes);
      await simulation.send([{ process, events }]);
    }
  }
}

const FIVE = [0, 0, 0, 0, 0];

describe("limits of five processes in virtual time", () => {
  it.each([
    { name: "single events", limits: { eventsPerSecond: 1_000 }, events: 1, everyMs: 1 },
    { name: "batches of 100", limits: { eventsPerSecond: 1_000 }, events: 100, everyMs: 40 },
    {
      name: "batches of 1,000 over a small burst",
      limits: { eventsPerSecond: 1_000, burst: 200 },
      events: 1_000,
      everyMs: 100,
    },
    { name: "a limit of ten", limits: { eventsPerSecond: 10 }, events: 1, everyMs: 20 },
    { name: "a limit of 20,000", limits: { eventsPerSecond: 20_000 }, events: 500, everyMs: 50 },
    { name: "a long burst", limits: { eventsPerSecond: 100, burst: 3_000 }, events: 50, everyMs: 20 },
  ])("under twice the load and more, what passes in 10 s is within 10 % of the limit: $name", async (run_) => {
    const { limits, events, everyMs } = run_;
    const simulation = simulate({ limits, skews: FIVE });

    await run(simulation, { processes: 5, events, everyMs, seconds: 10 });

    const allowed = limits.eventsPerSecond * 10 + (("burst" in limits && limits.burst) || limits.eventsPerSecond);
    expect(simulation.total()).toBeLessThanOrEqual(allowed);
    expect(simulation.total()).toBeGreaterThanOrEqual(0.9 * allowed);
  });

  it.each([
    { name: "single events", events: 1, everyMs: 1 },
    { name: "batches of 100", events: 100, everyMs: 10 },
  ])("no process is starved at the limit: each gets at least half of its share ($name)", async (load) => {
    const simulation = simulate({ limits: { eventsPerSecond: 1_000 }, skews: FIVE });

    await run(simulation, { processes: 5, ...load, seconds: 20 });

    const share = simulation.total() / 5;
    for (const passed of simulation.passed) expect(passed).toBeGreaterThan(share / 2);
  });

  it("clocks that differ by a second let a second's events more through, once", async () => {
    const limits = { eventsPerSecond: 500 };
    const simulation = simulate({ limits, skews: [-1_000, -500, 0, 500, 1_000] });

    await run(simulation, { processes: 5, events: 5, everyMs: 5, seconds: 20 });

    expect(simulation.total()).toBeLessThanOrEqual(500 * 20 + 500 + 2 * 500);
    expect(simulation.total()).toBeGreaterThanOrEqual(0.9 * 500 * 20);
  });

  it.each([
    { name: "single events", events: 1, everyMs: 1 },
    { name: "batches of 50", events: 50, everyMs: 50 },
  ])("a steady load costs at most one write per 1,000 events where the burst is 20,000: $name", async (load) => {
    const simulation = simulate({ limits: { eventsPerSecond: 20_000 }, skews: FIVE });

    await runSpread(simulation, { processes: 5, ...load, seconds: 60 });

    expect(simulation.total()).toBe(5 * 1_000 * 60);
    expect(simulation.calls.writes).toBeLessThanOrEqual(simulation.total() / 1_000);
  });

  it("a steady load below a small burst costs a write per tenth of the burst or so, and loses no event", async () => {
    const simulation = simulate({ limits: { eventsPerSecond: 1_000 }, skews: FIVE });

    await runSpread(simulation, { processes: 5, events: 1, everyMs: 10, seconds: 60 });

    expect(simulation.total()).toBe(5 * 100 * 60);
    expect(simulation.calls.writes).toBeLessThanOrEqual(simulation.total() / 80);
  });

  it("a process that sends an event every ten seconds costs at most one write a minute, and some to begin with", async () => {
    const simulation = simulate({ limits: { eventsPerSecond: 1_000 }, skews: [0] });

    await run(simulation, { processes: 1, events: 1, everyMs: 10_000, seconds: 3_600 });

    expect(simulation.total()).toBe(360);
    expect(simulation.calls.writes).toBeLessThanOrEqual(60 + 5);
  });
});

describe("a tenant whose keys have limits of their own, in virtual time", () => {
  const TENANT = { eventsPerSecond: 200 };
  const evil = { id: "evil", limits: { eventsPerSecond: 1 } };
  const good = { id: "good" };

  it.each([
    { name: "batches of 10", events: 10 },
    { name: "batches of 1,000", events: 1_000 },
  ])("a key that floods far over its own limit takes no more than that from the other keys: $name", async (load) => {
    const simulation = simulate({ limits: TENANT, skews: FIVE });

    for (let now = 0; now < 20 * SECOND; now += 100) {
      simulation.waitUntil(now);
      await simulation.send(FIVE.map((_, process) => ({ process, events: load.events, key: evil })));
      await simulation.send(FIVE.map((_, process) => ({ process, events: 10, key: good })));
    }

    const allowed = 200 * 20 + 200;
    expect(simulation.passedOfKey["evil"]).toBeLessThanOrEqual(21);
    expect(simulation.passedOfKey["good"]).toBeGreaterThanOrEqual(0.9 * allowed - 21);
  });

  it("limits of keys do not bound each other: the sum of ten keys is bounded by their tenant's alone", async () => {
    const keys = Array.from({ length: 10 }, (_, index) => ({ id: `key-${index}`, limits: { eventsPerSecond: 50 } }));
    const simulation = simulate({ limits: TENANT, skews: FIVE });

    for (let now = 0; now < 20 * SECOND; now += 50) {
      simulation.waitUntil(now);
      await simulation.send(keys.map((key, index) => ({ process: (index + now / 50) % 5, events: 20, key })));
    }

    const allowed = 200 * 20 + 200;
    expect(simulation.total()).toBeLessThanOrEqual(allowed);
    expect(simulation.total()).toBeGreaterThanOrEqual(0.9 * allowed);
  });
});

describe("whole requests beside single events at twice the limit, in virtual time", () => {
  it.each([
    { rate: 100, events: 80, processes: 1 },
    { rate: 100, events: 80, processes: 5 },
    { rate: 100, events: 200, processes: 5 },
    { rate: 1_000, events: 800, processes: 1 },
    { rate: 1_000, events: 800, processes: 20 },
  ])(
    "of 60 requests of $events events one in ten passes and more, a limit of $rate holds ($processes processes)",
    async ({ rate, events, processes }) => {
      const simulation = simulate({
        limits: { eventsPerSecond: rate },
        skews: Array.from({ length: processes }, () => 0),
      });
      const { wholes, total, random } = simulation;
      const send = (count: number, isWhole: boolean) =>
        simulation.send([{ process: Math.floor(random() * processes), events: count, isWhole }]);

      for (let tick = 0; tick < 120 * rate; tick++) {
        const now = (tick * SECOND) / (2 * rate);
        simulation.waitUntil(now);
        await send(1, false);
        if (tick % (2 * rate) === 0) await send(events, true);
        expect(total()).toBeLessThanOrEqual((rate * now) / SECOND + rate + events - 1);
      }

      expect(wholes.sent).toBe(60);
      expect(wholes.passed).toBeGreaterThanOrEqual(6);
      const singles = total() - wholes.passed * events;
      expect(singles).toBeGreaterThanOrEqual(total() / 4);
      expect(total()).toBeGreaterThanOrEqual(0.9 * (rate * 61));
    },
  );
});

describe("limits of many processes, where the table takes 1,000 writes a second for one item", () => {
  it.each([50, 100])(
    "a tenant at its limit in %i processes passes no more than it, switches off no other's, and nobody is starved",
    async (count) => {
      let now = 0;
      const { store, calls, throttled } = memoryLeaseStore({ nowMs: () => now });
      let seed = 1;
      const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
      const limiters = Array.from({ length: count }, () =>
        createLimiter({ store, clock: () => new Date(START + Math.floor(now)), random, onFailure: () => undefined }),
      );
      const seconds = 20;
      const tenants = [
        { name: "flood", perSecond: 100, events: 10 },
        { name: "neighbour", perSecond: 50, events: 1 },
      ].map((tenant) => ({
        ...tenant,
        caller: limitedPrincipal({ tenant: { eventsPerSecond: tenant.perSecond } }, { tenant: tenant.name }),
        passed: limiters.map(() => 0),
      }));

      for (now = 0; now < seconds * SECOND; now += 20) {
        // At each moment another process is the first one.
        const first = Math.floor(random() * count);
        await Promise.all(
          limiters.flatMap((_, index) =>
            tenants.map(async ({ caller, events, passed }) => {
              const process = (first + index) % count;
              const { granted = events } = (await limiters[process]?.takeEvents(caller, events)) ?? {};
              passed[process] = (passed[process] ?? 0) + granted;
            }),
          ),
        );
      }

      const perSecond = (passed: number[]) => passed.reduce((sum, each) => sum + each, 0) / seconds;
      console.info(
        count,
        JSON.stringify({ ...calls, throttled: throttled.length }),
        tenants.map((t) => [perSecond(t.passed), Math.min(...t.passed), Math.max(...t.passed)]),
      );
      expect(throttled.length).toBeGreaterThan(0);
      for (const tenant of tenants) {
        // The burst of one second is included.
        expect(perSecond(tenant.passed)).toBeLessThanOrEqual((tenant.perSecond * (seconds + 1)) / seconds);
        expect(perSecond(tenant.passed)).toBeGreaterThanOrEqual(0.9 * tenant.perSecond);
        expect(Math.min(...tenant.passed)).toBeGreaterThan(0);
      }
    },
  );
});

describe("limits under any schedule", () => {
  const rate = fc.integer({ min: 1, max: 3_000 });
  const skew = fc.integer({ min: -1_000, max: 1_000 });

  it.each([{ isWhole: false }, { isWhole: true }])(
    "no schedule of requests passes more than rate × time + burst, and once a whole request, skews of clocks included: %o",
    async ({ isWhole }) => {
      const request = fc.record({
        process: fc.nat(3),
        events: fc.integer({ min: 1, max: 1_000 }),
        isWhole: isWhole ? fc.boolean() : fc.constant(false),
      });
      const schedule = fc.array(
        fc.record({
          wait: fc.oneof(fc.nat(3), fc.nat(500), fc.integer({ min: 0, max: 120_000 })),
          requests: fc.array(request, {
            minLength: 1,
            maxLength: 4,
          }),
        }),
        { minLength: 1, maxLength: 40 },
      );
      await fc.assert(
        fc.asyncProperty(rate, rate, fc.array(skew, { minLength: 4, maxLength: 4 }), schedule, async (...given) => {
          const [eventsPerSecond, burst, skews, moments] = given;
          const simulation = simulate({ limits: { eventsPerSecond, burst }, skews });
          const apart = Math.max(...skews) - Math.min(...skews);
          let now = 0;
          for (const { wait, requests } of moments) {
            now += wait;
            simulation.waitUntil(now);
            await simulation.send(requests);

            const overdrawn = isWhole ? 1_000 - 1 : 0;
            const allowed = (eventsPerSecond * (now - (moments[0]?.wait ?? 0) + apart)) / SECOND + burst + overdrawn;
            expect(simulation.total()).toBeLessThanOrEqual(allowed);
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it("no less than 90 % passes under saturation, where the burst is a tenth of a second or more", async () => {
    const limits = rate.chain((eventsPerSecond) =>
      fc.record({
        eventsPerSecond: fc.constant(eventsPerSecond),
        burst: fc.integer({ min: Math.ceil(eventsPerSecond / 10), max: eventsPerSecond * 4 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        limits,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 20 }),
        async (limits, processes, everyMs) => {
          const simulation = simulate({ limits, skews: Array.from({ length: processes }, () => 0) });
          const { eventsPerSecond, burst } = limits;
          const events = Math.ceil((4 * (eventsPerSecond + burst) * everyMs) / SECOND / processes) + 1;

          await run(simulation, { processes, events, everyMs, seconds: 10 });

          const allowed = eventsPerSecond * 10 + burst;
          expect(simulation.total()).toBeLessThanOrEqual(allowed);
          expect(simulation.total()).toBeGreaterThanOrEqual(0.9 * allowed - 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("no schedule of two keys passes more than the limits of each and of their tenant, what is given back included", async () => {
    const limits = fc.record({ eventsPerSecond: rate, eventsPerDay: fc.integer({ min: 1, max: 20_000 }) });
    const request = fc.record({
      process: fc.nat(3),
      events: fc.integer({ min: 1, max: 1_000 }),
      isFirst: fc.boolean(),
      lost: fc.nat(1_000),
    });
    const schedule = fc.array(
      fc.record({ wait: fc.nat(2_000), requests: fc.array(request, { minLength: 1, maxLength: 4 }) }),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(limits, limits, limits, schedule, async (tenant, first, second, moments) => {
        const { store, records } = memoryLeaseStore();
        let now = 0;
        const limiters = Array.from({ length: 4 }, () =>
          createLimiter({
            store,
            clock: () => new Date(START + now),
            random: () => 0.5,
            onFailure: (error) => {
              throw error;
            },
          }),
        );
        const [ofFirst, ofSecond] = [
          limitedPrincipal({ tenant, key: first }, { keyId: "first" }),
          limitedPrincipal({ tenant, key: second }, { keyId: "second" }),
        ];
        const passed = { first: 0, second: 0 };
        for (const [index, { wait, requests }] of moments.entries()) {
          now += index === 0 ? 0 : wait;
          await Promise.all(
            requests.map(async ({ process, events, isFirst, lost }) => {
              const grant = await limiters[process]?.takeEvents(isFirst ? ofFirst : ofSecond, events);
              const granted = grant?.granted ?? events;
              const back = Math.min(lost, granted);
              await grant?.giveBack(back);
              passed[isFirst ? "first" : "second"] += granted - back;
            }),
          );
          const most = ({ eventsPerSecond, eventsPerDay }: typeof tenant) =>
            Math.min((eventsPerSecond * now) / SECOND + eventsPerSecond, eventsPerDay);
          expect(passed.first).toBeLessThanOrEqual(most(first));
          expect(passed.second).toBeLessThanOrEqual(most(second));
          expect(passed.first + passed.second).toBeLessThanOrEqual(most(tenant));
          const counted = records.get("limit#tenant#acme")?.day?.count ?? 0;
          expect(counted).toBeGreaterThanOrEqual(passed.first + passed.second);
          expect(counted).toBeLessThanOrEqual(tenant.eventsPerDay);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("no schedule passes more than the quota of a day, over midnight included", async () => {
    const moments = fc.array(
      fc.record({ wait: fc.nat(7_200_000), process: fc.nat(2), events: fc.integer({ min: 1, max: 60 }) }),
      { minLength: 1, maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 500 }), moments, async (eventsPerDay, schedule) => {
        const simulation = simulate({ limits: { eventsPerDay }, skews: [0, 0, 0] });
        const byDay = new Map<number, number>();
        let now = 0;
        for (const { wait, process, events } of schedule) {
          now += wait;
          simulation.waitUntil(now);
          const before = simulation.total();
          await simulation.send([{ process, events }]);
          const day = Math.floor((START + now) / 86_400_000);
          byDay.set(day, (byDay.get(day) ?? 0) + simulation.total() - before);
        }

        for (const passed of byDay.values()) expect(passed).toBeLessThanOrEqual(eventsPerDay);
      }),
      { numRuns: 200 },
    );
  });
});
