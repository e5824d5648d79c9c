import { elementTexts, memberText } from "../../../functions/core/json-spans.ts";
import { isJsonObject, parseVerbatim } from "../../../functions/core/lossless-json.ts";

/** The event of a dead letter as text to edit, apart from the key that no correction changes. */
export type EditableEvent = { source: string; id: string; text: string };

/** Reads the event in the body of a queue message, numbers with all their digits; undefined for a body that has none. */
export function toEditable(body: string): EditableEvent | undefined {
  const event = eventIn(body);
  if (event === undefined) return undefined;
  const { source, id, extensions, ...members } = event;
  if (typeof source !== "string" || typeof id !== "string") return undefined;
  const sent = { ...members, ...(isJsonObject(extensions) ? extensions : {}) };
  return { source, id, text: JSON.stringify(sent, undefined, 2) };
}

function eventIn(body: string): Record<string, unknown> | undefined {
  let message: unknown;
  try {
    message = parseVerbatim(body);
  } catch {
    return undefined;
  }
  const events = isJsonObject(message) && Array.isArray(message["events"]) ? (message["events"] as unknown[]) : [];
  return isJsonObject(events[0]) ? events[0] : undefined;
}

/** The event in the body of a queue message as it is written there; undefined for a body that has none. */
export function eventText(body: string): string | undefined {
  if (!isObject(body)) return undefined;
  const events = memberText(body, "events") ?? "";
  const [event = ""] = events.startsWith("[") ? elementTexts(events, 0) : [];
  return event.startsWith("{") ? event : undefined;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * The number of lines that differ between two texts, whatever their order: of those that only one of them has, as many as the text with
 * more of them has. A line that was replaced counts once, one that was removed or added too.
 */
export function changedLines(before: string, after: string): number {
  const left = new Map<string, number>();
  for (const line of before.split("\n")) left.set(line, (left.get(line) ?? 0) + 1);
  let [added, removed] = [0, before.split("\n").length];
  for (const line of after.split("\n")) {
    const same = left.get(line) ?? 0;
    if (same === 0) added += 1;
    else {
      left.set(line, same - 1);
      removed -= 1;
    }
  }
  return Math.max(added, removed);
}
