import type { EventError } from "./errors.ts";
import { jsonPointer } from "./json-pointer.ts";
import { EVENT_MAX_BYTES, EVENT_MAX_DEPTH, NUMBER_MAX_DIGITS } from "./limits.ts";
import { isRawNumber } from "./lossless-json.ts";

/**
 * Finds the first part of a value that Postgres or the queue would refuse later: U+0000 or a lone surrogate in a text or
 * key, nesting over the limit, a number with too many digits, or a value over the size limit.
 *
 * The walk ends at the limits, so a hostile value costs no more than a large one. The size counts bytes as Postgres will
 * write the value back, without spaces: jsonb expands exponents (`1e300` has 301 digits), so a small event could
 * otherwise be stored and never be read through a result of 1 MiB.
 * @see https://www.postgresql.org/docs/17/datatype-json.html (jsonb and \u0000, numeric)
 */
export function findUnstorable(value: unknown): EventError | undefined {
  const state: State = { bytes: 0, path: [] };
  const found = walk(value, state);
  return found === undefined ? undefined : { ...found, path: found === TOO_LARGE ? "" : jsonPointer(state.path) };
}

/** Tells whether arrays and objects are nested deeper than `levels`; the walk ends there. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null || isRawNumber(value)) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

/** Size so far, and the current path; the walk ends at the first error and leaves the path there. */
type State = { bytes: number; path: (string | number)[] };
type Found = Omit<EventError, "path">;

function walk(value: unknown, state: State): Found | undefined {
  if (state.bytes > EVENT_MAX_BYTES) return TOO_LARGE;
  switch (typeof value) {
    case "string":
      return checkText(value, state);
    case "number":
      return checkNumber(String(value), state);
    case "object":
      if (value === null) return grow(state, 4);
      if (isRawNumber(value)) return checkNumber(value.rawJSON, state);
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
    const found = walkMember(i, value[i], state);
    if (found !== undefined) return found;
  }
  return grow(state, 0);
}

function walkObject(value: object, state: State): Found | undefined {
  const members = Object.entries(value);
  grow(state, containerBytes(members.length));
  for (const [key, member] of members) {
    const found = checkKey(key, state) ?? walkMember(key, member, state);
    if (found !== undefined) return found;
  }
  return grow(state, 0);
}

function walkMember(key: string | number, member: unknown, state: State): Found | undefined {
  state.path.push(key);
  const found = walk(member, state);
  if (found === undefined) state.path.pop();
  return found;
}

/** Bytes of the brackets and of the commas between the members. */
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

function checkText(text: string, state: State): Found | undefined {
  if (text.length > EVENT_MAX_BYTES) return TOO_LARGE;
  if (text.includes("\u0000")) {
    return { code: "unstorable_text", message: "contains U+0000, which PostgreSQL cannot store; remove it" };
  }
  if (!text.isWellFormed()) {
    return { code: "unstorable_text", message: "contains half of a surrogate pair; send valid Unicode" };
  }
  return grow(state, Buffer.byteLength(ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`));
}

/** Characters that `JSON.stringify` escapes in a well-formed text. */
const ESCAPED = /["\\\u0000-\u001F]/;

function checkKey(key: string, state: State): Found | undefined {
  if (key === "__proto__") {
    return { code: "unstorable_key", message: "has the key __proto__, which JavaScript readers drop or obey" };
  }
  const found = checkText(key, state);
  if (found !== undefined && found !== TOO_LARGE) return { ...found, message: `has a key that ${found.message}` };
  return found ?? grow(state, ":".length);
}

function checkNumber(source: string, state: State): Found | undefined {
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
