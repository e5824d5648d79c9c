import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
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
  expect(titlesOf(file).filter((title) => isTitleOf(title, test.trim()))).not.toEqual([]);
});

/** The texts of a test file and of the suites that it runs, of which some are titles. */
function titlesOf(file: string): string[] {
  const code = readFileSync(file, "utf8");
  const suites = [...code.matchAll(/from "(\.\.\/support\/conformance\/[\w-]+\.ts)"/g)];
  const texts = [code, ...suites.map(([, path = ""]) => readFileSync(join(dirname(file), path), "utf8"))];
  return texts.flatMap((text) =>
    [...text.matchAll(/"((?:[^"\\\n]|\\.)*)"|`([^`\n]*)`/g)].map(([, quoted, template]) => quoted ?? template ?? ""),
  );
}

/** Tells whether a title of the code begins as a test's name does; a title may have places for values, as in `it.each`. */
function isTitleOf(title: string, name: string): boolean {
  const [first = "", ...others] = title.split(/%[sj]|\$\w+|\$\{\w+\}/);
  if (title.startsWith(name) || (others.length > 0 && first.trim() === name)) return true;
  if (first.trim() === "" || others.length !== 1 || !name.startsWith(first)) return false;
  const rest = others[0] ?? "";
  if (rest === "") return true;
  return Array.from(name.slice(first.length), (_, at) => name.slice(first.length + at)).some(
    (end) => end.length >= SHORTEST_END && rest.startsWith(end),
  );
}

/** So much of a title behind its value is no coincidence. */
const SHORTEST_END = 8;

it("a sabotage is refused unless its place occurs exactly once", () => {
  const sabotage = { name: "n", file: "f", find: "a", replace: "b", caughtBy: { file: "t" } };

  expect(() => sabotaged("", sabotage)).toThrow('"n": f has the text 0 times');
  expect(() => sabotaged("aa", sabotage)).toThrow('"n": f has the text 2 times');
  expect(sabotaged("xay", { ...sabotage, replace: "$&" })).toBe("x$&y");
});
