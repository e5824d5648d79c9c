import { isRawNumber } from "../lossless-json.ts";
import { toInstant } from "./instant.ts";

type AttributeTest = (event: Record<string, unknown>) => boolean;

/** Compiles the comparison of one attribute. An attribute that the event does not have never holds. */
export function attributeTest(
  dialect: "exact" | "prefix" | "suffix",
  name: string,
  value: string | number | boolean,
): AttributeTest {
  const expected = String(value);
  if (dialect === "exact" && name === "time") {
    const instant = toInstant(expected);
    return (event) => instant !== undefined && toInstant(event["time"]) === instant;
  }
  const holds = COMPARE[dialect];
  return (event) => {
    const text = attributeText(event, name);
    return text !== undefined && holds(text, expected);
  };
}

const COMPARE = {
  exact: (text: string, expected: string) => text === expected,
  prefix: (text: string, expected: string) => text.startsWith(expected),
  suffix: (text: string, expected: string) => text.endsWith(expected),
};

/** An attribute in the form that headers have: `true` for a boolean, digits for an integer. */
export function attributeText(event: Record<string, unknown>, name: string): string | undefined {
  const value = Object.hasOwn(event, name) ? event[name] : undefined;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  // Integers of 32 bits, also where they are written as 5.0000000000000000.
  if (isRawNumber(value)) return String(Number(value.rawJSON));
  return typeof value === "number" ? String(value) : undefined;
}
