import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Report } from "../faults/checker/report.ts";
import { seconds, writeBlock } from "../faults/support/reliability-page.ts";
import { createFaultScenario } from "../faults/support/fault-scenario.ts";
import { differingRollups, differingTransactions } from "../support/derived-rows.ts";
import { startFaultStack, type FaultStack } from "../faults/support/fault-stack.ts";

/** SOAK_EVENTS for a shorter one, whose figures are not written down. */
const EVENTS = Number(process.env["SOAK_EVENTS"] ?? 1_000_000);
const KILL_EVERY_MS = 2_000;
const OUTAGE_MS = 60_000;

let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack({ visibilitySeconds: 30 });
});
afterAll(() => stack?.remove());

it("loses and doubles nothing while consumers are killed and the database is down for a minute", async () => {
  const scenario = createFaultScenario("soak", stack);
  const crashes = killConsumers();
  const started = performance.now();
  const outage = databaseOutage();

  await scenario.deliver(scenario.events(EVENTS), { perRequest: 100, connections: 8 });
  const sentMs = performance.now() - started;
  await outage;
  await scenario.atRest(30 * 60_000);
  const kills = crashes.stop();
  const restMs = performance.now() - started;
  const report = await scenario.judge();

  process.stdout.write(
    `${report.text}\n${kills} kills, sent in ${seconds(sentMs)}, at rest after ${seconds(restMs)}\n`,
  );
  expect(report.ok, report.text).toBe(true);
  expect(report.counts).toMatchObject({ acknowledged: EVENTS, stored: EVENTS, deadLettered: 0 });
  expect(kills).toBeGreaterThan(10);
  expect(await differingRollups(stack.ask)).toEqual([]);
  expect(await differingTransactions(stack.ask)).toEqual([]);
  if (process.env["SOAK_EVENTS"] === undefined) {
    writeBlock("soak", page(report, { kills, sentMs, restMs }));
  }
});

function page({ counts, timeToStable }: Report, run: { kills: number; sentMs: number; restMs: number }): string {
  const { lost, doubled, stored, deadLettered } = counts;
  return [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores.`,
    "",
    "| | |",
    "|---|--:|",
    `| Events accepted | ${EVENTS.toLocaleString("en")} |`,
    `| Consumers killed (SIGKILL, one every ${seconds(KILL_EVERY_MS)}) | ${run.kills} |`,
    `| Database stopped (immediate) | ${seconds(OUTAGE_MS)} |`,
    `| Lost | ${lost} |`,
    `| Doubled | ${doubled} |`,
    `| Ledger: stored + dead-lettered | ${stored.toLocaleString("en")} + ${deadLettered} |`,
    `| Sent in, at rest after | ${seconds(run.sentMs)}, ${seconds(run.restMs)} |`,
    `| Stable p50 / p99 / max | ${[timeToStable.p50, timeToStable.p99, timeToStable.max].map(seconds).join(" / ")} |`,
  ].join("\n");
}

/** SIGKILL, every two seconds, to the consumer process that was seen last. */
function killConsumers(): { stop: () => number } {
  let kills = 0;
  const consumers: number[] = [];
  stack.failpoints.order(({ functionName, pid }) => {
    if (functionName === "consume" && !consumers.includes(pid)) consumers.push(pid);
    return "go";
  });
  const timer = setInterval(() => {
    const pid = consumers.pop();
    if (pid === undefined) return;
    try {
      process.kill(pid, "SIGKILL");
      kills += 1;
    } catch {
      // It was retired meanwhile.
    }
  }, KILL_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return kills;
    },
  };
}

/** As by a crash, in the middle of the load. */
async function databaseOutage(): Promise<void> {
  await delay(OUTAGE_MS / 3);
  await stack.postgres.stop("immediate");
  await delay(OUTAGE_MS);
  await stack.postgres.start();
}
