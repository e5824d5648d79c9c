import { FAULT_PATH_MAX_CHARACTERS } from "./limits.ts";

/** Writes a path as a JSON Pointer (RFC 6901 section 3) and truncates it where a hostile key makes it too long. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  let pointer = "";
  for (const token of path) {
    const text = String(token).slice(0, FAULT_PATH_MAX_CHARACTERS).replaceAll("~", "~0").replaceAll("/", "~1");
    pointer += `/${text.toWellFormed()}`;
    if (pointer.length > FAULT_PATH_MAX_CHARACTERS)
      return `${pointer.slice(0, FAULT_PATH_MAX_CHARACTERS).toWellFormed()}…`;
  }
  return pointer;
}
