import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { eventually } from "../support/eventually.ts";
import { get } from "../support/http.ts";
import { daysAgo } from "../support/retention.ts";
import { refusals, startArrivals } from "./support/arrivals.ts";
import { faultCase, sized } from "./support/fault-case.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";
import { retainedDays } from "./support/retained-days.ts";
import { seconds } from "./support/reliability-page.ts";

/** As deployed, with an archive. */
let stack: FaultStack;
let days: Awaited<ReturnType<typeof retainedDays>>;
beforeAll(async () => {
  stack = await startFaultStack({ archives: true });
  days = await retainedDays(() => stack);
});
afterAll(() => stack?.remove());

const RATE = { requestsPerSecond: 10, perRequest: 10 };

/** A minute is longer than any statement of the Data API may take, so a detachment is cut off and completed meanwhile. */
const HELD_MS = () => sized(60_000, 600_000);

/** Far less than a wait for the reader or the archive would be, and enough on a machine that is busy with other things. */
const AT_ONCE_MS = 10_000;

describe("a reader that keeps its snapshot", () => {
  faultCase(
    "F48",
    "a snapshot is held open while tables are made, detached and dropped under load",
    () => stack,
    async (scenario) => {
      await days.fill(9, 500);
      const reader = await connect();
      const watcher = await connect();
      await reader.query("begin isolation level repeatable read");
      // It holds its locks on every table of events until it ends.
      await reader.query("select count(*) from events");
      const over = new AbortController();
      const watching = watch(watcher, over.signal);
      const lists = readLists(over.signal);
      const arrivals = startArrivals(scenario, RATE);

      const until = Date.now() + HELD_MS();
      await days.run();
      let made = 0;
      for (let ahead = 20; Date.now() < until; ahead++) {
        for (const retention of [7, 90]) made += (await makeDay(retention, daysAgo(-ahead))) ? 1 : 0;
        await delay(5_000);
      }
      const left = await days.stored(9);
      const whileHeld = await days.stateOf(9);
      await reader.query("commit");
      await scenario.heal();
      over.abort();
      const { hard, waiting } = await watching;
      const slowest = await lists;
      await arrivals.stop();
      const { keys } = await days.goOn(9);

      expect(refusals(arrivals.answers)).toEqual([]);
      expect(whileHeld?.state).not.toBe("dropped");
      expect(keys).toBe(0);
      expect(await countedOf(daysAgo(9))).toBe(500);
      // Those of the other class in any case.
      expect(made).toBeGreaterThanOrEqual(HELD_MS() / 10_000);
      // Nobody asks for a lock that readers and writers wait for, and none of them waits.
      expect(hard).toEqual([]);
      expect(waiting).toEqual([]);
      const lag = await slowestOf(scenario.source);
      expect(lag).toBeLessThan(AT_ONCE_MS);
      expect(slowest).toBeLessThan(AT_ONCE_MS);
      scenario.note(
        `held for ${HELD_MS() / 1_000} s, ${made} tables made; an event was stored ${seconds(lag)} after its receipt at most, a list took ${seconds(slowest)} at most` +
          `, ${left.length} events of the day were still listed`,
      );

      await Promise.all([reader.end(), watcher.end()]);
    },
  );
});

describe("an archive that is down", () => {
  for (const [mode, words, age] of [
    ["refuse", "closes every connection", 12],
    ["hang", "takes calls and never answers", 13],
  ] as const) {
    faultCase(
      "F49",
      `the archive ${words}`,
      () => stack,
      async (scenario) => {
        const events = await days.fill(age, 500);
        stack.files.set(mode);
        const arrivals = startArrivals(scenario, RATE);
        await days.run();
        const waiting = await eventually(
          () => days.stateOf(age),
          (day) => day?.fault != null,
          120_000,
        );
        await delay(sized(1_000, 60_000));
        const whileDown = await days.stored(age);
        await scenario.heal();
        await arrivals.stop();
        const { keys } = await days.goOn(age);

        expect(refusals(arrivals.answers)).toEqual([]);
        expect(waiting).toMatchObject({
          state: "due",
          fault: expect.stringMatching(/^archive: S3 did not answer a call/),
        });
        expect(whileDown).toEqual(events);
        expect(await slowestOf(scenario.source)).toBeLessThan(AT_ONCE_MS);
        expect(keys).toBe(0);
        expect(await countedOf(daysAgo(age))).toBe(500);
        expect(await days.archived(age)).toEqual(events);
      },
    );
  }
});

/** Makes the table of a day; false where it gave up, because a detachment of the same class waits for the reader. */
async function makeDay(retention: number, day: string): Promise<boolean> {
  try {
    await stack.ask("select make_event_day($1, $2::date)", [retention, day]);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "55P03") return false;
    throw error;
  }
}

async function connect(): Promise<Client> {
  const client = new Client(stack.addresses.databaseUrl);
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Locks that stop readers or writers of events, held or waited for; and readers and writers that wait for one. */
async function watch(client: Client, signal: AbortSignal): Promise<{ hard: string[]; waiting: string[] }> {
  const seen = { hard: new Set<string>(), waiting: new Set<string>() };
  while (!signal.aborted) {
    const locks = await client.query<{ kind: "hard" | "waiting"; what: string }>(LOCKS);
    for (const { kind, what } of locks.rows) seen[kind].add(what);
    await delay(20);
  }
  return { hard: [...seen.hard], waiting: [...seen.waiting] };
}

const LOCKS = `
  select 'hard' as kind, relation::regclass::text as what from pg_locks
  where locktype = 'relation' and mode = 'AccessExclusiveLock'
    and database = (select oid from pg_database where datname = current_database())
    and relation in (
      select oid from pg_class where relname ~ '^(events|event_fields)(_(7d|30d|90d|400d|keep|held))?$' or relname ~ '^event_keys'
    )
  union all
  select 'waiting', l.relation::regclass::text || ' by ' || a.usename
  from pg_locks as l join pg_stat_activity as a using (pid)
  where not l.granted and l.locktype = 'relation' and a.usename ~ '^sluice_(writer|reader)_'`;

/** The events of a day by its rollups, which outlive them. */
async function countedOf(day: string): Promise<number> {
  const [row] = await stack.ask<{ events: number }>(
    `select sum(events)::int as events from (
       select minute, pointer, events from delta_parts
       union all
       select minute, pointer, events from rollups where span = 'minute'
     ) as each
     where pointer = '' and cast(minute at time zone 'UTC' as date) = $1::date`,
    [day],
  );
  return row?.events ?? Number.NaN;
}

/** Reads lists all the time; returns the time of the slowest, ms. */
async function readLists(signal: AbortSignal): Promise<number> {
  let slowest = 0;
  while (!signal.aborted) {
    const started = performance.now();
    const { status } = await get(`${stack.addresses.url}/events?limit=10`);
    expect(status).toBe(200);
    slowest = Math.max(slowest, performance.now() - started);
    await delay(200);
  }
  return slowest;
}

/** From the receipt of an event to its row, at most, ms. */
async function slowestOf(source: string): Promise<number> {
  const [row] = await stack.ask<{ ms: number }>(
    "select extract(epoch from max(stored_at - received_at))::float8 * 1000 as ms from events where source = $1",
    [source],
  );
  return row?.ms ?? Number.NaN;
}
