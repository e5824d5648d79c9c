import { MESSAGE_ATTRIBUTES_RESERVE_BYTES, MESSAGE_MAX_BYTES } from "./queue-limits.ts";
import type { RetentionDays } from "./retention.ts";
import { stringifyForQueue } from "./sqs-text.ts";

/**
 * Writes the text of a queue message, which message-text.ts makes its body; envelope-schema.ts reads it, apart because a schema that ingest never uses would cost
 * each of its cold starts three milliseconds.
 */

/** Raised when a consumer of the previous version could not read what is sent; both versions are then read. */
export const ENVELOPE_VERSION = 1;

/** The members of an envelope before its events (envelope-schema.ts). */
export type EnvelopeHead = {
  tenant: string;
  receivedAt: string;
  retention?: RetentionDays | undefined;
  producer?: string | undefined;
  sequence?: number | undefined;
  traceparent?: string | undefined;
  eventTraceparent?: string | undefined;
};

/** An envelope around one event. */
export function writeEnvelope(head: EnvelopeHead, event: unknown): string {
  return wrapText(stringifyForQueue(event), head);
}

/** An envelope around the text of one event, which need not be JSON. */
export function wrapText(event: string, head: EnvelopeHead): string {
  return openEnvelope(head) + event + CLOSING;
}

/**
 * Packs events of one envelope head, in order, into as few messages as hold them, plain as they may be. An event is never split: the
 * limit of one event is a quarter of a message. Where the events have numbers, each message has that of its own first event.
 * @param head also that of an envelope of another version, whose members are written as they are
 * @param toJson an event's JSON text, which SQS accepts
 */
export function packEvents<T>(
  events: readonly T[],
  head: EnvelopeHead | Record<string, unknown>,
  toJson: (event: T) => string,
): { text: string; events: T[] }[] {
  // No opening is longer than one with the number behind the last event.
  const room = roomAfter(openEnvelope(fromEvent(head, events.length)));
  const messages: { texts: string[]; events: T[]; bytes: number }[] = [];
  for (const event of events) {
    const text = toJson(event);
    const bytes = Buffer.byteLength(text) + ",".length;
    const last = messages.at(-1);
    if (last !== undefined && last.bytes + bytes <= room) {
      last.texts.push(text);
      last.events.push(event);
      last.bytes += bytes;
    } else messages.push({ texts: [text], events: [event], bytes });
  }
  let before = 0;
  return messages.map(({ texts, events: packed }) => {
    const text = openEnvelope(fromEvent(head, before)) + texts.join(",") + CLOSING;
    before += packed.length;
    return { text, events: packed };
  });
}

/** The head of a message whose first event has so many events before it. */
function fromEvent<Head extends EnvelopeHead | Record<string, unknown>>(head: Head, before: number): Head {
  return typeof head.sequence === "number" ? { ...head, sequence: head.sequence + before } : head;
}

function openEnvelope(head: EnvelopeHead | Record<string, unknown>): string {
  const members = stringifyForQueue({ version: ENVELOPE_VERSION, ...head });
  return `${members.slice(0, -1)},"events":[`;
}

const CLOSING = "]}";

/** Bytes for events, each with a comma. */
function roomAfter(opening: string): number {
  return MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES - Buffer.byteLength(opening) - CLOSING.length;
}
