import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHUNK_MAX_BYTES } from "../../../functions/core/database-limits.ts";
import { writeEnvelope } from "../../../functions/core/envelope.ts";
import { readEdits } from "../../../scripts/dead-letters/read-edits.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-edits-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const NOW = "2026-11-21T09:00:00.000Z";
const deadLetter = (id: string) => `dl_${id.padStart(32, "0")}`;
const line = (id: string, data = "x") =>
  JSON.stringify({ id, source: "/s", type: "t", data, deadLetter: { id: deadLetter(id), reason: "not_storable" } });
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

  it("may begin with a byte order mark and have blank lines, and keeps every digit of its numbers", async () => {
    const digits = line("2").replace('"data":"x"', '"data":12345678901234567890.50');
    const path = await write(`\ufeff${line("1")}\r\n\r\n${digits}\n`);

    expect(JSON.stringify(await readEdits(path))).toBe(
      `[[{"id":"${deadLetter("1")}","event":{"id":"1","source":"/s","type":"t","data":"x"}},` +
        `{"id":"${deadLetter("2")}","event":{"id":"2","source":"/s","type":"t","data":12345678901234567890.50}}]]`,
    );
  });

  it("is refused with each line that is no corrected event, and says what a line needs", async () => {
    const path = await write(`{"id":"1"\n[1]\n{"id":"1","deadLetter":{"id":"x"}}\n${line("4")}\n`);

    const refusal = readEdits(path);

    await expect(refusal).rejects.toThrow(`${path}:1 is not JSON`);
    await expect(refusal).rejects.toThrow(`${path}:2 is not a JSON object`);
    await expect(refusal).rejects.toThrow(`${path}:3 has no deadLetter.id; keep the member deadLetter`);
    await expect(refusal).rejects.toThrow("Nothing was replayed.");
  });

  it("is read in parts that a replay takes", async () => {
    const path = await write(Array.from({ length: 1_001 }, (_, at) => `${line(String(at))}\n`).join(""));

    expect((await readEdits(path)).map(({ length }) => length)).toEqual([500, 500, 1]);
  });

  it("is read in parts that a replay can keep, however much of them is escaped there", async () => {
    const path = await write(
      Array.from({ length: 8 }, (_, at) => `${line(String(at), '"'.repeat(120_000))}\n`).join(""),
    );

    const parts = await readEdits(path);

    expect(parts.flat()).toHaveLength(8);
    for (const part of parts) {
      const kept = part.map(({ id, event }) => [
        id,
        writeEnvelope({ tenant: "t".repeat(128), receivedAt: NOW }, event),
      ]);
      expect(Buffer.byteLength(JSON.stringify(JSON.stringify(kept)))).toBeLessThan(CHUNK_MAX_BYTES);
    }
  });
});
