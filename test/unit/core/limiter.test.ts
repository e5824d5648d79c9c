import { describe, expect, it } from "vitest";
import { AccessError, type Limits } from "../../../functions/core/access.ts";
import type { LeaseStore } from "../../../functions/core/lease-store.ts";
import { createLimiter, type LimiterDeps } from "../../../functions/core/limiter.ts";
import { limitedPrincipal } from "../../support/limited-principal.ts";
import { memoryLeaseStore } from "../../support/memory-lease-store.ts";

const MORNING = Date.parse("2026-11-29T10:00:00Z");
const LAST_MS = Date.parse("2026-11-29T23:59:59.999Z");

/** Processes that share one table; each has a clock of its own. */
function processes(count: number, { at = MORNING, ...deps }: { at?: number } & Partial<LimiterDeps> = {}) {
  const table = memoryLeaseStore();
  const failures: unknown[] = [];
  let now = at;
  const limiters = Array.from({ length: count }, (_, index) => {
    const skew = { ms: 0 };
    const limiter = createLimiter({
      store: table.store,
      clock: () => new Date(now + skew.ms),
      random: () => ((index + 1) * 0.37) % 1,
      onFailure: (error) => failures.push(error),
      ...deps,
    });
    return { ...limiter, skew };
  });
  return {
    ...table,
    failures,
    limiters,
    limiter: limiters[0] as (typeof limiters)[0],
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const tenant = (limits: Limits) => limitedPrincipal({ tenant: limits });

describe("the limiter", () => {
  it("a caller without limits costs no call of the table, and gets no grant", async () => {
    const { limiter, calls } = processes(1);

    expect(await limiter.takeEvents(limitedPrincipal(), 1_000)).toBeUndefined();
    expect(await limiter.takeRequest(limitedPrincipal())).toBeUndefined();
    expect(await limiter.takeRequest(tenant({ eventsPerSecond: 1 }))).toBeUndefined();
    expect(await limiter.takeEvents(tenant({ requestsPerSecond: 1 }), 1)).toBeUndefined();
    expect(calls).toEqual({ reads: 0, writes: 0, refusedWrites: 0 });
  });

  it.each([
    { events: 99, granted: 99 },
    { events: 100, granted: 100 },
    { events: 101, granted: 100 },
  ])("a burst of 100 lets $granted of $events events through", async ({ events, granted }) => {
    const { limiter } = processes(1);

    expect(await limiter.takeEvents(tenant({ eventsPerSecond: 10, burst: 100 }), events)).toMatchObject({ granted });
  });

  it("without a burst as many events come at once as in one second", async () => {
    const { limiter } = processes(1);

    expect(await limiter.takeEvents(tenant({ eventsPerSecond: 40 }), 100)).toMatchObject({ granted: 40 });
  });

  it("the first 60 of 100 events pass where there are tokens for 60, and the others when the answer says", async () => {
    const { limiter, wait } = processes(1);
    const caller = tenant({ eventsPerSecond: 20, burst: 60 });

    const first = await limiter.takeEvents(caller, 100);
    expect(first).toMatchObject({
      granted: 60,
      policies: [{ name: "tenant-events", quota: 20, burst: 60, remaining: 0, resetSeconds: 2, isViolated: true }],
    });
    wait(2_000);
    expect(await limiter.takeEvents(caller, 40)).toMatchObject({ granted: 40 });
  });

  it("a request that is larger than the burst makes progress each time", async () => {
    const { limiter, wait } = processes(1);
    const caller = tenant({ eventsPerSecond: 10 });
    let left = 35;

    for (let round = 1; round <= 4; round++) {
      const grant = await limiter.takeEvents(caller, left);
      left -= grant?.granted ?? 0;
      wait(1_000);
    }

    expect(left).toBe(0);
  });

  it("tokens that were leased once are spent before more are leased", async () => {
    const { limiter, calls } = processes(1);
    const caller = tenant({ eventsPerSecond: 100_000 });

    for (let i = 0; i < 1_000; i++) await limiter.takeEvents(caller, 1);

    // 1, 4, 16, 64, 256, 1,024
    expect(calls).toEqual({ reads: 0, writes: 6, refusedWrites: 0 });
  });

  it("many processes that each send a few events leave the others their share", async () => {
    const { limiters } = processes(50);
    const caller = tenant({ eventsPerSecond: 100 });

    const grants = await Promise.all(limiters.map((limiter) => limiter.takeEvents(caller, 2)));

    expect(grants.every((grant) => grant?.granted === 2)).toBe(true);
  });

  it("several requests of one process at once get what there is, once", async () => {
    const { limiter, calls } = processes(1);
    const caller = tenant({ eventsPerSecond: 100 });

    const grants = await Promise.all(Array.from({ length: 12 }, () => limiter.takeEvents(caller, 10)));

    expect(grants.reduce((sum, grant) => sum + (grant?.granted ?? 0), 0)).toBe(100);
    expect(calls.refusedWrites).toBe(0);
  });

  it("takes from the tenant and from the key, and the smaller limit counts", async () => {
    const { limiter } = processes(1);
    const caller = limitedPrincipal({ tenant: { eventsPerSecond: 100 }, key: { eventsPerSecond: 30 } });
    const sister = limitedPrincipal(
      { tenant: { eventsPerSecond: 100 }, key: { eventsPerSecond: 90 } },
      { keyId: "key-2" },
    );

    const grant = await limiter.takeEvents(caller, 50);

    expect(grant).toMatchObject({
      granted: 30,
      policies: [
        { name: "tenant-events", isViolated: false },
        { name: "key-events", isViolated: true },
      ],
    });
    // The tenant's other 20 were given back.
    expect(await limiter.takeEvents(sister, 90)).toMatchObject({ granted: 70 });
  });

  describe("with limits of a tenant and of its keys", () => {
    const TENANT = "limit#tenant#acme";
    const KEY = "limit#key#evil";
    const callerOf = (limits: Limits) => (keyId: string, key?: Limits) =>
      limitedPrincipal({ tenant: limits, ...(key && { key }) }, { keyId });

    /** A process whose calls are listed by their subject. */
    function listed() {
      const { store, records } = memoryLeaseStore();
      const subjects: string[] = [];
      const [{ limiter, wait }] = [
        processes(1, {
          store: {
            read: (subject, timeoutMs) => (subjects.push(subject), store.read(subject, timeoutMs)),
            change: (subject, to, timeoutMs) => (subjects.push(subject), store.change(subject, to, timeoutMs)),
          },
        }),
      ];
      return { limiter, wait, subjects, records };
    }

    it("a key without limits of its own costs the calls of its tenant alone, and one with limits one more, before it", async () => {
      const caller = callerOf({ eventsPerSecond: 100, requestsPerSecond: 100 });
      const [without, others, own] = [listed(), listed(), listed()];

      for (let i = 0; i < 5; i++) {
        await without.limiter.takeEvents(caller("good"), 1);
        await others.limiter.takeEvents(caller("good", { requestsPerSecond: 1 }), 1);
      }
      await own.limiter.takeEvents(caller("evil", { eventsPerSecond: 5 }), 1);

      expect(without.subjects).toEqual([TENANT, TENANT]);
      expect(others.subjects).toEqual([TENANT, TENANT]);
      expect(own.subjects).toEqual([KEY, TENANT]);
    });

    it("100 requests of a key for one event a day, each to another process, cost the day of its tenant one event", async () => {
      const { limiters } = processes(101);
      const caller = callerOf({ eventsPerDay: 100_000 });
      let [evil, good] = [0, 0];

      for (const limiter of limiters.slice(0, 100)) {
        evil += (await limiter.takeEvents(caller("evil", { eventsPerDay: 1 }), 1_000))?.granted ?? 0;
      }
      // The processes end.
      for (let i = 0; i < 101; i++) good += (await limiters[100]?.takeEvents(caller("good"), 1_000))?.granted ?? 0;

      expect(evil).toBe(1);
      expect(good).toBe(99_999);
    });

    it("requests over the limit of a key cost its tenant none", async () => {
      const { limiters } = processes(11);
      const caller = callerOf({ requestsPerSecond: 10 });
      let [evil, good] = [0, 0];

      for (const limiter of limiters.slice(0, 10)) {
        evil += (await limiter.takeRequest(caller("evil", { requestsPerSecond: 1 })))?.granted ?? 0;
      }
      for (let i = 0; i < 10; i++) good += (await limiters[10]?.takeRequest(caller("good")))?.granted ?? 0;

      expect([evil, good]).toEqual([1, 9]);
    });

    it("the tenant is not asked for a request that the key refuses as a whole", async () => {
      const { limiter, subjects, records } = listed();
      const caller = callerOf({ eventsPerSecond: 100 })("evil", { eventsPerSecond: 30, eventsPerDay: 40 });

      expect(await limiter.takeEvents(caller, 41, { isWhole: true })).toMatchObject({
        granted: 0,
        policies: [
          { name: "tenant-events", remaining: 100, isViolated: false },
          { name: "key-events", isViolated: false },
          { name: "key-day", isViolated: true },
        ],
      });
      expect(subjects).not.toContain(TENANT);
      expect(records.size).toBe(0);
    });

    it.each([{ isWhole: false }, { isWhole: true }])(
      "a key takes nothing of its own where the tenant is known to have nothing, and the tenant is violated: %o",
      async (options) => {
        const { limiter, wait, subjects, records } = listed();
        const caller = callerOf({ eventsPerSecond: 100 });
        await limiter.takeEvents(caller("good"), 100);
        await limiter.takeEvents(caller("good"), 1);
        subjects.length = 0;

        for (let i = 0; i < 10; i++) {
          expect(await limiter.takeEvents(caller("evil", { eventsPerDay: 5_000 }), 60, options)).toMatchObject({
            granted: 0,
            policies: [
              { name: "tenant-events", isViolated: true },
              { name: "key-day", isViolated: false },
            ],
          });
          // Tokens come back, but the process does not ask for them yet.
          wait(2);
        }

        expect(subjects).not.toContain(KEY);
        expect(records.has(KEY)).toBe(false);
      },
    );

    it("the tenant is violated where it has more than this process knew, so that each refusal names a limit", async () => {
      const { limiters } = processes(2);
      const [one, other] = limiters as [(typeof limiters)[0], (typeof limiters)[0]];
      const caller = callerOf({ eventsPerDay: 100 });
      const grant = await other.takeEvents(caller("good"), 100);
      await one.takeEvents(caller("good"), 1);
      await grant?.giveBack(60);
      const keyed = caller("evil", { eventsPerDay: 5_000 });

      const refused = await one.takeEvents(keyed, 10);
      const next = await one.takeEvents(keyed, 10);

      expect(refused).toMatchObject({
        granted: 0,
        policies: [
          { name: "tenant-day", remaining: 0, isViolated: true },
          { name: "key-day", isViolated: false },
        ],
      });
      expect(next).toMatchObject({ granted: 10, policies: [{ isViolated: false }, { isViolated: false }] });
    });

    it("tokens of a key that the tenant then does not grant are the key's again", async () => {
      const { limiters } = processes(2);
      const [one, other] = limiters as [(typeof limiters)[0], (typeof limiters)[0]];
      const caller = callerOf({ eventsPerSecond: 100, burst: 200 });
      const evil = caller("evil", { eventsPerSecond: 80 });
      await other.takeEvents(caller("good"), 180);

      const first = await one.takeEvents(evil, 80);
      const second = await one.takeEvents({ ...evil, tenantLimits: undefined }, 80);

      expect(first).toMatchObject({ granted: 20, policies: [{ isViolated: true }, { isViolated: false }] });
      expect(second).toMatchObject({ granted: 60 });
    });

    it("a tenant's empty day that somebody deleted from the table does not hold its keys back for longer than 10 s", async () => {
      const { limiter, wait, records } = listed();
      const caller = callerOf({ eventsPerDay: 100 });
      await limiter.takeEvents(caller("good"), 100);
      records.clear();

      wait(10_001);

      expect(await limiter.takeEvents(caller("evil", { eventsPerDay: 50 }), 40)).toMatchObject({ granted: 40 });
    });

    it("events that are given back are both the key's and the tenant's again", async () => {
      const { limiter } = processes(1);
      const caller = callerOf({ eventsPerSecond: 100 });
      const evil = caller("evil", { eventsPerSecond: 50 });
      const grant = await limiter.takeEvents(evil, 50);

      await grant?.giveBack(30);

      expect(await limiter.takeEvents({ ...evil, tenantLimits: undefined }, 100)).toMatchObject({ granted: 30 });
      expect(await limiter.takeEvents(caller("good"), 100)).toMatchObject({ granted: 80 });
    });

    it.each(["tenant", "key"])("a request is counted as decided alone where only its %s was", async (alone) => {
      const { limiter, setDown } = processes(1);
      const caller = callerOf({ eventsPerSecond: 100 })("evil", { eventsPerSecond: 100 });
      const { tenantLimits, keyLimits } = caller;
      // The other one has tokens left of a lease.
      for (let i = 0; i < 2; i++) {
        await limiter.takeEvents(
          {
            ...caller,
            ...(alone === "tenant" ? { tenantLimits: undefined, keyLimits } : { tenantLimits, keyLimits: undefined }),
          },
          1,
        );
      }
      setDown(true);

      expect(await limiter.takeEvents(caller, 2)).toMatchObject({ granted: 2, isLocal: true });
    });

    it("the day of a key is not spread over the processes that its tenant refuses", async () => {
      const { limiters, records } = processes(101);
      const caller = callerOf({ eventsPerSecond: 10 });
      await limiters[100]?.takeEvents(caller("good"), 10);
      let passed = 0;

      for (const limiter of limiters.slice(0, 100)) {
        passed += (await limiter.takeEvents(caller("evil", { eventsPerDay: 10_000 }), 1_000))?.granted ?? 0;
      }

      // Each may keep a thousandth.
      expect(passed).toBe(0);
      expect(records.get(KEY)?.day?.count).toBe(100 * 10);
    });

    it("a request that is larger than both bursts passes as a whole, and the next one waits until both are paid", async () => {
      const { limiter } = processes(1);
      const caller = callerOf({ eventsPerSecond: 100 })("evil", { eventsPerSecond: 50 });

      expect(await limiter.takeEvents(caller, 500, { isWhole: true })).toMatchObject({ granted: 500 });
      expect(await limiter.takeEvents(caller, 500, { isWhole: true })).toMatchObject({ granted: 0 });
    });

    it("while the table does not answer, one call is waited for, and both limits hold in the process", async () => {
      const { limiter, setDown, calls, failures } = processes(1);
      setDown(true);
      const caller = callerOf({ eventsPerSecond: 100, eventsPerDay: 90 });

      expect(await limiter.takeEvents(caller("evil", { eventsPerSecond: 30 }), 50)).toMatchObject({
        granted: 30,
        isLocal: true,
      });
      expect(await limiter.takeEvents(caller("good"), 100)).toMatchObject({ granted: 60, isLocal: true });
      expect(calls.reads + calls.writes).toBe(1);
      expect(failures).toHaveLength(1);
    });

    it("the tenant's bucket of an outage does not hold a key back once the table answers", async () => {
      const { limiter, setDown, wait } = processes(1);
      const caller = callerOf({ eventsPerDay: 100 });
      setDown(true);
      await limiter.takeEvents(caller("good"), 100);
      setDown(false);
      wait(1_000);
      await limiter.takeRequest(limitedPrincipal({ tenant: { requestsPerSecond: 1 } }, { tenant: "other" }));

      expect(await limiter.takeEvents(caller("evil", { eventsPerDay: 50 }), 40)).toMatchObject({ granted: 40 });
    });
  });

  it("a tenant at its limit takes nothing from another", async () => {
    const { limiter } = processes(1);
    await limiter.takeEvents(limitedPrincipal({ tenant: { eventsPerSecond: 10 } }, { tenant: "flood" }), 1_000);

    const other = limitedPrincipal({ tenant: { eventsPerSecond: 10 } }, { tenant: "quiet" });

    expect(await limiter.takeEvents(other, 10)).toMatchObject({ granted: 10 });
  });

  it("only the limit that has too little is violated", async () => {
    const { limiter } = processes(1);
    const caller = tenant({ eventsPerSecond: 10, eventsPerDay: 1_000 });

    expect(await limiter.takeEvents(caller, 25)).toMatchObject({
      granted: 10,
      policies: [
        { name: "tenant-events", remaining: 0, resetSeconds: 1, isViolated: true },
        { name: "tenant-day", remaining: 990, resetSeconds: 14 * 3_600, isViolated: false },
      ],
    });
  });

  it("tokens that are given back can be spent again", async () => {
    const { limiter } = processes(1);
    const caller = tenant({ eventsPerSecond: 10, eventsPerDay: 10 });

    const grant = await limiter.takeEvents(caller, 10);
    await grant?.giveBack(4);

    expect(await limiter.takeEvents(caller, 10)).toMatchObject({ granted: 4 });
  });

  it("tokens of a lease that is older than a minute are dropped, so that they make no burst later", async () => {
    const { limiters, wait } = processes(2);
    const caller = tenant({ eventsPerSecond: 1_000 });
    const [idle, busy] = limiters;
    for (let i = 0; i < 100; i++) await idle?.takeEvents(caller, 1);

    wait(60_001);
    const [held, shared] = [await idle?.takeEvents(caller, 1_000), await busy?.takeEvents(caller, 1_000)];

    expect((held?.granted ?? 0) + (shared?.granted ?? 0)).toBe(1_000);
  });

  describe("requests", () => {
    it.each([
      { requests: 9, passed: 9 },
      { requests: 10, passed: 10 },
      { requests: 11, passed: 10 },
    ])("of $requests requests at once under a limit of 10 a second $passed pass", async ({ requests, passed }) => {
      const { limiters } = processes(5);
      const caller = tenant({ requestsPerSecond: 10 });
      let granted = 0;

      for (let i = 0; i < requests; i++) granted += (await limiters[i % 5]?.takeRequest(caller))?.granted ?? 0;

      expect(granted).toBe(passed);
    });

    it("under load queries are refused first: they leave a fifth of the requests to ingest", async () => {
      const table = memoryLeaseStore();
      const deps = {
        store: table.store,
        clock: () => new Date(MORNING),
        random: () => 0.5,
        onFailure: () => undefined,
      };
      const [query, ingest] = [createLimiter({ ...deps, reserve: 0.2 }), createLimiter(deps)];
      const caller = tenant({ requestsPerSecond: 10 });
      const passed = async (limiter: typeof query) => {
        let count = 0;
        for (let i = 0; i < 20; i++) count += (await limiter.takeRequest(caller))?.granted ?? 0;
        return count;
      };

      expect(await passed(query)).toBe(8);
      expect(await passed(ingest)).toBe(2);
    });
  });

  describe("events a day", () => {
    it.each([
      { events: 9, granted: 9 },
      { events: 10, granted: 10 },
      { events: 11, granted: 10 },
    ])("of $events events under a quota of 10 a day $granted pass", async ({ events, granted }) => {
      const { limiters } = processes(3);
      const caller = tenant({ eventsPerDay: 10 });
      let passed = 0;

      for (let i = 0; i < events; i++) passed += (await limiters[i % 3]?.takeEvents(caller, 1))?.granted ?? 0;

      expect(passed).toBe(granted);
    });

    it("a new day begins at midnight UTC, and tokens of the old one are no good", async () => {
      const { limiter, wait } = processes(1, { at: LAST_MS });
      const caller = tenant({ eventsPerDay: 100_000 });
      for (let i = 0; i < 30; i++) await limiter.takeEvents(caller, 1);

      const before = await limiter.takeEvents(caller, 100_000);
      const over = await limiter.takeEvents(caller, 1);
      wait(1);
      const after = await limiter.takeEvents(caller, 100_001);

      expect(before).toMatchObject({ granted: 99_970 });
      expect(over).toMatchObject({
        granted: 0,
        policies: [{ name: "tenant-day", quota: 100_000, windowSeconds: 86_400, remaining: 0, resetSeconds: 1 }],
      });
      expect(after).toMatchObject({ granted: 100_000 });
    });

    it("tokens that were leased and not spent before midnight are no good after it", async () => {
      const { limiter, wait } = processes(1, { at: LAST_MS });
      const caller = tenant({ eventsPerDay: 100_000 });
      for (let i = 0; i < 30; i++) await limiter.takeEvents(caller, 1);

      wait(1);

      expect(await limiter.takeEvents(caller, 100_000)).toMatchObject({ granted: 100_000 });
      expect(await limiter.takeEvents(caller, 1)).toMatchObject({ granted: 0 });
    });

    it("tokens that are given back after midnight are not those of the new day", async () => {
      const { limiter, wait } = processes(1, { at: LAST_MS });
      const caller = tenant({ eventsPerDay: 10 });
      const grant = await limiter.takeEvents(caller, 10);
      wait(1);
      await limiter.takeEvents(caller, 4);

      await grant?.giveBack(10);

      expect(await limiter.takeEvents(caller, 10)).toMatchObject({ granted: 6 });
    });

    it("leased events of a day stay good for the whole day, so that slow use loses none of the quota", async () => {
      const { limiter, wait } = processes(1, { at: Date.parse("2026-11-29T00:00:00Z") });
      const caller = tenant({ eventsPerSecond: 1_000, eventsPerDay: 1_000 });
      let passed = 0;
      for (let i = 0; i < 100; i++) passed += (await limiter.takeEvents(caller, 1))?.granted ?? 0;

      for (let hour = 1; hour < 24; hour++) {
        wait(3_600_000 - 1);
        for (let i = 0; i < 50; i++) passed += (await limiter.takeEvents(caller, 1))?.granted ?? 0;
      }

      expect(passed).toBe(1_000);
    });

    it.each([
      { quota: 100_000, kept: 100, batches: 9 },
      { quota: 999, kept: 0, batches: 0 },
    ])(
      "a process that ends loses at most $kept events of a quota of $quota a day",
      async ({ quota, kept, batches }) => {
        const { limiters, records } = processes(100);
        const caller = tenant({ eventsPerDay: quota });
        let passed = 0;

        for (const limiter of limiters) {
          for (let i = 0; i < 9; i++) passed += (await limiter.takeEvents(caller, 1))?.granted ?? 0;
          for (let i = 0; i < batches; i++) passed += (await limiter.takeEvents(caller, 90))?.granted ?? 0;
        }

        const lost = (records.get("limit#tenant#acme")?.day?.count ?? 0) - passed;
        expect(lost).toBeLessThanOrEqual(100 * kept);
        expect(lost).toBeGreaterThanOrEqual(100 * kept * 0.3);
      },
    );

    it("a lease takes at most an eighth of what is left of the day beyond its request", async () => {
      const { limiter, records } = processes(1);
      const caller = tenant({ eventsPerDay: 1_000_000 });
      await limiter.takeEvents(caller, 999_000);

      await limiter.takeEvents(caller, 1);
      await limiter.takeEvents(caller, 200);

      expect(records.get("limit#tenant#acme")?.day?.count).toBe(999_000 + 125 + 109);
    });

    it("events that are given back are those of all processes again, except a thousandth of the quota", async () => {
      const { limiters } = processes(2);
      const [one, other] = limiters as [(typeof limiters)[0], (typeof limiters)[0]];
      const caller = tenant({ eventsPerSecond: 5_000, eventsPerDay: 1_000 });
      const grant = await one.takeEvents(caller, 1_000);

      await grant?.giveBack(600);

      expect(await other.takeEvents(caller, 1_000)).toMatchObject({ granted: 599 });
      expect(await one.takeEvents(caller, 1_000)).toMatchObject({ granted: 1 });
    });

    it("a process keeps at most 2,000 of the events that it gives back", async () => {
      const { limiter, records } = processes(1);
      const grant = await limiter.takeEvents(tenant({ eventsPerDay: 50_000_000 }), 3_000);

      await grant?.giveBack(3_000);

      expect(records.get("limit#tenant#acme")?.day?.count).toBe(2_000);
    });

    it("events that are given back by a call without an answer are lost, then the process keeps them, and nothing is thrown", async () => {
      const { limiter, setDown, wait, failures, calls } = processes(1);
      const caller = tenant({ eventsPerDay: 1_000 });
      const grant = await limiter.takeEvents(caller, 600);
      setDown(true);

      await grant?.giveBack(300);
      await grant?.giveBack(300);
      await grant?.giveBack(0);

      // After the failure nobody asks for a second.
      expect(failures).toHaveLength(1);
      expect(calls.writes).toBe(2);
      setDown(false);
      wait(1_000);
      expect(await limiter.takeEvents(caller, 1_000)).toMatchObject({ granted: 701 });
    });

    it("events that a process gave itself while the table did not answer are not given back to the table", async () => {
      const { limiter, setDown, wait, records } = processes(1);
      const caller = tenant({ eventsPerDay: 1_000 });
      await limiter.takeEvents(caller, 100);
      setDown(true);
      const grant = await limiter.takeEvents(caller, 500);
      setDown(false);
      wait(1_000);

      await grant?.giveBack(500);

      expect(records.get("limit#tenant#acme")?.day?.count).toBe(100);
      const next = await limiter.takeEvents(caller, 7);
      await next?.giveBack(7);
      expect(records.get("limit#tenant#acme")?.day?.count).toBe(100 - 7);
    });

    it("a process whose clock is a second behind counts towards the day that another has begun", async () => {
      const { limiters, wait } = processes(2, { at: LAST_MS });
      const [ahead, behind] = limiters as [(typeof limiters)[0], (typeof limiters)[0]];
      behind.skew.ms = -1_000;
      wait(1);
      const caller = tenant({ eventsPerDay: 100 });
      await ahead.takeEvents(caller, 60);

      expect(await behind.takeEvents(caller, 60)).toMatchObject({ granted: 40 });
      wait(2_000);
      expect(await ahead.takeEvents(caller, 1)).toMatchObject({ granted: 0 });
    });
  });

  describe("with ?status=whole", () => {
    it("a request gets tokens for all its events or for none", async () => {
      const { limiter, wait } = processes(1);
      const caller = tenant({ eventsPerSecond: 100 });
      await limiter.takeEvents(caller, 100);

      const refused = await limiter.takeEvents(caller, 60, { isWhole: true });
      wait(1_000);

      expect(refused).toMatchObject({ granted: 0, policies: [{ remaining: 0, resetSeconds: 1, isViolated: true }] });
      expect(await limiter.takeEvents(caller, 60, { isWhole: true })).toMatchObject({ granted: 60 });
    });

    it.each([
      { taken: 99, events: 60, granted: 60 },
      { taken: 100, events: 60, granted: 0 },
      { taken: 99, events: 500, granted: 500 },
      { taken: 100, events: 500, granted: 0 },
      { taken: 100, events: 1, granted: 0 },
    ])(
      "of $events events $granted pass where $taken of 100 tokens are taken: one token is enough for all",
      async ({ taken, events, granted }) => {
        const { limiters } = processes(2);
        const caller = tenant({ eventsPerSecond: 100 });
        await limiters[0]?.takeEvents(caller, taken);

        expect(await limiters[1]?.takeEvents(caller, events, { isWhole: true })).toMatchObject({ granted });
      },
    );

    it("a request costs no write where the bucket is known to be empty", async () => {
      const { limiter, wait, calls } = processes(1);
      const caller = tenant({ eventsPerSecond: 1, burst: 100 });
      await limiter.takeEvents(caller, 100);
      const { writes } = calls;

      for (let i = 0; i < 4; i++) {
        wait(200);
        expect(await limiter.takeEvents(caller, 60, { isWhole: true })).toMatchObject({ granted: 0 });
      }

      expect(calls.writes).toBe(writes);
    });

    it("the tokens that a request overdraws are paid for before another event passes", async () => {
      const { limiters, wait } = processes(2);
      const [one, other] = limiters as [(typeof limiters)[0], (typeof limiters)[0]];
      const caller = tenant({ eventsPerSecond: 100 });
      await one.takeEvents(caller, 99);
      expect(await other.takeEvents(caller, 301, { isWhole: true })).toMatchObject({ granted: 301 });

      for (const ms of [1_000, 1_000, 1_000]) {
        expect(await other.takeEvents(caller, 1, { isWhole: true })).toMatchObject({ granted: 0 });
        wait(ms);
      }
      expect(await one.takeEvents(caller, 1)).toMatchObject({ granted: 0, policies: [{ resetSeconds: 1 }] });
      wait(10);
      expect(await other.takeEvents(caller, 1)).toMatchObject({ granted: 1 });
    });

    it("Retry-After of a refused request is the time until its bucket has a token, not until it has all", async () => {
      const { limiter } = processes(1);
      const caller = tenant({ eventsPerSecond: 10, burst: 100 });
      await limiter.takeEvents(caller, 100);

      expect(await limiter.takeEvents(caller, 80, { isWhole: true })).toMatchObject({
        granted: 0,
        policies: [{ resetSeconds: 1, isViolated: true }],
      });
    });

    it("a request that does not pass leaves the tokens to others, also those that its process holds", async () => {
      const { limiters, records } = processes(2);
      const [one, other] = limiters;
      const caller = tenant({ eventsPerSecond: 100, eventsPerDay: 5_000 });
      for (let i = 0; i < 3; i++) await one?.takeEvents(caller, 1);
      const before = records.get("limit#tenant#acme");

      const refused = await one?.takeEvents(caller, 4_998, { isWhole: true });

      expect(refused).toMatchObject({ granted: 0, policies: [{ isViolated: false }, { isViolated: true }] });
      expect(records.get("limit#tenant#acme")).toEqual(before);
      expect(await other?.takeEvents(caller, 100)).toMatchObject({ granted: 95 });
      expect(await one?.takeEvents(caller, 100)).toMatchObject({ granted: 2 });
    });

    it("requests that are larger than the burst pass as fast as the limit says", async () => {
      const { limiter, wait } = processes(1);
      const caller = tenant({ eventsPerSecond: 100 });
      let passed = 0;

      for (let tenths = 0; tenths < 1_000; tenths++) {
        passed += (await limiter.takeEvents(caller, 500, { isWhole: true }))?.granted ?? 0;
        wait(100);
      }

      expect(passed).toBeGreaterThanOrEqual(100 * 100 * 0.9);
      expect(passed).toBeLessThanOrEqual(100 * 100 + 100 + 499);
    });

    it("a request that is larger than the quota of a day does not pass", async () => {
      const { limiter } = processes(1);

      expect(await limiter.takeEvents(tenant({ eventsPerDay: 10 }), 11, { isWhole: true })).toMatchObject({
        granted: 0,
      });
    });
  });

  describe("changed limits", () => {
    it("a limit that was lowered holds at once: leased tokens of the higher one are dropped", async () => {
      const { limiter } = processes(1);
      for (let i = 0; i < 2_000; i++) await limiter.takeEvents(tenant({ eventsPerSecond: 100_000 }), 1);

      const grant = await limiter.takeEvents(tenant({ eventsPerSecond: 10 }), 1_000);

      expect(grant?.granted).toBeLessThanOrEqual(10);
    });

    it("a limit that was raised helps at once, even where the old one had a long burst", async () => {
      const { limiter, wait } = processes(1);
      await limiter.takeEvents(tenant({ eventsPerSecond: 10, burst: 600 }), 600);
      const raised = tenant({ eventsPerSecond: 1_000 });
      await limiter.takeEvents(raised, 1);

      wait(1_000);

      expect((await limiter.takeEvents(raised, 1_000))?.granted).toBeGreaterThanOrEqual(900);
    });

    it("processes that know different limits for some seconds stay below the higher one", async () => {
      const { limiters, wait } = processes(2);
      const [old, changed] = limiters as [(typeof limiters)[0], (typeof limiters)[0]];
      let passed = 0;

      for (let tenths = 0; tenths < 100; tenths++) {
        passed += (await old.takeEvents(tenant({ eventsPerSecond: 100, burst: 50 }), 100))?.granted ?? 0;
        passed += (await changed.takeEvents(tenant({ eventsPerSecond: 200, burst: 400 }), 100))?.granted ?? 0;
        wait(100);
      }

      expect(passed).toBeLessThanOrEqual(200 * 10 + 400);
      expect(passed).toBeGreaterThan(50);
    });

    it("a quota of the day that was raised lets more through, and what was counted stays counted", async () => {
      const { limiter } = processes(1);
      await limiter.takeEvents(tenant({ eventsPerDay: 10 }), 10);

      expect(await limiter.takeEvents(tenant({ eventsPerDay: 15 }), 10)).toMatchObject({ granted: 5 });
    });
  });

  describe("while the table does not answer", () => {
    it("each process has a bucket of its own with the same limit, and says so", async () => {
      const { limiters, setDown, failures } = processes(2);
      setDown(true);
      const caller = tenant({ eventsPerSecond: 100, requestsPerSecond: 5, eventsPerDay: 120 });

      for (const limiter of limiters) {
        expect(await limiter.takeEvents(caller, 150)).toMatchObject({ granted: 100, isLocal: true });
        expect(await limiter.takeEvents(caller, 1)).toMatchObject({ granted: 0, isLocal: true });
        expect(await limiter.takeRequest(caller)).toMatchObject({ granted: 1, isLocal: true });
      }
      expect(failures).toHaveLength(2);
    });

    it("only one request a second asks the table, and no other waits for it", async () => {
      const { limiter, setDown, calls, wait } = processes(1);
      setDown(true);
      const caller = (name: string) => limitedPrincipal({ tenant: { eventsPerSecond: 1 } }, { tenant: name });

      for (let i = 0; i < 10; i++) await limiter.takeEvents(caller(`t-${i}`), 1);
      expect(calls.writes + calls.reads).toBe(1);
      wait(999);
      await limiter.takeEvents(caller("a"), 1);
      expect(calls.writes + calls.reads).toBe(1);
      wait(1);
      await Promise.all(["b", "c", "d"].map((name) => limiter.takeEvents(caller(name), 1)));
      expect(calls.writes + calls.reads).toBe(2);
    });

    it("the table decides again once it answers", async () => {
      const { limiter, setDown, wait, records } = processes(1);
      const caller = tenant({ eventsPerSecond: 10, eventsPerDay: 100 });
      setDown(true);
      await limiter.takeEvents(caller, 10);
      setDown(false);
      wait(1_000);

      const [asked, next] = [await limiter.takeEvents(caller, 4), await limiter.takeEvents(caller, 10)];

      expect([asked, next]).toMatchObject([
        { granted: 4, isLocal: false, policies: [{ remaining: 6 }, { remaining: 96 }] },
        { granted: 6, isLocal: false },
      ]);
      expect(records.size).toBe(1);
    });

    it("a process begins with what it last saw of the shared bucket", async () => {
      const { limiter, setDown } = processes(1);
      const caller = tenant({ eventsPerSecond: 10, eventsPerDay: 15 });
      await limiter.takeEvents(caller, 7);
      setDown(true);

      expect(await limiter.takeEvents(caller, 10)).toMatchObject({ granted: 3, isLocal: true });
    });

    it("a clock that is set back does not keep a process from asking", async () => {
      const { limiter, setDown, wait } = processes(1);
      const caller = tenant({ eventsPerSecond: 10 });
      setDown(true);
      await limiter.takeEvents(caller, 1);
      setDown(false);

      wait(-3_600_000);

      expect(await limiter.takeEvents(caller, 10)).toMatchObject({ isLocal: false });
    });
  });

  describe("while the table throttles the calls for a subject", () => {
    const quiet = limitedPrincipal({ tenant: { eventsPerSecond: 10 } }, { tenant: "quiet" });

    it("no limit is decided in the process alone: the tokens that it holds are spent, and the others are refused", async () => {
      const { limiter, setThrottled, failures } = processes(1);
      const caller = tenant({ eventsPerSecond: 1_000 });
      // Leases 1 and 4 tokens, and 3 of them are left.
      for (let i = 0; i < 2; i++) await limiter.takeEvents(caller, 1);
      setThrottled(true);

      expect(await limiter.takeEvents(caller, 10)).toMatchObject({
        granted: 3,
        isLocal: false,
        policies: [{ isViolated: true, resetSeconds: 1 }],
      });
      expect(await limiter.takeEvents(caller, 10)).toMatchObject({ granted: 0, isLocal: false });
      expect(failures).toEqual([]);
    });

    it("other subjects are asked for as always, and so is the subject's other bucket", async () => {
      const { limiter, setThrottled, throttled, calls } = processes(1);
      const caller = tenant({ eventsPerSecond: 10, requestsPerSecond: 10 });
      setThrottled(true);
      await limiter.takeEvents(caller, 10);
      setThrottled(false);

      expect(await limiter.takeEvents(caller, 10)).toMatchObject({ granted: 0 });
      expect(await limiter.takeEvents(quiet, 20)).toMatchObject({ granted: 10, isLocal: false });
      expect(await limiter.takeRequest(caller)).toMatchObject({ granted: 1, isLocal: false });
      expect(throttled).toEqual(["limit#tenant#acme"]);
      expect(calls.writes).toBe(3);
    });

    it.each([
      { random: 0, pauses: [250, 500, 1_000, 2_000, 2_000, 2_000] },
      { random: 0.5, pauses: [500, 1_000, 2_000, 4_000, 4_000, 4_000] },
      { random: 0.998, pauses: [749, 1_498, 2_996, 5_992, 5_992, 5_992] },
    ])(
      "the next call comes after a pause that grows to 4 s, half as long or longer at random (at $random)",
      async ({ random, pauses }) => {
        const { limiter, setThrottled, throttled, wait } = processes(1, { random: () => random });
        const caller = tenant({ eventsPerSecond: 10 });
        const asks = async () => {
          const before = throttled.length;
          await limiter.takeEvents(caller, 1);
          return throttled.length > before;
        };
        setThrottled(true);
        expect(await asks()).toBe(true);

        for (const pause of pauses) {
          wait(pause - 1);
          expect(await asks()).toBe(false);
          wait(1);
          expect(await asks()).toBe(true);
        }
      },
    );

    it("an answer ends it, and the next pause is a short one again", async () => {
      const { limiter, setThrottled, throttled, wait } = processes(1, { random: () => 0.5 });
      const caller = tenant({ eventsPerSecond: 10_000 });
      setThrottled(true);
      for (const pause of [500, 1_000, 2_000]) {
        await limiter.takeEvents(caller, 1);
        wait(pause);
      }
      setThrottled(false);
      expect(await limiter.takeEvents(caller, 1)).toMatchObject({ granted: 1 });
      setThrottled(true);
      await limiter.takeEvents(caller, 100);
      setThrottled(false);

      wait(500);

      expect(await limiter.takeEvents(caller, 100)).toMatchObject({ granted: 100 });
      expect(throttled).toHaveLength(4);
    });

    it("a pause grows although reads are answered, where the writes after them are throttled", async () => {
      const { store, calls } = memoryLeaseStore();
      const writes: number[] = [];
      let [at, isThrottled] = [0, false];
      const change: LeaseStore["change"] = async (...call) => {
        if (!isThrottled) return store.change(...call);
        writes.push(at);
        throw new AccessError("too many writes", { isThrottled });
      };
      const { limiter, wait } = processes(1, { random: () => 0.5, store: { read: store.read, change } });
      const caller = tenant({ eventsPerSecond: 1_000, burst: 10_000 });
      const add = { kind: "add", by: 1, span: 10_000_000, atLeast: 0, atMost: Number.MAX_SAFE_INTEGER } as const;
      const takeByOther = () => store.change("limit#tenant#acme", { buckets: { events: add }, expires: 0 }, 300);
      // The second lease finds that another process took tokens, so from now on a read comes before each write.
      await limiter.takeEvents(caller, 5_000);
      await takeByOther();
      await limiter.takeEvents(caller, 5_000);
      isThrottled = true;

      for (; at < 5_000; at += 100) {
        await takeByOther();
        wait(100);
        await limiter.takeEvents(caller, 50);
      }

      expect(calls.reads).toBeGreaterThanOrEqual(3);
      expect(writes).toEqual([0, 500, 1_500, 3_500]);
    });

    it("the failure is reported once the pause is as long as it gets, and not for each call", async () => {
      const { limiter, setThrottled, throttled, failures, wait } = processes(1);
      setThrottled(true);
      for (let i = 1; i <= 20; i++) {
        await limiter.takeEvents(tenant({ eventsPerSecond: 10 }), 1);
        expect(failures).toHaveLength(i < 4 ? 0 : 1);
        wait(6_000);
      }

      expect(throttled).toHaveLength(20);
    });

    it("a process whose table answers again after an outage, and throttles, decides no more alone", async () => {
      const { limiter, setDown, setThrottled, wait } = processes(1);
      setDown(true);
      await limiter.takeEvents(quiet, 1);
      setDown(false);
      setThrottled(true);
      wait(1_000);

      expect(await limiter.takeEvents(tenant({ eventsPerSecond: 10 }), 1)).toMatchObject({
        granted: 0,
        isLocal: false,
      });
      expect(await limiter.takeEvents(quiet, 10)).toMatchObject({ isLocal: false });
    });

    it("a clock that is set back does not keep a process from asking", async () => {
      const { limiter, setThrottled, wait } = processes(1);
      setThrottled(true);
      await limiter.takeEvents(quiet, 1);
      setThrottled(false);

      wait(-100);

      expect(await limiter.takeEvents(quiet, 1)).toMatchObject({ granted: 1 });
    });

    it("events of a day that are given back stay in the process, because the call has not counted", async () => {
      const { limiter, setThrottled, throttled, wait } = processes(1);
      const caller = tenant({ eventsPerDay: 1_000 });
      const grant = await limiter.takeEvents(caller, 600);
      setThrottled(true);

      await grant?.giveBack(300);
      await grant?.giveBack(300);

      expect(throttled).toHaveLength(1);
      expect(await limiter.takeEvents(caller, 600)).toMatchObject({ granted: 600 });
      setThrottled(false);
      wait(1_000);
      expect(await limiter.takeEvents(caller, 1_000)).toMatchObject({ granted: 400 });
    });
  });

  it("a call that hangs is waited for by one request, and for no longer than the time-out it is given", async () => {
    const timeouts: number[] = [];
    const release: (() => void)[] = [];
    const hanging: LeaseStore = {
      read: () => Promise.reject(new Error("is not called")),
      change: (_subject, _change, timeoutMs) => {
        timeouts.push(timeoutMs);
        return new Promise((_resolve, reject) => release.push(() => reject(new Error("took too long"))));
      },
    };
    const { limiter } = processes(1, { store: hanging });
    const caller = tenant({ eventsPerSecond: 10 });

    const both = [limiter.takeEvents(caller, 5), limiter.takeEvents(caller, 5)];
    release[0]?.();

    expect(await Promise.all(both)).toMatchObject([{ granted: 5 }, { granted: 5 }]);
    expect(timeouts).toEqual([300]);
  });

  it("a tenant at its limit costs some calls a second, however many requests it sends", async () => {
    const { limiter, calls, wait } = processes(1);
    const caller = tenant({ eventsPerSecond: 100 });

    for (let ms = 0; ms < 10_000; ms++) {
      await limiter.takeEvents(caller, 10);
      wait(1);
    }

    expect(calls.reads + calls.writes).toBeLessThan(10 * 30);
  });

  it("an empty bucket is looked at again after ten seconds, in case somebody has deleted its item", async () => {
    const { limiter, records, wait } = processes(1);
    const caller = tenant({ eventsPerDay: 10 });
    await limiter.takeEvents(caller, 10);
    await limiter.takeEvents(caller, 1);
    records.clear();

    wait(10_000);
    expect(await limiter.takeEvents(caller, 1)).toMatchObject({ granted: 0 });
    wait(1);
    expect(await limiter.takeEvents(caller, 1)).toMatchObject({ granted: 1 });
  });

  it("a process forgets the subjects that were not used for longest, and no others", async () => {
    const { limiter, calls } = processes(1, { maxSubjects: 3 });
    const use = (name: string) =>
      limiter.takeEvents(limitedPrincipal({ tenant: { eventsPerSecond: 1_000 } }, { tenant: name }), 1);
    const costs = async (name: string) => {
      const before = calls.writes;
      await use(name);
      return calls.writes - before;
    };
    for (const name of ["a", "b", "c"]) for (let i = 0; i < 3; i++) await use(name);
    await use("a");

    await use("d");

    expect(await costs("a")).toBe(0);
    expect(await costs("b")).toBeGreaterThan(0);
  });
});
