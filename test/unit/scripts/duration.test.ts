import { describe, expect, it } from "vitest";
import { duration } from "../../../scripts/duration.ts";

describe("a duration", () => {
  it.each([
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["3d", 259_200_000],
    ["1w", 604_800_000],
  ])("%s is %i ms", (text, milliseconds) => {
    expect(duration("--older-than")(text)).toBe(milliseconds);
  });

  it.each(["", "2", "h", "0h", "-2h", "2.5h", "2 h", "2H", "1y"])(
    "%j is refused with the name of the option",
    (text) => {
      expect(() => duration("--older-than")(text)).toThrow("--older-than takes a duration such as 90s");
    },
  );
});
