import * as fc from "fast-check";
import { EVENT_MAX_BYTES } from "../../../functions/core/limits.ts";
import { MESSAGE_ATTRIBUTES_RESERVE_BYTES, MESSAGE_MAX_BYTES } from "../../../functions/core/queue-limits.ts";
import type { SentEvent } from "./client.ts";
import { filled } from "./sized-events.ts";

/** Events that would have so many bytes as one message, and the text they are filled with; random characters where there is none. */
type EdgeMessage = { bytes: number; count: number; unit: string | undefined };

/** As full as ingest makes a message; the rest is for attributes that are added later. */
export const FULL_BYTES = MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES;

/** Around that limit and that of SQS itself, filled with characters that take one to six bytes. */
export const edgeMessages = (mostEvents: number) =>
  fc.record({
    bytes: fc
      .tuple(fc.constantFrom(FULL_BYTES, MESSAGE_MAX_BYTES), fc.integer({ min: -120, max: 120 }))
      .map(([limit, more]) => limit + more),
    count: fc.integer({ min: 5, max: mostEvents }),
    unit: fc.constantFrom(undefined, "x", "é", "€", "😀", '"', "\u0001", "\uFFFF"),
  });

/** Messages that every run tries. */
export const EDGES: EdgeMessage[] = [
  ...[-64, -1, 0, 1].map((more) => FULL_BYTES + more),
  ...[-64, -1, 0, 1, 40, 80].map((more) => MESSAGE_MAX_BYTES + more),
].flatMap((bytes) => [undefined, "é"].map((unit) => ({ bytes, count: 5, unit })));

/** Each as large as an event may be, give or take these bytes. */
export function atEventLimit(events: readonly SentEvent[], more: readonly number[]): SentEvent[] {
  return events.map((event, index) => {
    // As it is sent it is smaller than in the queue, by the time.
    const sent = Buffer.byteLength(JSON.stringify(filled(event, EVENT_MAX_BYTES, "é")));
    return filled(event, EVENT_MAX_BYTES + (EVENT_MAX_BYTES - sent) + (more[index] ?? 0), "é");
  });
}
