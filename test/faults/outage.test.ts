import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { CONSUME_MAX_CONCURRENCY } from "../../functions/core/function-limits.ts";
import { eventually } from "../support/eventually.ts";
import { get } from "../support/http.ts";
import { refusals, startArrivals } from "./support/arrivals.ts";
import { batchLines } from "./support/batch-lines.ts";
import { faultCase, type FaultScenario, isFull, sized } from "./support/fault-case.ts";
import { mostInCall } from "./support/most-in-call.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";

/** As deployed. */
let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack();
});
afterAll(() => stack?.remove());

describe("a Data API that is there but does not serve", () => {
  faultCase(
    "F5",
    "Data API throttled",
    () => stack,
    async (scenario) => {
      const from = stack.lines.length;
      const throttled = () => batchLines(stack, from).filter(({ reason }) => reason === "data_api_throttled").length;
      stack.dataApiFaults.set([{ kind: "error", error: "ThrottlingException" }]);
      const arrivals = startArrivals(scenario, RATE);
      await delay(sized(3_000, 60_000));
      // The SDK has repeated the call by itself before.
      await eventually(
        async () => throttled(),
        (batches) => batches > 0,
      );
      await scenario.heal();
      await arrivals.stop();

      expect(refusals(arrivals.answers)).toEqual([]);
      scenario.note(`${throttled()} batches throttled`);
    },
  );

  for (const seconds of isFull() ? [15, 30, 60] : [3]) {
    faultCase(
      "F6",
      `database resuming from 0 ACU for ${seconds} s`,
      () => stack,
      async (scenario) => {
        stack.dataApiFaults.set([{ kind: "error", error: "DatabaseResumingException" }]);
        const arrivals = startArrivals(scenario, RATE);
        await delay(1_000 * seconds);
        await scenario.heal();
        const resumedAt = scenario.healedAt ?? 0;
        // It has waited longest.
        const first = scenario.history.attempted[0]?.id;
        const [row] = await eventually(
          () => stack.ask<{ at: number }>(STORED_AT, [scenario.source, first]),
          (rows) => rows.length > 0,
        );
        await arrivals.stop();

        expect(refusals(arrivals.answers)).toEqual([]);
        const waited = (row?.at ?? Number.NaN) - resumedAt;
        expect(waited).toBeGreaterThan(0);
        if (isFull()) expect(waited).toBeLessThan(FIRST_READABLE_MS);
        expect(await get(`${stack.addresses.url}/events/${first}`)).toMatchObject({ status: 200 });
        scenario.note(`first event readable ${Math.round(waited)} ms after it resumed`);
      },
    );
  }
});

describe("a database that is down", () => {
  faultCase(
    "F7",
    "database down while events keep arriving",
    () => stack,
    async (scenario) => {
      const from = stack.metrics.length;
      await stack.postgres.stop("immediate");
      const stopped = performance.now();
      const arrivals = startArrivals(scenario, RATE);
      await delay(sized(5_000, 60_000));
      await eventually(
        async () => oldestFailedSeconds(from),
        (seconds) => seconds > 2,
      );
      const [first] = scenario.history.attempted;
      expect(await get(`${stack.addresses.url}/events/${first?.id}`)).toMatchObject({
        status: 503,
        body: { code: "database_unavailable" },
      });
      await scenario.heal();
      const healed = performance.now();
      const outageMs = healed - stopped;
      const before = scenario.history.attempted.map(({ id }) => id);
      await eventually(
        () => countStored(scenario, before),
        (count) => count === before.length,
        200_000,
      );
      const drainMs = performance.now() - healed;
      const stored = await countStored(scenario);
      await arrivals.stop();

      expect(refusals(arrivals.answers)).toEqual([]);
      // The outage began before the first event arrived, so all that is stored was stored since it ended.
      const multiple = stored / (drainMs / 1_000) / (RATE.requestsPerSecond * RATE.perRequest);
      // The backlog of a short outage drains while the database starts, which says nothing about a rate.
      if (isFull()) {
        expect(drainMs).toBeLessThan(outageMs / 3 + DRAIN_CONSTANT_MS);
        expect(multiple).toBeGreaterThan(3);
        expect(oldestFailedSeconds(from)).toBeGreaterThan(outageMs / 2_000);
      }
      scenario.note(
        `${(outageMs / 1_000).toFixed(0)} s: ${before.length} events behind, drained in ${(drainMs / 1_000).toFixed(1)} s, ` +
          `${multiple.toFixed(1)} x the arrival rate`,
      );
    },
  );

  // Here one machine does both, and an event costs the database about as much of it as ingest: the ratio is noted
  // and says nothing about a stack whose ingest and database have separate machines.
  faultCase(
    "F36",
    "backlog that grew at the highest rate that ingest accepts",
    () => stack,
    async (scenario) => {
      const count = sized(10_000, 100_000);
      await stack.postgres.stop("immediate");
      // Of the size that events usually have, so that a full run has more batches than may run at once.
      const events = scenario.events(count, (index) => ({ index, text: "x".repeat(400) }));
      const ingest = await rateOf(count, () => scenario.deliver(events, { perRequest: 1_000 }));
      const hits = [...stack.failpoints.hits];
      await scenario.heal();
      const drain = await rateOf(count, () =>
        eventually(
          () => countStored(scenario),
          (stored) => stored === count,
          sized(100_000, 300_000),
        ),
      );
      const most = mostInCall([...hits, ...stack.failpoints.hits]);

      expect(most).toBeGreaterThan(sized(0, 1));
      expect(most).toBeLessThanOrEqual(CONSUME_MAX_CONCURRENCY);
      scenario.note(`accepted ${rounded(ingest)}/s, drained ${rounded(drain)}/s: ${(drain / ingest).toFixed(1)} x`);
      scenario.note(`at most ${most} calls of the database at once`);
    },
  );
});

/** The age that the alarm on old events watches. */
function oldestFailedSeconds(from: number): number {
  const ages = stack.metrics.slice(from).flatMap((line) => /"OldestFailedAgeSeconds":(\d+)/.exec(line)?.[1] ?? []);
  return Math.max(0, ...ages.map(Number));
}

/** In a full run about 10,000 events in a minute. */
const RATE = { requestsPerSecond: 8, perRequest: 20 };

/** The contract: the first event can be read so long after the database has resumed. */
const FIRST_READABLE_MS = 5_000;

/** A batch window, whole seconds of SQS's delays, and what it takes to store the last. */
const DRAIN_CONSTANT_MS = 5_000;

const STORED_AT = "select extract(epoch from stored_at)::float8 * 1000 as at from events where source = $1 and id = $2";

async function countStored({ source }: FaultScenario, ids?: readonly string[]): Promise<number> {
  const [row] = await stack.ask<{ count: number }>(
    "select count(*)::int as count from events where source = $1 and ($2::text[] is null or id = any($2))",
    [source, ids],
  );
  return row?.count ?? 0;
}

/** Events per second. */
async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return count / ((performance.now() - started) / 1_000);
}

const rounded = (rate: number) => (Math.round(rate / 100) * 100).toLocaleString("en");
