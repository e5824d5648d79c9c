import { randomInt } from "node:crypto";
import type { GeneratedText } from "../template/model.ts";

/** A whole number from 0 below a bound. */
export type Random = (bound: number) => number;

/**
 * A random value as Secrets Manager generates it.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
 * @param random must not be predictable, as `randomInt` of Node is not
 * @throws Error if the rules leave too few characters
 */
export function generateText(rules: GeneratedText, random: Random = randomInt): string {
  const text = randomText(rules, random);
  if (rules.inside === undefined) return text;
  const { template, key } = rules.inside;
  return JSON.stringify({ ...(JSON.parse(template) as object), [key]: text });
}

function randomText(rules: GeneratedText, random: Random): string {
  const kinds = KINDS.filter(({ name }) => rules[name]).map(({ characters }) => without(characters, rules.excluded));
  const all = kinds.join("") + (rules.space ? without(" ", rules.excluded) : "");
  if (all === "") throw new Error("The rules of a generated secret exclude every character.");
  const wanted = rules.everyKind ? kinds : [];
  if (wanted.includes("")) throw new Error("RequireEachIncludedType asks for a kind of characters that is excluded.");
  if (wanted.length > rules.length) throw new Error(`PasswordLength ${rules.length} is too short for every kind.`);
  const pick = (characters: string): string => characters.charAt(random(characters.length));
  const others = Array.from({ length: rules.length - wanted.length }, () => pick(all));
  return shuffle([...wanted.map(pick), ...others], random).join("");
}

const without = (characters: string, excluded: string): string =>
  characters
    .split("")
    .filter((each) => !excluded.includes(each))
    .join("");

/** Fisher and Yates: every order is equally likely. */
function shuffle(items: string[], random: Random): string[] {
  const shuffled: string[] = [];
  for (const item of items) {
    const at = random(shuffled.length + 1);
    shuffled.push(shuffled[at] ?? item);
    shuffled[at] = item;
  }
  return shuffled;
}

const KINDS = [
  { name: "lowercase", characters: "abcdefghijklmnopqrstuvwxyz" },
  { name: "uppercase", characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
  { name: "numbers", characters: "0123456789" },
  { name: "punctuation", characters: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" },
] as const;
