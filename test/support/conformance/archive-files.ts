import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ArchiveFiles } from "../../../functions/core/archive-files.ts";
import { allOf } from "../all-of.ts";

/** The contract of every store of archives; `open` gives one that is empty. */
export function describeArchiveFiles(name: string, open: () => Promise<ArchiveFiles>): void {
  describe(`the files of archives ${name}`, () => {
    it("a file comes back byte for byte, and one that is not there is none", async () => {
      const files = await open();
      const bytes = randomBytes(1_000_000);

      await files.put("archive/30d/2026-11-01/a%2Fb/1/part-00001.ndjson.gz", bytes, "application/gzip");

      const found = await files.get("archive/30d/2026-11-01/a%2Fb/1/part-00001.ndjson.gz");
      expect(Buffer.compare(Buffer.from(found ?? []), bytes)).toBe(0);
      expect(await files.get("archive/30d/2026-11-01/a/b/1/part-00001.ndjson.gz")).toBeUndefined();
    });

    it("a file that is written again is the second one", async () => {
      const files = await open();
      await files.put("archive/a", Buffer.from("first and longer"), "application/json");

      await files.put("archive/a", Buffer.from("second"), "application/json");

      expect(String(Buffer.from((await files.get("archive/a")) ?? []))).toBe("second");
    });

    it("files are listed by the beginning of their keys in the order of their bytes, however many they are", async () => {
      const files = await open();
      const keys = Array.from({ length: 1_050 }, (_, at) => `archive/30d/${at}`);
      for (const key of [...keys, "archive/40d/a", "archive/30", "archive/30d-b"])
        await files.put(key, Buffer.from("1"), "text/plain");

      expect(await allOf(files.list("archive/30d/"))).toEqual(keys.toSorted());
      expect(await allOf(files.list("archive/4"))).toEqual(["archive/40d/a"]);
      expect(await allOf(files.list("none"))).toEqual([]);
    });

    it("the folders in a folder are listed in their order, however many files they have", async () => {
      const files = await open();
      for (const key of [
        "30d/2026-11-02/a/1",
        "30d/2026-11-01/a/1",
        "30d/2026-11-01/b/1",
        "30d/file",
        "7d/2026-11-03/a",
      ])
        await files.put(`archive/${key}`, Buffer.from("1"), "text/plain");

      expect(await allOf(files.folders("archive/30d/"))).toEqual([
        "archive/30d/2026-11-01/",
        "archive/30d/2026-11-02/",
      ]);
      expect(await allOf(files.folders("archive/90d/"))).toEqual([]);
    });

    it("a file that is deleted is none, and one that is not there may be deleted", async () => {
      const files = await open();
      await files.put("archive/a", Buffer.from("1"), "text/plain");
      await files.put("archive/a.b", Buffer.from("2"), "text/plain");

      await files.delete("archive/a");
      await files.delete("archive/a");

      expect(await allOf(files.list("archive/"))).toEqual(["archive/a.b"]);
    });
  });
}
