import { isRawNumber } from "../../../functions/core/lossless-json.ts";

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const raw = JSON as unknown as { rawJSON(text: string): unknown };

/** The value of a number's input: the number with every digit; text that is none stays text, which the API refuses at its place. */
export function numberOf(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  return JSON_NUMBER.test(trimmed) ? raw.rawJSON(trimmed) : text;
}

/** The text in an input for a value of the draft. */
export function textOf(value: unknown): string {
  if (value === undefined) return "";
  if (isRawNumber(value)) return value.rawJSON;
  return typeof value === "string" ? value : JSON.stringify(value);
}
