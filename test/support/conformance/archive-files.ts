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
  });
}
