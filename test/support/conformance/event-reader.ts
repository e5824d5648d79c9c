import { describe, expect, it } from "vitest";
import type { EventReader, StorableEvent } from "../../../functions/core/ports.ts";
import { soon } from "../database.ts";
import { storable } from "../event-samples.ts";

/** The contract of every event reader; `open` gives one over exactly these events. */
export function describeEventReader(
  name: string,
  open: (events: StorableEvent[]) => Promise<{ reader: EventReader; outage: () => void }>,
): void {
  const key = (id: string, source?: string) => ({ tenant: "default", id, source });

  describe(`an event reader ${name}`, () => {
    it("finds an event by its id as CloudEvents JSON", async () => {
      const event = storable({ id: "a", subject: "sub", extensions: { traceid: "abc" }, data: { n: [1, null] } });
      const { reader } = await open([event, storable({ id: "b" })]);

      const found = await reader.find(key("a"), soon());

      expect(found.kind).toBe("found");
      expect(JSON.parse(found.kind === "found" ? found.json : "")).toMatchObject({
        specversion: "1.0",
        id: "a",
        source: event.event.source,
        type: event.event.type,
        subject: "sub",
        traceid: "abc",
        data: { n: [1, null] },
        tenant: "default",
      });
    });

    it("finds no event of another id, source or tenant", async () => {
      const { reader } = await open([storable({ id: "a", source: "/s" })]);

      expect(await reader.find(key("b"), soon())).toEqual({ kind: "absent" });
      expect(await reader.find(key("a", "/other"), soon())).toEqual({ kind: "absent" });
      expect(await reader.find({ ...key("a"), tenant: "other" }, soon())).toEqual({ kind: "absent" });
    });

    it("names the sources of an ambiguous id, and finds the event of each", async () => {
      const { reader } = await open([
        storable({ id: "a", source: "/2", data: 2 }),
        storable({ id: "a", source: "/1", data: 1 }),
      ]);

      expect(await reader.find(key("a"), soon())).toEqual({ kind: "ambiguous", sources: ["/1", "/2"] });
      const found = await reader.find(key("a", "/2"), soon());
      expect(JSON.parse(found.kind === "found" ? found.json : "")).toMatchObject({ source: "/2", data: 2 });
    });

    it("throws an outage of the database", async () => {
      const { reader, outage } = await open([storable({ id: "a" })]);
      outage();

      await expect(reader.find(key("a"), Date.now() + 300)).rejects.toMatchObject({
        name: "DatabaseError",
        isOutage: true,
      });
    });
  });
}
