import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { workAhead } from "../../../functions/consume/work-ahead.ts";

/** Items that tell when they are made; one of them may fail to be. */
function* making(count: number, told: string[], failing = -1): Generator<number> {
  for (let item = 0; item < count; item++) {
    if (item === failing) throw new Error(`no ${item}`);
    told.push(`made ${item}`);
    yield item;
  }
}

describe("work ahead", () => {
  it("makes the next item while the work on one waits, and works on one at a time", async () => {
    const told: string[] = [];

    await workAhead(making(3, told), async (item) => {
      told.push(`begun ${item}`);
      for (let turns = 0; turns < 3; turns++) await setImmediate();
      told.push(`done ${item}`);
    });

    expect(told.join(", ")).toBe("made 0, begun 0, made 1, done 0, begun 1, made 2, done 1, begun 2, done 2");
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
      for (let turns = 0; turns < 5; turns++) await setImmediate();
      isDone = true;
    });

    await expect(all).rejects.toThrow("no 1");
    expect(isDone).toBe(true);
  });
});
