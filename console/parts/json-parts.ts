import { endOfString } from "../../functions/core/end-of-string.ts";
import { elementTexts, endOfValue, skipSpace } from "../../functions/core/json-spans.ts";

/** A member of an object, or an element of an array, with its value as it is written. */
export type JsonPart = { key: string; text: string };

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

/** The kind of a JSON value, by its first character. */
export function kindOf(text: string): JsonKind {
  switch (text[0]) {
    case "{":
      return "object";
    case "[":
      return "array";
    case '"':
      return "string";
    case "t":
    case "f":
      return "boolean";
    case "n":
      return "null";
    default:
      return "number";
  }
}

/**
 * The parts of an object or array in valid JSON, each as it is written: nothing is parsed, so numbers keep their digits,
 * and members their order and their number. Values inside of parts are not looked at.
 */
export function partsOf(json: string): JsonPart[] {
  const isObject = json[0] === "{";
  const parts: JsonPart[] = [];
  let at = skipSpace(json, 1);
  while (at < json.length && json[at] !== "}" && json[at] !== "]") {
    let key = String(parts.length);
    if (isObject) {
      const end = endOfString(json, at + 1) + 1;
      const name = json.slice(at + 1, end - 1);
      key = name.includes("\\") ? stringOf(json.slice(at, end)) : name;
      at = skipSpace(json, skipSpace(json, end) + 1);
    }
    const end = endOfValue(json, at);
    parts.push({ key, text: json.slice(at, end) });
    at = skipSpace(json, end);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
  return parts;
}

/** A member of an object as it is written; undefined where it has none. */
export function memberOf(json: string, name: string): string | undefined {
  return partsOf(json).find(({ key }) => key === name)?.text;
}

/** The elements of an array, each as it is written. */
export function elementsOf(json: string): string[] {
  return elementTexts(json, 0);
}

/** The characters of a JSON string. */
export function stringOf(text: string): string {
  return JSON.parse(text) as string;
}

/** Writes JSON with a member a line, every value as it was written. */
export function indent(json: string, by = "  ", level = ""): string {
  const kind = kindOf(json);
  if (kind !== "object" && kind !== "array") return json;
  const parts = partsOf(json);
  const [open, close] = kind === "object" ? "{}" : "[]";
  if (parts.length === 0) return `${open}${close}`;
  const inner = level + by;
  const lines = parts.map(({ key, text }) => {
    const value = indent(text, by, inner);
    return `${inner}${kind === "object" ? `${JSON.stringify(key)}: ` : ""}${value}`;
  });
  return `${open}\n${lines.join(",\n")}\n${level}${close}`;
}
