import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { eventually } from "../support/eventually.ts";
import { batchLines } from "./support/batch-lines.ts";
import type { Hit } from "./support/failpoints.ts";
import { faultCase, type FaultScenario, sized } from "./support/fault-case.ts";
import { startFaultStack, type FaultStack } from "./support/fault-stack.ts";

const VISIBILITY_SECONDS = 3;

/** Many small batches, and messages back soon after the consumer that had them died. */
let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack({ visibilitySeconds: VISIBILITY_SECONDS, batchMessages: 5, windowSeconds: 0 });
});
afterAll(() => stack?.remove());

describe("a consumer that is killed", () => {
  /** Kills the consumer in every third batch that reaches the point. */
  const everyThirdAt = (point: string) => async (scenario: FaultScenario) => {
    const kills = killWhere((hit) => hit.point === point && hit.count % 3 === 0);
    await scenario.deliver(scenario.events(sized(80, 10_000)), { perRequest: sized(4, 10) });
    await scenario.atRest();
    expect(kills.count).toBeGreaterThan(0);
    scenario.note(`${kills.count} kills`);
  };

  faultCase("F1", "consumer killed after the commit, before its answer", () => stack, everyThirdAt("beforeAnswer"));
  faultCase("F2", "consumer killed before the statement", () => stack, everyThirdAt("beforeStore"));

  faultCase(
    "F3",
    "consumer killed between two statements of one batch",
    () => stack,
    async (scenario) => {
      const last = new Map<number, string>();
      const most = sized(2, 20);
      const kills = killWhere(({ point, pid }) => {
        const between = last.get(pid) === "afterStore" && point === "beforeStore";
        last.set(pid, point);
        return between && kills.count < most;
      });
      // All in the queue before the first is taken, so that a batch has several messages and several statements.
      await scenario.hold();
      await scenario.deliver(scenario.events(sized(5_000, 20_000)), { perRequest: 1_000 });
      stack.sqs.setFaults();
      await scenario.atRest();
      expect(kills.count).toBeGreaterThan(0);
      scenario.note(`${kills.count} kills`);
    },
  );
});

describe("a batch that takes longer than its messages are hidden", () => {
  faultCase(
    "F9",
    "visibility expires in the middle of a batch, another consumer gets the same messages",
    () => stack,
    async (scenario) => {
      const slow = sized(2, 20);
      stack.failpoints.order(({ functionName, point, count }) =>
        functionName === "consume" && point === "beforeStore" && count <= slow
          ? delay(VISIBILITY_SECONDS * 1_500, "go")
          : "go",
      );
      const from = stack.lines.length;
      await scenario.deliver(scenario.events(sized(40, 10_000)), { perRequest: 10 });
      // The overtaken batches are still running when the queue is empty.
      await eventually(
        async () => batchLines(stack, from).some(({ EventsDuplicate: copies }) => copies > 0),
        (overtaken) => overtaken,
      );
      expect(stack.lines.slice(from).filter((line) => line.includes('"level":"ERROR"'))).toEqual([]);
      scenario.note(`${slow} batches overtaken`);
    },
  );
});

/** Kills the consumer wherever `where` says so. */
function killWhere(where: (hit: Hit) => boolean): { count: number } {
  const kills = { count: 0 };
  stack.failpoints.order((hit) => {
    if (hit.functionName !== "consume" || !where(hit)) return "go";
    kills.count += 1;
    return "kill";
  });
  return kills;
}
