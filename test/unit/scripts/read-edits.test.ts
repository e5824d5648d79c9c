import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEdits } from "../../../scripts/dead-letters/read-edits.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-edits-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const line = (id: string, data = "x") =>
  JSON.stringify({ id, source: "/s", type: "t", time: "2026-11-21T09:30:00.000Z", data });
const write = async (content: string | Uint8Array) => {
  const path = join(folder, "edits.ndjson");
  await writeFile(path, content);
  return path;
};

describe("a file of corrected events", () => {
  it("is refused with the lines that are not UTF-8, instead of replaying other characters", async () => {
    const path = await write(
      Buffer.concat([Buffer.from(`${line("1")}\n`), Buffer.from(line("2", "caf\u00e9"), "latin1")]),
    );

    await expect(readEdits(path)).rejects.toThrow(`${path}:2 is not valid UTF-8`);
  });

  it("may begin with a byte order mark and have blank lines, and names lines by their number", async () => {
    const path = await write(`\ufeff${line("1")}\r\n\r\n${line("2")}\n`);

    expect((await readEdits(path)).unused()).toEqual([`${path}:1 /s 1`, `${path}:3 /s 2`]);
  });
});
