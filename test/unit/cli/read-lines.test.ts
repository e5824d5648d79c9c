import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLines, type TextLine } from "../../../cli/read-lines.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

const MAX_BYTES = 200_000;

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const write = async (content: string | Uint8Array) => {
  const path = join(folder.path, "events.ndjson");
  await writeFile(path, content);
  return path;
};
async function read(path: string, signal?: AbortSignal): Promise<TextLine[]> {
  const lines: TextLine[] = [];
  for await (const line of readLines(path, MAX_BYTES, signal)) lines.push(line);
  return lines;
}

describe("the lines of a file", () => {
  it("come back whatever characters they have and wherever the file is cut into chunks", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "é", "😀", " ", '"'), minLength: 1, maxLength: 40_000 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 6 }), async (texts) => {
        const sent = texts.map((each) => `${each}x`);
        const found = await read(await write(sent.join("\n")));

        expect(found).toEqual(sent.map((each, index) => ({ line: index + 1, text: each.trim() })));
      }),
      { numRuns: 15 },
    );
  });

  it("have a text up to the limit of bytes, and a reason above it", async () => {
    const line = (bytes: number) => "x".repeat(bytes);

    const found = await read(await write([line(MAX_BYTES), line(MAX_BYTES + 1), line(5 * MAX_BYTES), "x"].join("\n")));

    expect(found).toEqual([
      { line: 1, text: line(MAX_BYTES) },
      { line: 2, why: expect.stringContaining(`more than ${MAX_BYTES} bytes`) },
      { line: 3, why: expect.stringContaining(`more than ${MAX_BYTES} bytes`) },
      { line: 4, text: "x" },
    ]);
  });

  it("end where the reading is stopped, without an error", async () => {
    const path = await write("line\n".repeat(1_000_000));
    const stop = new AbortController();
    let lines = 0;

    for await (const _ of readLines(path, MAX_BYTES, stop.signal)) if (++lines === 5) stop.abort();

    expect(lines).toBeLessThan(1_000_000);
  });
});

describe("a file that has no lines of text", () => {
  it.each([
    ["compressed by gzip", gzipSync('{"id":"1"}'), "gzip -dc"],
    ["compressed by zstd", zstdCompressSync('{"id":"1"}'), "zstd -dc"],
    ["a zip archive", Buffer.from("PK\u0003\u0004..."), "Unpack it first"],
    ["UTF-16 of little endian", Buffer.from('\ufeff{"id":"1"}', "utf16le"), "Save it as UTF-8"],
    ["UTF-16 of big endian", Buffer.from('\ufeff{"id":"1"}', "utf16le").swap16(), "Save it as UTF-8"],
  ])("is refused with what to do when it is %s", async (_name, content, advice) => {
    await expect(read(await write(content))).rejects.toThrow(advice);
  });

  it("is refused with its full path when it is a folder or does not exist", async () => {
    await expect(read(folder.path)).rejects.toThrow(`${folder.path} is a folder`);
    await expect(read(join(folder.path, "none"))).rejects.toThrow(`${join(folder.path, "none")} does not exist`);
    await expect(read(join(folder.path, "none", "x"))).rejects.toThrow("does not exist");
  });
});
