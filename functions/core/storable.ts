import { EVENT_MAX_BYTES, EVENT_MAX_DEPTH } from "./limits.ts";
import { isRawNumber } from "./lossless-json.ts";

/** Why a value cannot be stored: where, and what stands there. */
export type Fault = { path: string; code: string; message: string };

/**
 * Finds what Postgres or the queue would refuse later: U+0000 and lone surrogates anywhere in a text or key, nesting
 * over the limit, numbers whose digits do not fit, and an event over the size limit. Undefined when all is storable.
 *
 * `size` counts bytes as Postgres will write the value back: jsonb expands exponents (`1e300` has 301 digits), so a
 * small event could otherwise be stored and never be read through a result of 1 MiB.
 * @see https://www.postgresql.org/docs/17/datatype-json.html (jsonb and \u0000, numeric)
 */
export function findUnstorable(value: unknown, jsonText: string): Fault | undefined {
  const state = { expanded: 0 };
  const fault = walk(value, "", 0, state);
  if (fault !== undefined) return fault;
  const size = Buffer.byteLength(jsonText) + state.expanded;
  if (size <= EVENT_MAX_BYTES) return undefined;
  return { path: "", code: "event_too_large", message: `has ${size} bytes, at most ${EVENT_MAX_BYTES} are allowed` };
}

function walk(value: unknown, path: string, depth: number, state: { expanded: number }): Fault | undefined {
  switch (typeof value) {
    case "string":
      return textFault(value, path);
    case "number":
      return numberFault(String(value), path, state);
    case "object": {
      if (value === null) return undefined;
      if (isRawNumber(value)) return numberFault(value.rawJSON, path, state);
      if (depth === EVENT_MAX_DEPTH) {
        return { path, code: "too_deep", message: `is nested deeper than ${EVENT_MAX_DEPTH} levels` };
      }
      if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i++) {
          const fault = walk(value[i], `${path}/${i}`, depth + 1, state);
          if (fault !== undefined) return fault;
        }
        return undefined;
      }
      for (const [key, member] of Object.entries(value)) {
        const memberPath = `${path}/${escapePointer(key)}`;
        const fault = keyFault(key, path) ?? walk(member, memberPath, depth + 1, state);
        if (fault !== undefined) return fault;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}

function textFault(text: string, path: string): Fault | undefined {
  if (text.includes("\u0000")) {
    return { path, code: "unstorable_text", message: "contains U+0000, which PostgreSQL cannot store; remove it" };
  }
  if (!text.isWellFormed()) {
    return { path, code: "unstorable_text", message: "contains half of a surrogate pair; send valid Unicode" };
  }
  return undefined;
}

function keyFault(key: string, path: string): Fault | undefined {
  const fault = textFault(key, path);
  if (fault !== undefined) return { ...fault, message: `has a key that ${fault.message}` };
  if (key !== "__proto__") return undefined;
  return { path, code: "unstorable_key", message: "has the key __proto__, which JavaScript readers drop or obey" };
}

/** Digits before and after the point that one number may have when written out; doubles need at most 309 and 1,074. */
const NUMBER_MAX_DIGITS = 1_100;

function numberFault(source: string, path: string, state: { expanded: number }): Fault | undefined {
  const parts = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source);
  const exponent = Number(parts?.[3] ?? 0);
  const whole = Math.max((parts?.[1]?.length ?? 1) + exponent, 1);
  const fraction = Math.max((parts?.[2]?.length ?? 0) - exponent, 0);
  if (parts === null || whole + fraction > NUMBER_MAX_DIGITS) {
    return {
      path,
      code: "number_out_of_range",
      message: `is a number with more than ${NUMBER_MAX_DIGITS} digits when written out; send it as a string`,
    };
  }
  state.expanded += Math.max(whole + fraction - source.length, 0);
  return undefined;
}

/** One reference token of a JSON Pointer. @see RFC 6901 section 3 */
export function escapePointer(token: string): string {
  return token.replaceAll("~", "~0").replaceAll("/", "~1");
}
