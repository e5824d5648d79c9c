import { ENVELOPE_VERSION } from "../core/envelope.ts";
import { MESSAGE_ATTRIBUTES_RESERVE_BYTES, MESSAGE_MAX_BYTES } from "../core/limits.ts";
import { fitsUtf8 } from "../core/utf8.ts";

/** An event ready for the queue: its place in the request and its JSON text. */
export type Packable = { index: number; json: string };

export type Packed = { body: string; indexes: number[] };

/**
 * Packs the events of one tenant, in order, into as few queue messages as possible. An event is never split: its limit is
 * a quarter of a message.
 */
export function pack(events: Packable[], tenant: string, receivedAt: string): Packed[] {
  const { head, room } = envelope(tenant, receivedAt);
  const messages: { events: Packable[]; bytes: number }[] = [];
  for (const event of events) {
    const bytes = Buffer.byteLength(event.json) + 1;
    const last = messages.at(-1);
    if (last !== undefined && last.bytes + bytes <= room) {
      last.events.push(event);
      last.bytes += bytes;
    } else {
      messages.push({ events: [event], bytes });
    }
  }
  return messages.map(({ events: packed }) => ({
    body: head + packed.map((event) => event.json).join(",") + TAIL,
    indexes: packed.map((event) => event.index),
  }));
}

/** Packs a list of events, as text with commas between them, into one message; undefined if it does not fit. */
export function packWhole(
  { list, indexes }: { list: string; indexes: number[] },
  tenant: string,
  receivedAt: string,
): Packed | undefined {
  const { head, room } = envelope(tenant, receivedAt);
  return fitsUtf8(list, room) ? { body: head + list + TAIL, indexes } : undefined;
}

/** The text before the events, and the bytes left for the events, each with a comma. */
function envelope(tenant: string, receivedAt: string): { head: string; room: number } {
  const head = `{"version":${ENVELOPE_VERSION},"tenant":${JSON.stringify(tenant)},"receivedAt":${JSON.stringify(receivedAt)},"events":[`;
  const overhead = MESSAGE_ATTRIBUTES_RESERVE_BYTES + Buffer.byteLength(head) + TAIL.length;
  return { head, room: MESSAGE_MAX_BYTES - overhead };
}

const TAIL = "]}";
