import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { workAhead } from "../../../functions/core/work-ahead.ts";

/** Items that record when they are made; making one of them may fail. */
function* making(count: number, steps: string[], failing = -1): Generator<number> {
  for (let item = 0; item < count; item++) {
    if (item === failing) throw new Error(`no ${item}`);
    steps.push(`made ${item}`);
    yield item;
  }
}

describe("work ahead", () => {
  it("makes the next item while the work on one waits, and works on one at a time", async () => {
    const steps: string[] = [];

    await workAhead(making(3, steps), async (item) => {
      steps.push(`begun ${item}`);
      for (let i = 0; i < 3; i++) await setImmediate();
      steps.push(`done ${item}`);
    });

    expect(steps.join(", ")).toBe("made 0, begun 0, made 1, done 0, begun 1, made 2, done 1, begun 2, done 2");
  });

  it("ends with the work that fails, and begins no other", async () => {
    const begun: number[] = [];

    const all = workAhead(making(3, []), async (item) => {
      begun.push(item);
      throw new Error(`work ${item}`);
    });

    await expect(all).rejects.toThrow("work 0");
    expect(begun).toEqual([0]);
  });

  it("waits for the work under way when the next item cannot be made", async () => {
    let isDone = false;

    const all = workAhead(making(2, [], 1), async () => {
      for (let i = 0; i < 5; i++) await setImmediate();
      isDone = true;
    });

    await expect(all).rejects.toThrow("no 1");
    expect(isDone).toBe(true);
  });
});
