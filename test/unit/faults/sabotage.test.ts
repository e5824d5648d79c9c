import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { sabotages } from "../../faults/sabotage/list.ts";
import { sabotaged } from "../../faults/sabotage/sabotage.ts";

it("the list of sabotages has at least twenty mistakes with distinct names", () => {
  expect(sabotages.length).toBeGreaterThanOrEqual(20);
  expect(new Set(sabotages.map(({ name }) => name)).size).toBe(sabotages.length);
});

it.each(sabotages)("the code still has the place of the sabotage: $name", (sabotage) => {
  const text = readFileSync(sabotage.file, "utf8");

  expect(sabotaged(text, sabotage)).not.toBe(text);
});

it.each(sabotages)("the tests that catch a sabotage exist: $name", ({ caughtBy: { file, test = "" } }) => {
  // The code has the case's number and its title as separate strings.
  expect(readFileSync(file, "utf8")).toContain(test === "" ? "it(" : `"${test.trim()}"`);
});

it("a sabotage is refused unless its place occurs exactly once", () => {
  const sabotage = { name: "n", file: "f", find: "a", replace: "b", caughtBy: { file: "t" } };

  expect(() => sabotaged("", sabotage)).toThrow('"n": f has the text 0 times');
  expect(() => sabotaged("aa", sabotage)).toThrow('"n": f has the text 2 times');
  expect(sabotaged("xay", { ...sabotage, replace: "$&" })).toBe("x$&y");
});
