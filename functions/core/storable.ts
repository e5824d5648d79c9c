import type { VerdictCode } from "./errors.ts";
import { EVENT_MAX_BYTES, EVENT_MAX_DEPTH, FAULT_PATH_MAX_CHARACTERS } from "./limits.ts";
import { isRawNumber } from "./lossless-json.ts";

/** Why a value cannot be stored: where (JSON Pointer, RFC 6901), a stable code, and what stands there. */
export type Fault = { path: string; code: VerdictCode; message: string };

/**
 * Finds what Postgres or the queue would refuse later: U+0000 and lone surrogates anywhere in a text or key, nesting
 * over the limit, numbers whose digits do not fit, and a value over the size limit. Undefined when all is storable.
 *
 * It looks no further than the limits, so a hostile value costs no more than a large one. The size counts bytes as
 * Postgres will write the value back, without spaces: jsonb expands exponents (`1e300` has 301 digits), so a small
 * event could otherwise be stored and never be read through a result of 1 MiB.
 * @see https://www.postgresql.org/docs/17/datatype-json.html (jsonb and \u0000, numeric)
 */
export function findUnstorable(value: unknown): Fault | undefined {
  const state: State = { bytes: 0, path: [] };
  const found = walk(value, state);
  return found === undefined ? undefined : { ...found, path: found === TOO_LARGE ? "" : toPointer(state.path) };
}

/** Whether arrays and objects are nested over so many levels; it looks no further. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null || isRawNumber(value)) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

/** Size so far, and where the walk is; it ends with the first fault and stays there. */
type State = { bytes: number; path: (string | number)[] };
type Found = Omit<Fault, "path">;

function walk(value: unknown, state: State): Found | undefined {
  if (state.bytes > EVENT_MAX_BYTES) return TOO_LARGE;
  switch (typeof value) {
    case "string":
      return textFault(value, state);
    case "number":
      return numberFault(String(value), state);
    case "object":
      if (value === null) return grow(state, 4);
      if (isRawNumber(value)) return numberFault(value.rawJSON, state);
      if (state.path.length === EVENT_MAX_DEPTH) {
        return { code: "too_deep", message: `is nested deeper than ${EVENT_MAX_DEPTH} levels` };
      }
      return Array.isArray(value) ? walkArray(value, state) : walkObject(value, state);
    case "boolean":
      return grow(state, value ? 4 : 5);
    default:
      return undefined;
  }
}

function walkArray(value: unknown[], state: State): Found | undefined {
  grow(state, containerBytes(value.length));
  for (let i = 0; i < value.length; i++) {
    const fault = walkMember(i, value[i], state);
    if (fault !== undefined) return fault;
  }
  return grow(state, 0);
}

function walkObject(value: object, state: State): Found | undefined {
  const members = Object.entries(value);
  grow(state, containerBytes(members.length));
  for (const [key, member] of members) {
    const fault = keyFault(key, state) ?? walkMember(key, member, state);
    if (fault !== undefined) return fault;
  }
  return grow(state, 0);
}

function walkMember(key: string | number, member: unknown, state: State): Found | undefined {
  state.path.push(key);
  const fault = walk(member, state);
  if (fault === undefined) state.path.pop();
  return fault;
}

/** The brackets and the commas between so many members. */
function containerBytes(members: number): number {
  return 2 + Math.max(members - 1, 0);
}

const TOO_LARGE: Found = {
  code: "event_too_large",
  message: `has more than ${EVENT_MAX_BYTES} bytes, which is the limit`,
};

function grow(state: State, bytes: number): Found | undefined {
  state.bytes += bytes;
  return state.bytes > EVENT_MAX_BYTES ? TOO_LARGE : undefined;
}

function textFault(text: string, state: State): Found | undefined {
  if (text.length > EVENT_MAX_BYTES) return TOO_LARGE;
  if (text.includes("\u0000")) {
    return { code: "unstorable_text", message: "contains U+0000, which PostgreSQL cannot store; remove it" };
  }
  if (!text.isWellFormed()) {
    return { code: "unstorable_text", message: "contains half of a surrogate pair; send valid Unicode" };
  }
  return grow(state, Buffer.byteLength(ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`));
}

/** What `JSON.stringify` escapes in a well-formed text. */
const ESCAPED = /["\\\u0000-\u001F]/;

function keyFault(key: string, state: State): Found | undefined {
  if (key === "__proto__") {
    return { code: "unstorable_key", message: "has the key __proto__, which JavaScript readers drop or obey" };
  }
  const fault = textFault(key, state);
  if (fault !== undefined && fault !== TOO_LARGE) return { ...fault, message: `has a key that ${fault.message}` };
  return fault ?? grow(state, ":".length);
}

/** Digits before and after the point that one number may have when written out; doubles need at most 309 and 1,074. */
const NUMBER_MAX_DIGITS = 1_100;

function numberFault(source: string, state: State): Found | undefined {
  const parts = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source);
  const exponent = Number(parts?.[3] ?? 0);
  const whole = Math.max((parts?.[1]?.length ?? 1) + exponent, 1);
  const fraction = Math.max((parts?.[2]?.length ?? 0) - exponent, 0);
  if (parts === null || whole + fraction > NUMBER_MAX_DIGITS) {
    return {
      code: "number_out_of_range",
      message: `is a number with more than ${NUMBER_MAX_DIGITS} digits when written out; send it as a string`,
    };
  }
  return grow(state, Math.max(whole + fraction, source.length));
}

/** A JSON Pointer (RFC 6901 section 3), cut where it would be longer than any real one. */
export function toPointer(path: readonly PropertyKey[]): string {
  let pointer = "";
  for (const token of path) {
    const text = String(token).slice(0, FAULT_PATH_MAX_CHARACTERS).replaceAll("~", "~0").replaceAll("/", "~1");
    pointer += `/${text.toWellFormed()}`;
    if (pointer.length > FAULT_PATH_MAX_CHARACTERS)
      return `${pointer.slice(0, FAULT_PATH_MAX_CHARACTERS).toWellFormed()}…`;
  }
  return pointer;
}
