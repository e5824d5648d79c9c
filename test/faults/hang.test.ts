import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { CONSUME_MAX_CONCURRENCY } from "../../functions/core/function-limits.ts";
import { STATEMENT_TIMEOUT_MS } from "../../localstack/data-api/limits.ts";
import { eventually } from "../support/eventually.ts";
import { refusals, startArrivals } from "./support/arrivals.ts";
import { batchLines } from "./support/batch-lines.ts";
import { busySessions, watchSessions } from "./support/busy-sessions.ts";
import { faultCase, type FaultScenario, isFull, sized } from "./support/fault-case.ts";
import { mostInCall } from "./support/most-in-call.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";

/** The reserves to bring messages back and to answer leave a call six seconds of it. */
const FUNCTION_TIMEOUT_SECONDS = 11;

let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack({
    functionTimeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
    // What came back before is hidden for up to one and a half times this.
    visibilitySeconds: 14,
    // Every consumer soon has a batch.
    windowSeconds: 0,
  });
});
afterAll(() => stack?.remove());

describe("a database that does not answer", () => {
  faultCase(
    "F8",
    "database hangs: it takes connections and never answers",
    () => stack,
    (scenario) => hanging(scenario, { begin: () => stack.postgres.pause() }),
  );

  faultCase(
    "F37",
    "half-open connections to the Data API",
    () => stack,
    (scenario) => hanging(scenario, { begin: () => stack.dataApiFaults.set([{ kind: "hang" }]) }),
  );

  faultCase(
    "F37",
    "table locked by DDL for longer than the function may run",
    () => stack,
    async (scenario) => {
      const ddl = new Client(stack.addresses.databaseUrl);
      await ddl.connect();
      const sessions = watchSessions(stack);
      let longestSeconds = 0;
      try {
        await hanging(scenario, {
          begin: async () => {
            await ddl.query("begin");
            await ddl.query("lock table events in access exclusive mode");
          },
          end: () => ddl.query("rollback"),
        });
      } finally {
        await ddl.end();
        longestSeconds = await sessions.stop();
      }
      // In a full run the Data API itself ends what waits for the lock.
      expect(longestSeconds).toBeGreaterThan(sized(5_000, STATEMENT_TIMEOUT_MS) / 1_000 - 1);
      if (isFull()) expect(longestSeconds).toBeLessThan(STATEMENT_TIMEOUT_MS / 1_000 + 2);
      scenario.note(`longest statement ${longestSeconds.toFixed(0)} s`);
    },
  );
});

/** Events arrive while no statement is answered. The consumer must answer in time, and PostgreSQL be left clean. */
async function hanging(
  scenario: FaultScenario,
  { begin, end }: { begin: () => unknown; end?: () => Promise<unknown> },
): Promise<void> {
  const from = stack.lines.length;
  await begin();
  const begunAt = Date.now();
  const arrivals = startArrivals(scenario, { requestsPerSecond: 5, perRequest: sized(10, 32) });
  const over = delay(sized(0, 60_000));
  await eventually(
    async () => guarded(from, begunAt),
    (batches) => batches.length > 0,
    6_000 * FUNCTION_TIMEOUT_SECONDS,
  );
  await over;
  const most = mostInCall(stack.failpoints.hits);
  await arrivals.stop();
  await end?.();
  await scenario.heal();
  await scenario.atRest();

  expect(refusals(arrivals.answers)).toEqual([]);
  // A call that hangs keeps its consumer, so every one there may be has one in time.
  expect(most).toBeLessThanOrEqual(CONSUME_MAX_CONCURRENCY);
  expect(most).toBeGreaterThanOrEqual(sized(1, CONSUME_MAX_CONCURRENCY));
  expect(stack.lines.slice(from).filter((line) => line.includes("Task timed out"))).toEqual([]);
  await eventually(
    () => busySessions(stack),
    (sessions) => sessions.length === 0,
  );
  const longest = Math.max(...guarded(from, begunAt).map(({ durationMs }) => durationMs));
  scenario.note(`answered after ${(longest / 1_000).toFixed(1)} s of ${FUNCTION_TIMEOUT_SECONDS} s`);
}

/** Batches that gave up on a call, and were begun since; those of the case before may still come in. */
const guarded = (from: number, since: number) =>
  batchLines(stack, from).filter(
    ({ reason, timestamp, durationMs }) =>
      reason === "database_unreachable" && Date.parse(timestamp) - durationMs >= since,
  );
