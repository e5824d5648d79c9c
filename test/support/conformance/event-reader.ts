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

    it("finds an event of an allowed type and source only, whatever else has its id", async () => {
      const { reader } = await open([
        storable({ id: "a", source: "/hr/1", type: "com.hr.hired" }),
        storable({ id: "a", source: "/shop/1", type: "com.shop.sold" }),
        storable({ id: "a", source: "/shop/2", type: "com.hr.*" }),
      ]);
      const find = async (types?: string[], sources?: string[]) => {
        const found = await reader.find({ ...key("a"), allowed: { types, sources } }, soon());
        if (found.kind !== "found") return found;
        return (JSON.parse(found.json) as { source: string }).source;
      };

      expect(await find(["com.shop.*"])).toBe("/shop/1");
      expect(await find(["com.shop.sold"])).toBe("/shop/1");
      expect(await find(["com.shop"])).toEqual({ kind: "absent" });
      expect(await find(["com.hr.hired"], ["/hr/*"])).toBe("/hr/1");
      expect(await find(undefined, ["/shop/*"])).toEqual({ kind: "ambiguous", sources: ["/shop/1", "/shop/2"] });
      expect(await find(["com.hr.*"])).toEqual({ kind: "ambiguous", sources: ["/hr/1", "/shop/2"] });
      expect(await find(["*"], ["/none", "/shop/2"])).toBe("/shop/2");
      expect(await find([])).toEqual({ kind: "absent" });
    });

    it("finds the event of an allowed source among more sources than are named", async () => {
      const sources = Array.from({ length: 25 }, (_, index) => `/s${index + 10}`);
      const { reader } = await open(sources.map((source) => storable({ id: "a", source })));

      const found = await reader.find({ ...key("a"), allowed: { types: undefined, sources: ["/s34"] } }, soon());

      expect(found).toMatchObject({ kind: "found", json: expect.stringContaining("/s34") });
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
