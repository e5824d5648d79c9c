import { redact } from "../core/redact.ts";
import { REFUSAL_MEMBERS, REFUSAL_TEXT_MAX_CHARACTERS } from "../core/refusal-limits.ts";
import type { RefusalSample } from "../core/refusal.ts";
import { toShownName } from "../core/refusal-pointer.ts";

/** The part of a sample that is about the event: who made it, and its form at the error. No value of its data is in it. */
export function describeEvent(event: unknown, pointer: string): Pick<RefusalSample, "id" | "source" | "members"> {
  if (!isObject(event)) return {};
  return { id: shownText(event["id"]), source: shownText(event["source"]), members: membersAround(event, pointer) };
}

/** A text that names a producer, cut and without secrets; undefined for a value that is no text. */
export function shownText(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return redact(value.slice(0, LOOKED_AT_CHARACTERS)).slice(0, REFUSAL_TEXT_MAX_CHARACTERS).toWellFormed();
}

/** Secrets are looked for in more than is shown, so that none is cut before it can be recognized. */
const LOOKED_AT_CHARACTERS = 4 * REFUSAL_TEXT_MAX_CHARACTERS;

/** The members of the innermost object on the way to an error, which shows the new name of a field that is missing. */
function membersAround(event: Record<string, unknown>, pointer: string): Record<string, string> {
  let innermost = event;
  let value: unknown = event;
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) break;
    value = (value as Record<string, unknown>)[key];
    if (isObject(value)) innermost = value;
  }
  const members = Object.entries(innermost).slice(0, REFUSAL_MEMBERS);
  return Object.fromEntries(members.map(([name, member]) => [toShownName(name), toShape(member)]));
}

/** The type of a JSON value, and its length where it has one. */
function toShape(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return `string(${value.length})`;
  if (Array.isArray(value)) return `array(${value.length})`;
  return isObject(value) ? `object(${Object.keys(value).length})` : typeof value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
