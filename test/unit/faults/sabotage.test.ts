import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { sabotages } from "../../faults/sabotage/list.ts";
import { sabotaged } from "../../faults/sabotage/sabotage.ts";

it("has at least twenty mistakes, each with a name of its own", () => {
  expect(sabotages.length).toBeGreaterThanOrEqual(20);
  expect(new Set(sabotages.map(({ name }) => name)).size).toBe(sabotages.length);
});

it.each(sabotages)("can still make the mistake: $name", (sabotage) => {
  const text = readFileSync(sabotage.file, "utf8");

  expect(sabotaged(text, sabotage)).not.toBe(text);
});

it.each(sabotages)("names tests that are there: $name", ({ caughtBy: { file, test = "" } }) => {
  // A case's number stands alone in the code, its title beside it.
  expect(readFileSync(file, "utf8")).toContain(test === "" ? "it(" : `"${test.trim()}"`);
});

it("refuses a place that is there twice or not at all", () => {
  const sabotage = { name: "n", file: "f", find: "a", replace: "b", caughtBy: { file: "t" } };

  expect(() => sabotaged("", sabotage)).toThrow('"n": f has the place 0 times');
  expect(() => sabotaged("aa", sabotage)).toThrow('"n": f has the place 2 times');
  expect(sabotaged("xay", { ...sabotage, replace: "$&" })).toBe("x$&y");
});
