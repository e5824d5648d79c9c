import { describe, expect, it } from "vitest";
import { type CommandOptions, flagsOf } from "../../../scripts/replay/options.ts";

describe("the options of a replay", () => {
  it("are written as a user can type them", () => {
    const options: CommandOptions = {
      dataDir: ".sluice",
      reason: ["a", "b"],
      source: ["/with space"],
      id: ["it's"],
      olderThan: 7_200_000,
      limit: 5,
      maxReplays: 9,
      rate: 3,
      edits: "fixed.ndjson",
    };

    expect(flagsOf(options)).toBe(
      "--reason a --reason b --source '/with space' --id 'it'\\''s' --older-than 7200s --limit 5 --max-replays 9 --edits fixed.ndjson",
    );
    expect(flagsOf({ dataDir: ".sluice" })).toBe("");
  });
});
