import { SET_BY_SLUICE } from "./attributes.ts";
import type { EventError } from "./errors.ts";
import type { Event } from "./event.ts";
import { findUnstorable } from "./find-unstorable.ts";
import { EVENT_MAX_BYTES, EVENT_MAX_DEPTH } from "./limits.ts";
import type { Parsed } from "./lossless-json.ts";
import { stringifyForQueue } from "./sqs-text.ts";
import { TRACEPARENT } from "./trace.ts";

/**
 * The verbatim fast path (docs/decisions/0013). An event travels as the text that was sent, and its values are neither
 * checked one by one nor written again, if
 * 1. one scan of its text shows that the text is storable as it is,
 * 2. writing the event again would not make it shorter, and
 * 3. the event is complete: nothing is generated, moved or left out.
 */

/** Says that the text of an event is storable as it is. */
export type VerbatimText = {
  /** Upper bound of the event's size when it is stored. */
  maxBytes: number;
  /** The event's own text; undefined where writing it again would make it shorter. */
  text: string | undefined;
};

/** Examines the scan of one event's text; returns undefined if its values must be checked one by one. */
export function verbatimEvent(text: string, { isVerbatimSafe, depth }: Parsed): VerbatimText | undefined {
  if (!isVerbatimSafe || depth > EVENT_MAX_DEPTH) return undefined;
  return verbatimText(text.trim());
}

/** Examines the scan of a list that has events, for each of them. */
export function verbatimMembers(text: string, { isVerbatimSafe, depth, commas }: Parsed): VerbatimText[] | undefined {
  // The list around the events is a level more.
  if (!isVerbatimSafe || depth > EVENT_MAX_DEPTH + 1) return undefined;
  let start = text.indexOf("[") + 1;
  return [...commas, text.lastIndexOf("]")].map((end) => {
    const member = text.slice(start, end).trim();
    start = end + 1;
    return verbatimText(member);
  });
}

function verbatimText(text: string): VerbatimText {
  const maxBytes = Buffer.byteLength(text);
  return { maxBytes, text: isTight(text) && maxBytes <= EVENT_MAX_BYTES ? text : undefined };
}

/** Tells whether text is hardly shorter when it is written again: it has no line breaks and no escaped characters. */
function isTight(text: string): boolean {
  return !text.includes("\n") && !text.includes("\\u");
}

/** Finds a part of an event that cannot be stored; the values of a storable text need no check. */
export function findUnstorablePart(lossless: object, verbatim: VerbatimText | undefined): EventError | undefined {
  const isKnownStorable = verbatim !== undefined && verbatim.maxBytes <= EVENT_MAX_BYTES;
  return isKnownStorable ? undefined : findUnstorable(storedMembers(lossless));
}

/** The members of an event that were sent with it, so that an event of the largest size can be sent again once it was read. */
function storedMembers(event: object): object {
  const members = Object.entries(event);
  const stored = members.filter(
    ([name, value]) => name !== "specversion" && !SET_BY_SLUICE.has(name) && !isTraceparent(name, value),
  );
  return stored.length === members.length ? event : Object.fromEntries(stored);
}

/** The trace that an event may have got from its request (core/with-trace.ts). */
const isTraceparent = (name: string, value: unknown): boolean =>
  name === "traceparent" && typeof value === "string" && TRACEPARENT.test(value);

/** Tells whether an event has the same members in a message as in the request. */
export function isComplete(sent: {
  value: object;
  /** The event without the members that are null and mean "absent". */
  input: Record<string, unknown>;
  extensions: readonly unknown[];
}): boolean {
  const { value, input, extensions } = sent;
  return extensions.length === 0 && input["id"] !== undefined && input["time"] !== undefined && input === value;
}

/** An event that passed the checks, and what decides whether it travels verbatim. */
export type Checked = { event: Event; isComplete: boolean; verbatim: VerbatimText | undefined };

/** Writes an event as it travels. */
export function toJson({ event, isComplete, verbatim }: Checked): string {
  return (isComplete ? verbatim?.text : undefined) ?? stringifyForQueue(event);
}
