import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { eventually } from "../support/eventually.ts";
import { batchLines } from "./support/batch-lines.ts";
import type { Hit } from "./support/failpoint-server.ts";
import { faultCase, type Scene, sized } from "./support/fault-case.ts";
import { startWorld, type World } from "./support/fault-stack.ts";

const VISIBILITY_SECONDS = 3;

/** Many small batches, and messages back soon after the consumer that had them died. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ visibilitySeconds: VISIBILITY_SECONDS, batchMessages: 5, windowSeconds: 0 });
});
afterAll(() => world?.remove());

describe("a consumer that is killed", () => {
  /** Kills the consumer in every third batch that reaches the point. */
  const everyThirdAt = (point: string) => async (scene: Scene) => {
    const kills = killWhere((hit) => hit.point === point && hit.count % 3 === 0);
    await scene.deliver(scene.events(sized(80, 10_000)), { perRequest: sized(4, 10) });
    await scene.atRest();
    expect(kills.count).toBeGreaterThan(0);
    scene.note(`${kills.count} kills`);
  };

  faultCase("F1", "consumer killed after the commit, before its answer", () => world, everyThirdAt("beforeAnswer"));
  faultCase("F2", "consumer killed before the statement", () => world, everyThirdAt("beforeStore"));

  faultCase(
    "F3",
    "consumer killed between two statements of one batch",
    () => world,
    async (scene) => {
      const last = new Map<number, string>();
      const most = sized(2, 20);
      const kills = killWhere(({ point, pid }) => {
        const between = last.get(pid) === "afterStore" && point === "beforeStore";
        last.set(pid, point);
        return between && kills.count < most;
      });
      // All in the queue before the first is taken, so that a batch has several messages and several statements.
      await scene.hold();
      await scene.deliver(scene.events(sized(5_000, 20_000)), { perRequest: 1_000 });
      world.sqs.setFaults();
      await scene.atRest();
      expect(kills.count).toBeGreaterThan(0);
      scene.note(`${kills.count} kills`);
    },
  );
});

describe("a batch that takes longer than its messages are hidden", () => {
  faultCase(
    "F9",
    "visibility expires in the middle of a batch, another consumer gets the same messages",
    () => world,
    async (scene) => {
      const slow = sized(2, 20);
      world.failpoints.order(({ stage, point, count }) =>
        stage === "consume" && point === "beforeStore" && count <= slow
          ? delay(VISIBILITY_SECONDS * 1_500, "go")
          : "go",
      );
      const from = world.lines.length;
      await scene.deliver(scene.events(sized(40, 10_000)), { perRequest: 10 });
      // The overtaken batches are still running when the queue is empty.
      await eventually(
        async () => batchLines(world, from).some(({ EventsDuplicate: copies }) => copies > 0),
        (overtaken) => overtaken,
      );
      expect(world.lines.slice(from).filter((line) => line.includes('"level":"ERROR"'))).toEqual([]);
      scene.note(`${slow} batches overtaken`);
    },
  );
});

/** Kills the consumer wherever `where` says so. */
function killWhere(where: (hit: Hit) => boolean): { count: number } {
  const kills = { count: 0 };
  world.failpoints.order((hit) => {
    if (hit.stage !== "consume" || !where(hit)) return "go";
    kills.count += 1;
    return "kill";
  });
  return kills;
}
