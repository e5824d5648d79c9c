import { randomInt } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateText } from "../../../localstack/secrets-manager/generate-text.ts";
import { GENERATED } from "../../support/secrets-manager.ts";

const KINDS = { lowercase: /[a-z]/, uppercase: /[A-Z]/, numbers: /[0-9]/, punctuation: /[!-/:-@[-`{-~]/ };

describe("a generated text", () => {
  it("a generated text has its length, every kind that its rules include, and no other character", () => {
    const rules = fc.record({
      length: fc.integer({ min: 4, max: 200 }),
      excluded: fc.constantFrom("", "\"@/\\'", "abcxyz01!"),
      lowercase: fc.boolean(),
      uppercase: fc.boolean(),
      numbers: fc.boolean(),
      punctuation: fc.boolean(),
      space: fc.boolean(),
    });

    fc.assert(
      fc.property(
        rules.filter((each) => Object.keys(KINDS).some((kind) => each[kind as keyof typeof KINDS])),
        (changes) => {
          const text = generateText({ ...GENERATED, ...changes });
          expect(text).toHaveLength(changes.length);
          expect(changes.excluded.split("").filter((each) => text.includes(each))).toEqual([]);
          for (const [kind, pattern] of Object.entries(KINDS)) {
            expect(pattern.test(text), kind).toBe(changes[kind as keyof typeof KINDS]);
          }
          if (!changes.space) expect(text).not.toContain(" ");
        },
      ),
    );
  });

  it("a generated text with every kind has each character at each place", () => {
    const texts = Array.from({ length: 20_000 }, () => generateText({ ...GENERATED, length: 4, excluded: "" }));

    for (const at of [0, 1, 2, 3]) {
      expect(new Set(texts.map((text) => text[at])).size).toBe(94);
    }
  });

  it("a generated text is a member of the template's object", () => {
    const inside = { template: '{"username":"sluice_writer_1","port":5432}', key: "password" };

    const value = JSON.parse(generateText({ ...GENERATED, inside })) as Record<string, unknown>;

    expect(value).toEqual({ username: "sluice_writer_1", port: 5432, password: expect.any(String) });
    expect(value["password"]).toHaveLength(32);
  });

  it("a generated text with spaces may have one", () => {
    const rules = { ...GENERATED, space: true, lowercase: false, uppercase: false, punctuation: false, length: 4_096 };

    expect(generateText(rules)).toContain(" ");
  });

  it("two generated texts differ", () => {
    expect(generateText(GENERATED)).not.toBe(generateText(GENERATED));
  });

  it("a generated text is made of the random numbers it is given", () => {
    const numbers: number[] = [];
    const recorded = generateText(GENERATED, (bound) => {
      numbers.push(randomInt(bound));
      return numbers.at(-1) ?? 0;
    });

    expect(generateText(GENERATED, () => numbers.shift() ?? 0)).toBe(recorded);
  });

  it.each([
    [
      "no character is left",
      { lowercase: false, uppercase: false, numbers: false, punctuation: false },
      "every character",
    ],
    ["a kind is excluded whole", { excluded: "0123456789" }, "a kind of characters that is excluded"],
    ["the length has no room for every kind", { length: 3 }, "PasswordLength 3 is too short"],
  ])("a generated text is an error where %s", (_, changes, message) => {
    expect(() => generateText({ ...GENERATED, ...changes })).toThrow(message);
  });
});
