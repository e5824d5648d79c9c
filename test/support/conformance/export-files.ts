import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ExportFiles } from "../../../functions/core/export-job.ts";
import { EXPORT_PIECE_BYTES } from "../../../functions/core/export-limits.ts";

type FilesUnderTest = {
  files: ExportFiles;
  /** The bytes of a file; undefined where there is none. */
  get: (key: string) => Promise<Buffer | undefined>;
};

const sha256 = (bytes: Uint8Array | undefined) =>
  createHash("sha256")
    .update(bytes ?? "none")
    .digest("hex");

/** The contract of every store of files; `open` gives one that is empty. */
export function describeExportFiles(name: string, open: () => Promise<FilesUnderTest>): void {
  const write = async (files: ExportFiles, key: string, chunks: Uint8Array[]) => {
    const upload = files.upload(key, "application/gzip");
    for (const chunk of chunks) await upload.write(chunk);
    await upload.complete();
  };

  describe(`the files of exports ${name}`, () => {
    it.each([
      ["without a byte", []],
      ["of some bytes", [10, 1, 100]],
      ["of one piece exactly", [EXPORT_PIECE_BYTES]],
      ["of one byte more than a piece", [EXPORT_PIECE_BYTES, 1]],
      ["of several pieces in chunks of the compressor", Array.from({ length: 1_100 }, () => 16_384)],
    ])("a file %s is what was written", async (_, sizes) => {
      const { files, get } = await open();
      const chunks = sizes.map((size) => randomBytes(size));

      await write(files, "exports/acme/a", chunks);

      expect(sha256(await get("exports/acme/a"))).toBe(sha256(Buffer.concat(chunks)));
    });

    it("a file is there when it is completed and not before, and never where it is aborted", async () => {
      const { files, get } = await open();
      const upload = files.upload("exports/acme/a", "application/gzip");
      await upload.write(randomBytes(EXPORT_PIECE_BYTES + 1));
      await upload.write(randomBytes(1));

      expect(await get("exports/acme/a")).toBeUndefined();
      await upload.abort();
      await files.upload("exports/acme/b", "application/gzip").abort();

      expect([await get("exports/acme/a"), await get("exports/acme/b")]).toEqual([undefined, undefined]);
    });

    it("a file that is written again under its key is the second one", async () => {
      const { files, get } = await open();
      await write(files, "exports/acme/a", [Buffer.from("first")]);

      await write(files, "exports/acme/a", [Buffer.from("second")]);

      expect(String(await get("exports/acme/a"))).toBe("second");
    });

    it("two uploads of one key at once leave one of the two files whole", async () => {
      const { files, get } = await open();
      const both = [randomBytes(EXPORT_PIECE_BYTES + 5), randomBytes(EXPORT_PIECE_BYTES + 5)];

      await Promise.all(both.map((bytes) => write(files, "exports/acme/a", [bytes])));

      expect(both.map(sha256)).toContain(sha256(await get("exports/acme/a")));
    });
  });
}
