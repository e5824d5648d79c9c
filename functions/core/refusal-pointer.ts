import { redact } from "./redact.ts";
import { REFUSAL_NAME_MAX_CHARACTERS, REFUSAL_POINTER_MAX_CHARACTERS } from "./refusal-limits.ts";

/**
 * A JSON Pointer (RFC 6901) with `*` in place of each index and of each key that is no name, for example `/data/items/*` for
 * `/data/items/0`. So errors at one place of a schema are one group, and no key that is a value is kept. It has at most
 * REFUSAL_POINTER_MAX_CHARACTERS; keys that have no room are left out.
 */
export function toRefusalPointer(pointer: string): string {
  if (pointer === "") return "";
  let text = `/${pointer.slice(1).split("/").map(toShownName).join("/")}`;
  // The mark of an empty key is longer than the key.
  while (text.length > REFUSAL_POINTER_MAX_CHARACTERS) text = text.slice(0, text.lastIndexOf("/"));
  return text;
}

/**
 * A key of an object if it is a name, else `*`. A name begins with an alphabetic character, `_` or `$`, goes on with digits
 * and hyphens as well, and has at most REFUSAL_NAME_MAX_CHARACTERS, no long number, and no secret's form.
 */
export function toShownName(key: string): string {
  const known = shown.get(key);
  if (known !== undefined) return known;
  const name = isName(key) ? key : HIDDEN;
  if (key.length <= REFUSAL_NAME_MAX_CHARACTERS && shown.size < REMEMBERED_NAMES) shown.set(key, name);
  return name;
}

const HIDDEN = "*";

/** Results for keys that were met before: nearly all are from the same schemas. */
const shown = new Map<string, string>();
const REMEMBERED_NAMES = 2_000;

function isName(key: string): boolean {
  return NAME.test(key) && key !== "__proto__" && !LONG_NUMBER.test(key) && !isSecret(key);
}

/** Tells whether a name has the form of a secret; the shortest ones have 12 characters. */
function isSecret(name: string): boolean {
  return name.length >= SECRET_MIN_CHARACTERS && redact(name) !== name;
}

const SECRET_MIN_CHARACTERS = 12;

const NAME = new RegExp(`^[\\p{L}_$][\\p{L}\\p{N}_$-]{0,${REFUSAL_NAME_MAX_CHARACTERS - 1}}$`, "u");

/** Five digits are an id: `order-10432`. Names have fewer, as in `sha256`. */
const LONG_NUMBER = /\d{5}/;
