import { afterAll, beforeAll, describe } from "vitest";
import { faultCase, sized } from "./support/fault-case.ts";
import { startWorld, type World } from "./support/world.ts";

/** Many small batches, and messages back three seconds after the consumer that had them died. */
let world: World;
beforeAll(async () => {
  world = await startWorld({ visibilitySeconds: 3, batchMessages: 5, windowSeconds: 0 });
});
afterAll(() => world?.remove());

describe("a consumer that is killed", () => {
  const killed = (point: string) => async (scene: Parameters<Parameters<typeof faultCase>[3]>[0]) => {
    let kills = 0;
    world.failpoints.order(({ stage, point: at, count }) => {
      if (stage !== "consume" || at !== point || count % 3 !== 0) return "go";
      kills += 1;
      return "kill";
    });
    await scene.deliver(scene.events(sized(200, 10_000)), { perRequest: sized(4, 10) });
    await scene.atRest();
    scene.note(`${kills} kills`);
  };

  faultCase("F1", "consumer killed after the commit, before its answer", () => world, killed("beforeAnswer"));
  faultCase("F2", "consumer killed before the statement", () => world, killed("beforeStore"));
});
