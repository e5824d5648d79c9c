import { expect, inject, it } from "vitest";
import { saveMeasured } from "./measured.ts";
import { createScene, type Scene } from "./scene.ts";
import type { World } from "./world.ts";

export type { Scene } from "./scene.ts";

type Options = {
  /** Events that end in the dead-letter queue. @default 0 */
  deadLetters?: number;
  /** From healing until nothing is left in the queue, ms. @default 30,000 */
  drainWithinMs?: number;
};

/** As many events as this run is to have: a few hundred in a pull request, thousands in a full run. */
export const sized = (pullRequest: number, full: number): number =>
  inject("faultSize") === "full" ? full : pullRequest;

/**
 * Runs a named case: the fault while `body` runs, then healing, then the wait until all is at rest, then the checker
 * over everything clients were told and everything that is stored, dead-lettered or queued.
 */
export function faultCase(
  id: string,
  title: string,
  world: () => World,
  body: (scene: Scene) => Promise<void>,
  { deadLetters = 0, drainWithinMs = 30_000 }: Options = {},
): void {
  it(`${id} ${title}`, async () => {
    const scene = createScene(id, world());
    await clean(world());
    try {
      await body(scene);
    } finally {
      if (scene.healedAt === undefined) await scene.heal();
    }
    const drainMs = await scene.atRest();
    const report = await scene.judge();

    expect(report.ok, report.text).toBe(true);
    expect(report.counts.acknowledged, report.text).toBeGreaterThan(0);
    expect(report.counts.deadLettered, report.text).toBe(deadLetters);
    expect(drainMs).toBeLessThan(drainWithinMs);
    const { counts, timeToStable } = report;
    saveMeasured({ id, title, counts, timeToStable, drainMs, notes: scene.notes });
  });
}

/** A case that failed leaves nothing to the next one. */
async function clean(world: World): Promise<void> {
  await world.heal();
  await world.queue.drain();
  await world.deadLetters.drain();
}
