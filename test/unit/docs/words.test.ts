import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const GLOSSARY = "docs/glossary.md";

/** The words of the last column of the glossary, one of several between commas. */
const retired = [
  ...new Set(
    readFileSync(GLOSSARY, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("| ") && !line.startsWith("| Word"))
      .flatMap((line) => (line.split("|").at(-2) ?? "").split(","))
      .map((word) => word.trim())
      .filter((word) => word !== ""),
  ),
];

/** The places where a text has a retired word in any form, alone or inside an identifier. A dead letter is not a letter, nor is a property of CSS. */
function placesOf(word: string, text: string): number[] {
  const forms = "(?:s|ed|al|ing)?(?![a-z])";
  const capital = word.charAt(0).toUpperCase() + word.slice(1);
  const notDead = "(?<![Dd](?:ead|EAD)[-_ ]?(?:\\s[\\s*/#-]*)?)";
  const notProperty = word === "letter" ? "(?!-spacing:)" : "";
  const alone = `(?<![A-Za-z])${notDead}(?:${word}${notProperty}${forms}|${capital}${forms}|${word.toUpperCase()})`;
  const inside = `(?<=[a-z])${notDead}${capital}${forms}`;
  return [...text.matchAll(new RegExp(`${alone}|${inside}`, "g"))].map(({ index }) => index);
}

const NOT_OURS = new Set([".git", "package-lock.json", "LICENSE", GLOSSARY, "test/unit/docs/words.test.ts"]);

/** Every file of the repository that people read, without the folders that git ignores. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "." ? entry.name : join(folder, entry.name);
    if (NOT_OURS.has(path) || ignored.has(entry.name)) return [];
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const ignored = new Set(
  readFileSync(".gitignore", "utf8")
    .split("\n")
    .map((line) => line.replaceAll("/", "").trim()),
);

describe("the glossary", () => {
  it("has retired words", () => {
    expect(retired).toContain("door");
  });

  it.each(retired)("retires the word %j, and no file has it", (word) => {
    const found = files.flatMap(({ path, text }) =>
      placesOf(word, text).map((index) => {
        const line = text.slice(0, index).split("\n").length;
        return `${path}:${line} ${text.split("\n")[line - 1]?.trim()}`;
      }),
    );

    expect(found).toEqual([]);
  });

  it.each(retired)("retires the word %j, and no file or folder is named by it", (word) => {
    expect(files.map(({ path }) => path).filter((path) => placesOf(word, path).length > 0)).toEqual([]);
  });

  it.each([
    "the doors open",
    "DOOR",
    "lookAtLetters",
    "a letter",
    "lib/door.ts",
    "isolation-turns.ts",
    "takeInTurns",
    "RENEW_FROM",
    "renewedMessages",
  ])("refuses %j", (text) => {
    expect(retired.some((word) => placesOf(word, text).length > 0)).toBe(true);
  });

  it.each([
    "a dead letter",
    "dead-letter queue",
    "deadLetters",
    "DeadLetterQueue",
    "DEAD_LETTER",
    "returns",
    "indoors",
  ])("accepts %j", (text) => {
    expect(retired.some((word) => placesOf(word, text).length > 0)).toBe(false);
  });
});

/** Docstrings whose subject is no thing: `What is sent`, `How long it waits`. */
const WITHOUT_SUBJECT = /\/\*\*(?:\s*\*)?\s+(?:What|Who|Where|How|Those)\b.*/g;

describe("docstrings", () => {
  it("docstrings begin with the thing that they describe, and not with a question word", () => {
    const found = files
      .filter(({ path }) => /\.(?:ts|mjs|js)$/.test(path))
      .flatMap(({ path, text }) => (text.match(WITHOUT_SUBJECT) ?? []).map((match) => `${path} ${match}`));

    expect(found).toEqual([]);
  });

  it.each(["/** What is sent. */", "/**\n * How long it waits.\n */", "/** Those that wait. */"])(
    "refuses %j",
    (text) => {
      expect(text).toMatch(WITHOUT_SUBJECT);
    },
  );
});

const files = filesBelow(".").map((path) => ({ path, text: readFileSync(path, "utf8") }));
