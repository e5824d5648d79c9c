import { expect, inject, it } from "vitest";
import { saveMeasured } from "./measured.ts";
import { createFaultScenario, type FaultScenario } from "./fault-scenario.ts";
import type { FaultStack } from "./fault-stack.ts";

export type { FaultScenario } from "./fault-scenario.ts";

type Options = {
  /** Events that end in the dead-letter queue. @default 0 */
  deadLetters?: number;
  /** The same event may be dead-lettered twice, because two consumers had its message. @default false */
  deadLetteredTwice?: boolean;
  /** From the end of the fault until nothing is left in the queue, ms. @default 150,000, full: 120,000 */
  drainWithinMs?: number;
  /** From the acknowledgement to the row, ms: the fault's duration and the draining. @default 200,000, full: 800,000 */
  stableWithinMs?: number;
};

/** As many events as this run is to have: a few hundred in a pull request, thousands in a full run. */
export const sized = (pullRequest: number, full: number): number =>
  inject("faultSize") === "full" ? full : pullRequest;

/**
 * Runs a named case: the fault while `body` runs, then healing, then the wait until all is at rest, then the checker
 * over every answer that clients got and everything that is stored, dead-lettered or queued.
 */
export function faultCase(
  id: string,
  title: string,
  stack: () => FaultStack,
  body: (scenario: FaultScenario) => Promise<void>,
  { deadLetters = 0, deadLetteredTwice = false, drainWithinMs = sized(150_000, 120_000), stableWithinMs }: Options = {},
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
    expect(counts.acknowledged, text).toBeGreaterThan(0);
    expect(counts.acknowledged, text).toBe(counts.attempted);
    expect(counts.deadLettered, text).toBe(deadLetters);
    // A good event in a dead letter breaks no promise, but somebody is called for nothing.
    expect(counts.storedAndDeadLettered, text).toBe(0);
    if (!deadLetteredTwice) expect(counts.deadLetteredTwice, text).toBe(0);
    expect(drainMs).toBeLessThan(drainWithinMs);
    expect(timeToStable.max, text).not.toBeGreaterThan(stableWithinMs ?? sized(200_000, 800_000));
    saveMeasured({ id, title, counts, timeToStable, drainMs, notes: scenario.notes });
  });
}

/** A case that failed leaves nothing to the next one. */
async function clean(stack: FaultStack): Promise<void> {
  await stack.heal();
  await stack.queue.drain();
  await stack.deadLetters.drain();
}
