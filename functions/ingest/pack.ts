import { ENVELOPE_VERSION } from "../core/envelope.ts";
import { MESSAGE_ATTRIBUTES_RESERVE_BYTES, MESSAGE_MAX_BYTES } from "../core/limits.ts";

/** An event ready to travel: its place in the request and its JSON text. */
export type Packable = { index: number; json: string };

export type Packed = { body: string; indexes: number[] };

/**
 * Packs the events of one tenant, in order, into as few queue messages as hold them. An event is never split: the
 * limit of one event is a quarter of a message.
 */
export function pack(events: Packable[], tenant: string, receivedAt: string): Packed[] {
  const head = `{"version":${ENVELOPE_VERSION},"tenant":${JSON.stringify(tenant)},"receivedAt":${JSON.stringify(receivedAt)},"events":[`;
  const tail = "]}";
  const room = MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES - Buffer.byteLength(head) - tail.length;
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
    body: head + packed.map((event) => event.json).join(",") + tail,
    indexes: packed.map((event) => event.index),
  }));
}
