import { describe, expect, it } from "vitest";
import { toFilter } from "../../../functions/replay/filter.ts";
import { createPlan } from "../../../functions/replay/plan.ts";
import { messageOf } from "./support.ts";

const open = (limit: number) =>
  createPlan({ limit, filter: toFilter({}, 0), edits: undefined, maxReplays: 5, cameBack: () => false });
const idsOf = ({ chosen }: ReturnType<ReturnType<typeof open>["add"]>) => chosen.map(({ event }) => event.id);

describe("a plan", () => {
  it("chooses events up to its limit, even within a message", () => {
    const plan = open(3);

    expect(idsOf(plan.add(messageOf([1, 2])))).toEqual(["a", "b"]);
    expect(plan.isFull()).toBe(false);
    expect(idsOf(plan.add(messageOf([1, 2])))).toEqual(["a"]);
    expect(plan.isFull()).toBe(true);
  });

  it("chooses no event beyond its limit, and still counts the events that were replayed too often", () => {
    const plan = open(0);

    expect(plan.add(messageOf([1])).chosen).toEqual([]);
    expect(plan.add(messageOf([1, 2], { replays: "5" }))).toEqual({ chosen: [], capped: 2, returned: 0 });
  });

  it("is full from the beginning when an interrupted replay has exceeded its limit", () => {
    const plan = open(-1);

    expect(plan.isFull()).toBe(true);
    expect(plan.add(messageOf([1, 2])).chosen).toEqual([]);
  });
});
