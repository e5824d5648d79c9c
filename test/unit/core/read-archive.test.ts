import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { archiveKey } from "../../../functions/core/archive-keys.ts";
import { type ArchivePart, sha256Of } from "../../../functions/core/archive-manifest.ts";
import { packPart, unpackPart } from "../../../functions/core/archive-part.ts";
import { findManifest, listManifests, readPart } from "../../../functions/core/read-archive.ts";
import { lineOf, memoryArchive, PLACE, writeArchive } from "../retain/archive-support.ts";
import { allOf } from "../../support/all-of.ts";

const PART_KEY = archiveKey(PLACE, "part-00001.ndjson.gz");

async function written() {
  const { files, stored } = memoryArchive();
  const lines = [lineOf("1", { data: "Grüße\u2028" }), lineOf("2")];
  const key = await writeArchive(files, [lines, [lineOf("3")]]);
  return { files, stored, key, lines };
}

async function readAll(files: Parameters<typeof findManifest>[0], key: string): Promise<string[]> {
  const manifest = await findManifest(files, key);
  const parts = await Promise.all(manifest.parts.map((part) => readPart(files, manifest, part)));
  return parts.flat();
}

describe("reading an archive", () => {
  it("the lines of an archive are read as they were written", async () => {
    const { files, key, lines } = await written();

    expect(await readAll(files, key)).toEqual([...lines, lineOf("3")]);
  });

  it("the same lines give the same bytes", async () => {
    const text = Buffer.from(`${lineOf("1")}\n`.repeat(5_000));
    const [first, second] = [
      await packPart("part-00001.ndjson.gz", text, 5_000),
      await packPart("part-00001.ndjson.gz", Buffer.from(text), 5_000),
    ];

    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
    expect(second.part).toEqual(first.part);
  });

  it("each byte of a part that is changed is found, and the part is named", async () => {
    const { files, stored, key } = await written();
    const bytes = stored.get(PART_KEY) ?? new Uint8Array();

    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      stored.set(PART_KEY, changed);
      await expect(readAll(files, key)).rejects.toThrow(`${PART_KEY} was changed`);
    }
    expect(bytes.length).toBeGreaterThan(100);
  });

  it("a part that is missing, cut or longer is refused and named", async () => {
    const { files, stored, key } = await written();
    const bytes = stored.get(PART_KEY) ?? new Uint8Array();

    for (const changed of [bytes.slice(0, -1), Buffer.concat([bytes, Buffer.from("1")])]) {
      stored.set(PART_KEY, changed);
      await expect(readAll(files, key)).rejects.toThrow(`${PART_KEY} was changed: it has the size ${changed.length}`);
    }
    stored.delete(PART_KEY);
    await expect(readAll(files, key)).rejects.toThrow(`${PART_KEY} is missing; its manifest names it`);
  });

  it("a part of other lines is refused by each fact of the manifest alone", async () => {
    const text = Buffer.from("{}\n{}\n");
    const { part, bytes } = await packPart("part-00001.ndjson.gz", text, 2);
    const refused = async (change: Partial<ArchivePart>, fault: string, given: Uint8Array = bytes) =>
      expect(unpackPart("KEY", given, { ...part, ...change })).rejects.toThrow(fault);

    await refused({ bytes: 1 }, "KEY was changed: it has the size");
    await refused({ sha256: "a".repeat(64) }, "KEY was changed: it has the SHA-256");
    await refused({ textBytes: 1 }, "KEY was changed: it has the size of text");
    await refused({ textSha256: "a".repeat(64) }, "KEY was changed: it has the SHA-256 of text");
    await refused({ rows: 3 }, "KEY was changed: it has the number of events 2 and its manifest says 3");
    const noGzip = Buffer.from("no gzip");
    await refused({ bytes: noGzip.length, sha256: sha256Of(noGzip) }, "KEY is no part: ", noGzip);
    const open = Buffer.from("{}");
    const cut = gzipSync(open);
    const facts = { bytes: cut.length, sha256: sha256Of(cut), textBytes: 2, textSha256: sha256Of(open), rows: 1 };
    await refused(facts, "KEY is no part: its last line has no end", cut);
  });

  it("a part that would fill the memory is refused", async () => {
    const bomb = gzipSync(Buffer.alloc(65 * 1_048_576));
    const facts = {
      name: "part-00001.ndjson.gz",
      rows: 1,
      bytes: bomb.length,
      sha256: sha256Of(bomb),
      textBytes: 1,
      textSha256: sha256Of(""),
    };

    await expect(unpackPart("KEY", bomb, facts)).rejects.toThrow("KEY is no part: ");
  });

  it("manifests are listed by tenant, class and day, and files without a manifest are not", async () => {
    const { files } = memoryArchive();
    const places = [
      PLACE,
      { ...PLACE, generation: 2 },
      { ...PLACE, tenant: "other" },
      { ...PLACE, day: "2026-11-02" },
      { ...PLACE, retention: "90d" },
    ];
    const [first, second, other, later, longer] = await Promise.all(
      places.map((place) => writeArchive(files, [[lineOf("1")]], place)),
    );
    await files.put("archive/30d/2026-11-03/acme/1/part-00001.ndjson.gz", Buffer.from("1"), "application/gzip");
    const list = async (scope: Parameters<typeof listManifests>[1]) => allOf(listManifests(files, scope));

    expect(await list({})).toEqual([first, second, other, later, longer]);
    expect(await list({ tenant: "acme", retention: "30d" })).toEqual([first, second, later]);
    expect(await list({ from: "2026-11-02" })).toEqual([later]);
    expect(await list({ to: "2026-11-01", tenant: "other" })).toEqual([other]);
  });

  it("a key that is no manifest's, and one without a file, are refused", async () => {
    const { files } = memoryArchive();

    await expect(findManifest(files, PART_KEY)).rejects.toThrow(`${PART_KEY} is no key of a manifest`);
    await expect(findManifest(files, archiveKey(PLACE, "_manifest.json"))).rejects.toThrow("manifest.json is missing");
  });
});
