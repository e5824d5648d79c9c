import { describe, expect, it } from "vitest";
import { createRetentionOf, retentionName, RETENTIONS } from "../../../functions/core/retention.ts";

describe("the retention of an event", () => {
  it("is that of its type, whichever version says it, else that of the stage", () => {
    const of = createRetentionOf(
      new Map([
        ["a", [{}, { retention: "7d" as const }]],
        ["b", [{}]],
        ["k", [{ retention: "keep" as const }]],
      ]),
      "90d",
    );

    expect(["a", "b", "k", "unknown"].map(of)).toEqual([7, 90, 0, 90]);
  });

  it("has a name for its days, and no other days", () => {
    expect([7, 30, 90, 400, 0].map(retentionName)).toEqual([...RETENTIONS]);
    expect(() => retentionName(14)).toThrow("No retention class has 14 days");
  });
});
