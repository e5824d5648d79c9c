import { describe, expect, it } from "vitest";
import { retentionPlan } from "../../../functions/api-docs/retention-examples.ts";
import type { RetentionPlan } from "../../../functions/core/retention-answers.ts";
import { toText } from "../../../scripts/retain/render.ts";

const plan = retentionPlan as RetentionPlan;

describe("the plan of retention for people", () => {
  it("the plan has the days that are dropped, with their size, and what is kept", () => {
    expect(
      toText(plan),
    ).toBe(`Events whose type names no retention: 400d. A day is dropped when its time is over, without an archive.
DROPPED UNTIL 2026-12-06: 2 days, 2613.1 MB
on          class  day         events    MB      state
2026-11-29  7d     2026-11-21  ~1204880  1310.7  due
2026-11-30  7d     2026-11-22  ~1198004  1302.3  open
KEPT BEYOND THAT
class  days  events    MB       next on
7d     21    ~6020114  6549.4   2026-12-07
400d   62    ~9710002  10905.2  2027-11-18
ROLLUPS: kept for 1095 days, 190.8 MB. Those of days before 2023-12-07 are deleted by then.
LEGAL HOLDS: 2 of 1 tenant. The events that they match are moved aside before their day is dropped.`);
  });

  it("the plan names why a day is tried again, and what is never dropped", () => {
    const [first] = plan.drops;
    const text = toText({
      ...plan,
      archive: "before-drop",
      drops: first === undefined ? [] : [{ ...first, events: null, fault: "lock: a reader" }],
      keeps: [{ class: "keep", tables: 1, events: null, bytes: 0, nextOn: null }],
      rollups: { days: null, deletedBefore: null, rows: null, bytes: 0 },
    });

    expect(toText({ ...plan, holds: { active: 0, tenants: 0 } })).not.toContain("HOLDS");
    expect(text).toContain("and is in the archive before");
    expect(text).toContain("due, tried again: lock: a reader");
    expect(text).toContain("ROLLUPS: kept for good, 0.0 MB.");
    expect(text).toMatch(/keep +1 +\? +0\.0 +never/);
  });
});
