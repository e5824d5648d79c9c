import { expect, inject, it } from "vitest";
import { differingRollups, differingTransactions } from "../../support/derived-rows.ts";
import { saveMeasured } from "./measured.ts";
import { seconds } from "./reliability-page.ts";
import { createFaultScenario, type FaultScenario } from "./fault-scenario.ts";
import type { FaultStack } from "./fault-stack.ts";

export type { FaultScenario } from "./fault-scenario.ts";

type Options = {
  /** Events that end in the dead-letter queue. @default 0 */
  deadLetters?: number;
  /** The same event may be dead-lettered twice, because two consumers had its message. @default false */
  deadLetteredTwice?: boolean;
  /** In a full run: from the end of the fault until nothing is left in the queue, ms. @default 120,000 */
  drainWithinMs?: number;
  /** Events are erased, so transactions may have fewer than the feed has noted; never more. @default false */
  erases?: boolean;
};

/** In a full run: from the acknowledgement to the row, ms. It holds the fault's duration and the draining. */
const STABLE_WITHIN_MS = 800_000;

/** Whether this run measures: a pull request's machine is busy with other things, so that its times say nothing. */
export const isFull = (): boolean => inject("faultSize") === "full";

/** As many events as this run is to have: a few hundred in a pull request, thousands in a full run. */
export const sized = (pullRequest: number, full: number): number => (isFull() ? full : pullRequest);

/**
 * Runs a named case: the fault while `body` runs, then healing, then the wait until all is at rest, then the checker
 * over every answer that clients got and everything that is stored, dead-lettered or queued.
 */
export function faultCase(
  id: string,
  title: string,
  stack: () => FaultStack,
  body: (scenario: FaultScenario) => Promise<void>,
  { deadLetters = 0, deadLetteredTwice = false, drainWithinMs = 120_000, erases = false }: Options = {},
): void {
  it(`${id} ${title}`, async () => {
    const scenario = createFaultScenario(id, stack());
    await clean(stack());
    try {
      await body(scenario);
    } finally {
      await scenario.end();
    }
    const { ok, text, counts, timeToStable } = await scenario.judge();
    const drainMs = scenario.drainMs();

    expect(ok, text).toBe(true);
    // Whatever failed and was repeated: rollups and feed have each stored event once.
    expect(await differingRollups(stack().ask)).toEqual([]);
    const differing = await differingTransactions(stack().ask);
    expect(differing.filter(({ stored, noted }) => !erases || Number(stored) > Number(noted))).toEqual([]);
    expect(counts.acknowledged, text).toBeGreaterThan(0);
    expect(counts.acknowledged, text).toBe(counts.attempted);
    expect(counts.deadLettered, text).toBe(deadLetters);
    // A good event in a dead letter breaks no promise, but somebody is called for nothing.
    expect(counts.storedAndDeadLettered, text).toBe(0);
    if (!deadLetteredTwice) expect(counts.deadLetteredTwice, text).toBe(0);
    expect(drainMs).not.toBeNaN();
    const figures = [`drained in ${seconds(drainMs)}`, `stable after at most ${seconds(timeToStable.max)}`];
    console.info(`${id} ${title}: ${[...figures, ...scenario.notes].join(", ")}`);
    if (isFull()) {
      expect(drainMs).toBeLessThan(drainWithinMs);
      expect(timeToStable.max, text).not.toBeGreaterThan(STABLE_WITHIN_MS);
    }
    saveMeasured({ id, title, counts, timeToStable, drainMs, notes: scenario.notes });
  });
}

/** A case that failed leaves nothing to the next one. */
async function clean(stack: FaultStack): Promise<void> {
  await stack.heal();
  await stack.queue.drain();
  await stack.deadLetters.drain();
}
