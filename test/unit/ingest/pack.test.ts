import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MESSAGE_ATTRIBUTES_RESERVE_BYTES, MESSAGE_MAX_BYTES } from "../../../functions/core/limits.ts";
import { pack, packWhole } from "../../../functions/ingest/pack.ts";
import { NOW } from "./support.ts";

const sized = (bytes: number, index: number) => ({
  index,
  json: `"${"é".repeat(Math.floor((bytes - 2) / 2))}${"x".repeat(bytes % 2)}"`,
});

describe("pack", () => {
  it("keeps every event once and in order, within the limit of a message, for any sizes", () => {
    const size = fc.oneof(fc.integer({ min: 2, max: 2_000 }), fc.integer({ min: 200_000, max: 262_144 }));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 40 }), (sizes) => {
        const events = sizes.map(sized);

        const messages = pack(events, "default", NOW);

        expect(messages.flatMap(({ indexes }) => indexes)).toEqual(events.map(({ index }) => index));
        expect(messages.flatMap(({ body }) => JSON.parse(body).events)).toEqual(
          events.map(({ json }) => JSON.parse(json)),
        );
        for (const { body } of messages) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MESSAGE_MAX_BYTES);
      }),
      { numRuns: 30 },
    );
  });

  it("fills a message up to the reserve for its attributes before it begins another", () => {
    const empty = Buffer.byteLength(pack([{ index: 0, json: "1" }], "default", NOW)[0]?.body ?? "") - 1;
    // Five events and the four commas between them.
    const fitting = (spare: number) =>
      [0, 1, 2, 3]
        .map((i) => sized(200_000, i))
        .concat(sized(MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES - empty - 800_000 - 5 - spare, 4));

    expect(pack(fitting(0), "default", NOW)).toHaveLength(1);
    expect(pack(fitting(-1), "default", NOW)).toHaveLength(2);
  });

  it("packs a whole list up to the room in bytes that is left", () => {
    const whole = (list: string) => packWhole({ list, indexes: [0] }, "default", NOW)?.body;
    const room = MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES - Buffer.byteLength(whole("") ?? "");
    const list = (bytes: number) => sized(bytes, 0).json;

    expect(Buffer.byteLength(whole(list(room)) ?? "")).toBe(MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES);
    expect(whole(list(room + 1))).toBeUndefined();
  });

  it("returns no message for no events", () => {
    expect(pack([], "default", NOW)).toEqual([]);
  });
});
