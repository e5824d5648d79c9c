import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { CONSUME_MAX_CONCURRENCY } from "../../functions/core/limits.ts";
import { STATEMENT_TIMEOUT_MS } from "../../localstack/data-api/limits.ts";
import { eventually } from "../support/eventually.ts";
import { refusals, startArrivals } from "./support/arrivals.ts";
import { batchLines } from "./support/batch-lines.ts";
import { busySessions, watchSessions } from "./support/busy-sessions.ts";
import { faultCase, type Scene, sized } from "./support/fault-case.ts";
import { mostInCall } from "./support/most-in-call.ts";
import { startWorld, type World } from "./support/fault-stack.ts";

/** What is kept free of it to bring messages back and to answer leaves a call six seconds. */
const FUNCTION_TIMEOUT_SECONDS = 11;

let world: World;
beforeAll(async () => {
  world = await startWorld({
    functionTimeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
    // What came back before is hidden for up to one and a half times this.
    visibilitySeconds: 14,
    // Every consumer soon has a batch.
    windowSeconds: 0,
  });
});
afterAll(() => world?.remove());

describe("a database that does not answer", () => {
  faultCase(
    "F8",
    "database hangs: it takes connections and never answers",
    () => world,
    (scene) => hanging(scene, { begin: () => world.postgres.pause() }),
  );

  faultCase(
    "F37",
    "half-open connections to the Data API",
    () => world,
    (scene) => hanging(scene, { begin: () => world.dataApiFaults.set([{ kind: "hang" }]) }),
  );

  faultCase(
    "F37",
    "table locked by DDL for longer than the function may run",
    () => world,
    async (scene) => {
      const ddl = new Client(world.addresses.databaseUrl);
      await ddl.connect();
      const sessions = watchSessions(world);
      let longestSeconds = 0;
      try {
        await hanging(scene, {
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
      expect(longestSeconds).toBeLessThan(STATEMENT_TIMEOUT_MS / 1_000 + sized(15, 2));
      scene.note(`longest statement ${longestSeconds.toFixed(0)} s`);
    },
  );
});

/** Events arrive while no statement is answered. The consumer must answer in time, and PostgreSQL be left clean. */
async function hanging(
  scene: Scene,
  { begin, end }: { begin: () => unknown; end?: () => Promise<unknown> },
): Promise<void> {
  const from = world.lines.length;
  await begin();
  const begunAt = Date.now();
  const arrivals = startArrivals(scene, { requestsPerSecond: 5, perRequest: sized(10, 32) });
  const over = delay(sized(0, 60_000));
  await eventually(
    async () => guarded(from, begunAt),
    (batches) => batches.length > 0,
    6_000 * FUNCTION_TIMEOUT_SECONDS,
  );
  await over;
  const most = mostInCall(world.failpoints.hits);
  await arrivals.stop();
  await end?.();
  await scene.heal();
  await scene.atRest();

  expect(refusals(arrivals.answers)).toEqual([]);
  // A call that hangs keeps its consumer, so every one there may be has one in time.
  expect(most).toBeLessThanOrEqual(CONSUME_MAX_CONCURRENCY);
  expect(most).toBeGreaterThanOrEqual(sized(1, CONSUME_MAX_CONCURRENCY));
  expect(world.lines.slice(from).filter((line) => line.includes("Task timed out"))).toEqual([]);
  await eventually(
    () => busySessions(world),
    (sessions) => sessions.length === 0,
  );
  const longest = Math.max(...guarded(from, begunAt).map(({ durationMs }) => durationMs));
  scene.note(`answered after ${(longest / 1_000).toFixed(1)} s of ${FUNCTION_TIMEOUT_SECONDS} s`);
}

/** Batches that gave up on a call, and were begun since; those of the case before may still come in. */
const guarded = (from: number, since: number) =>
  batchLines(world, from).filter(
    ({ reason, timestamp, durationMs }) =>
      reason === "database_unreachable" && Date.parse(timestamp) - durationMs >= since,
  );
