import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MESSAGE_ATTRIBUTES_RESERVE_BYTES, MESSAGE_MAX_BYTES } from "../../../functions/core/queue-limits.ts";
import { packEvents } from "../../../functions/core/envelope.ts";

const HEAD = { tenant: "default", receivedAt: "2026-11-21T09:30:00.000Z" };

/** The JSON text of an event of so many bytes. */
const sized = (bytes: number) => `"${"é".repeat(Math.floor((bytes - 2) / 2))}${"x".repeat(bytes % 2)}"`;
const pack = (events: string[]) => packEvents(events, HEAD, (json) => json);

describe("packing events into envelopes", () => {
  it("keeps every event once and in order, within the limit of a message, for any sizes", () => {
    const size = fc.oneof(fc.integer({ min: 2, max: 2_000 }), fc.integer({ min: 200_000, max: 262_144 }));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 40 }), (sizes) => {
        const events = sizes.map((bytes) => sized(bytes));

        const messages = pack(events);

        expect(messages.flatMap((message) => message.events)).toEqual(events);
        expect(messages.flatMap(({ text }) => JSON.parse(text).events)).toEqual(events.map((json) => JSON.parse(json)));
        for (const { text } of messages) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MESSAGE_MAX_BYTES);
      }),
      { numRuns: 30 },
    );
  });

  it("fills a message up to the reserve for its attributes before it begins another", () => {
    const empty = Buffer.byteLength(pack(["1"])[0]?.text ?? "") - 1;
    // Five events and the four commas between them.
    const fitting = (spare: number) =>
      [0, 1, 2, 3]
        .map(() => sized(200_000))
        .concat(sized(MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES - empty - 800_000 - 5 - spare));

    expect(pack(fitting(0))).toHaveLength(1);
    expect(pack(fitting(-1))).toHaveLength(2);
  });

  it("gives each message the number of its first event, and room for the longest number", () => {
    const size = fc.oneof(fc.integer({ min: 2, max: 2_000 }), fc.integer({ min: 200_000, max: 262_144 }));
    const first = fc.integer({ min: 1, max: 1_001 });
    fc.assert(
      fc.property(fc.array(size, { maxLength: 40 }), first, (sizes, sequence) => {
        const events = sizes.map((bytes) => sized(bytes));

        const messages = packEvents(events, { ...HEAD, producer: "p", sequence }, (json) => json);

        let next = sequence;
        for (const { text, events: packed } of messages) {
          expect(JSON.parse(text)).toMatchObject({ producer: "p", sequence: next });
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES);
          next += packed.length;
        }
      }),
      { numRuns: 30 },
    );
  });

  it("returns no message for no events", () => {
    expect(pack([])).toEqual([]);
  });

  it("keeps the members of an envelope of another version", () => {
    const [message] = packEvents([{ id: "1" }], { version: 2, tenant: "t", added: [1] }, (event) =>
      JSON.stringify(event),
    );

    expect(JSON.parse(message?.text ?? "")).toEqual({ version: 2, tenant: "t", added: [1], events: [{ id: "1" }] });
  });
});
