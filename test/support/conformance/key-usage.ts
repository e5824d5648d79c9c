import { describe, expect, it } from "vitest";
import type { KeyUsage } from "../../../functions/core/access.ts";

/** The contract of every store of the last use; `open` gives one that is empty and healthy. */
export function describeKeyUsage(name: string, open: () => Promise<{ usage: KeyUsage; outage: () => void }>): void {
  describe(`a store of the last use of keys ${name}`, () => {
    it("keeps the last day of each key, whatever the order of the writes", async () => {
      const { usage } = await open();
      await usage.used("a", "2026-11-28");
      await usage.used("a", "2026-11-29");
      await usage.used("a", "2026-11-27");
      await usage.used("b", "2026-11-29");

      expect(await usage.lastUsed(["a", "b", "never"])).toEqual(
        new Map([
          ["a", "2026-11-29"],
          ["b", "2026-11-29"],
        ]),
      );
    });

    it("returns the days of more keys than one call takes, and none for no key", async () => {
      const { usage } = await open();
      const ids = Array.from({ length: 205 }, (_, at) => `key${at}`);
      for (const id of ids) await usage.used(id, "2026-11-29");

      expect((await usage.lastUsed([...ids, ...ids])).size).toBe(205);
      expect(await usage.lastUsed([])).toEqual(new Map());
    });

    it("never fails a request in an outage, and says so to those who list", async () => {
      const { usage, outage } = await open();
      outage();

      await expect(usage.used("a", "2026-11-29")).resolves.toBeUndefined();
      await expect(usage.lastUsed(["a"])).rejects.toMatchObject({ name: "AccessError" });
    });
  });
}
