import type * as z from "zod";
import type { EnvelopeHead } from "./envelope.ts";
import { envelope, envelopeHead } from "./envelope-schema.ts";
import { type Event, event } from "./event.ts";
import { jsonPointer } from "./json-pointer.ts";
import { EVENT_MAX_DEPTH, REQUEST_MAX_EVENTS } from "./limits.ts";
import { type Parsed, parseLossless } from "./lossless-json.ts";
import { textOfMessage } from "./message-text.ts";
import type { Origin } from "./ports.ts";
import { splitEnvelope } from "./split-envelope.ts";
import { isDeeperThan } from "./find-unstorable.ts";

/** A message; `text` is that of its envelope, which its body may have compressed. */
export type ReadMessage =
  | { kind: "readable"; text: string; head: EnvelopeHead; events: ReadEvent[]; unreadable: UnreadableEvent[] }
  | { kind: "unreadable"; text: string; detail: string };

/** An event, and its index in the message. */
type ReadEvent = { event: Event; index: number };

/** The text of an event that is no event, and what is wrong with it. */
export type UnreadableEvent = { text: string; detail: string; index: number };

/** An event is two levels deep in a message: the envelope and its list are around it. */
const ENVELOPE_MAX_DEPTH = EVENT_MAX_DEPTH + 2;

/**
 * Parses a message body once, at the trust boundary: anybody who may write to the queue may write anything. Where the body
 * as a whole is no envelope, its events are read one by one, so that a bad one does not take the others along.
 */
export function readMessage(body: string): ReadMessage {
  const { text, fault } = textOfMessage(body);
  if (fault !== undefined) return { kind: "unreadable", text, detail: `The message is no envelope. ${fault}` };
  const whole = read(envelope(), text, ENVELOPE_MAX_DEPTH);
  if ("value" in whole) {
    const { version: _, events, ...head } = whole.value;
    return {
      kind: "readable",
      text,
      head,
      events: events.map((each, index) => ({ event: each, index })),
      unreadable: [],
    };
  }

  const split = splitEnvelope(text, REQUEST_MAX_EVENTS);
  const outer = split && read(envelopeHead(), split.head, ENVELOPE_MAX_DEPTH);
  if (outer === undefined || "detail" in outer) {
    const { detail } = outer ?? whole;
    return { kind: "unreadable", text, detail: `The message is not an envelope of a known version. ${detail}` };
  }
  const { version: _, ...head } = outer.value;
  const events: ReadEvent[] = [];
  const unreadable: UnreadableEvent[] = [];
  for (const [index, eventText] of (split?.events ?? []).entries()) {
    const each = read(event(), eventText, EVENT_MAX_DEPTH);
    if ("value" in each) events.push({ event: each.value, index });
    else unreadable.push({ text: eventText, detail: each.detail, index });
  }
  return { kind: "readable", text, head, events, unreadable };
}

/** The number of the event at an index of a message; undefined where the message has not both producer and number. */
export function originOf({ producer, sequence }: EnvelopeHead, index: number): Origin | undefined {
  return producer === undefined || sequence === undefined ? undefined : { producer, sequence: sequence + index };
}

/** The head of an envelope around the event at an index alone: that of its message, with the event's own number. */
export function headOf(head: EnvelopeHead, index: number): EnvelopeHead {
  return { ...head, ...originOf(head, index) };
}

/** Parses JSON text and checks it by a schema; says what is wrong where it is not valid. */
function read<T>(schema: z.ZodType<T>, text: string, maxDepth: number): { value: T } | { detail: string } {
  let parsed: Parsed;
  try {
    parsed = parseLossless(text);
  } catch {
    return { detail: "It is not JSON, or nested too deep." };
  }
  // The schema check recurses, so bound the depth first. The scan counts too many levels where a key is repeated, hence
  // the second, exact check.
  if (parsed.depth > maxDepth && isDeeperThan(parsed.lossless, maxDepth)) return { detail: "It is nested too deep." };
  const { data, error } = schema.safeParse(parsed.lossless);
  if (error === undefined) return { value: data };
  const [first] = error.issues;
  return { detail: `${jsonPointer(first?.path ?? [])} ${first?.message}`.trim() };
}
