import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REQUEST_MAX_VALUES } from "../../../functions/core/limits.ts";
import { readEventLines } from "../../../scripts/event-lines.ts";
import { readLines } from "../../../scripts/read-lines.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-lines-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const write = async (content: string | Uint8Array) => {
  const path = join(folder, "events.ndjson");
  await writeFile(path, content);
  return path;
};
const read = async (content: string | Uint8Array) => readEventLines(await write(content));

describe("the lines of a file", () => {
  it("are read without a byte order mark, blank lines and either kind of line end", async () => {
    const { lines, bad } = await read('\ufeff{"id":"1"}\r\n\n  \n{"id":"2"}\n{"id":"3"}');

    expect(lines).toEqual([
      { line: 1, json: '{"id":"1"}' },
      { line: 4, json: '{"id":"2"}' },
      { line: 5, json: '{"id":"3"}' },
    ]);
    expect(bad).toEqual([]);
  });

  it("that are not UTF-8 are named and never sent with other characters", async () => {
    const latin1 = Buffer.from('{"id":"2","data":"caf\u00e9"}', "latin1");
    const bytes = Buffer.concat([Buffer.from('{"id":"1"}\n'), latin1, Buffer.from('\n{"id":"3"}\n')]);

    const { lines, bad } = await read(bytes);

    expect(lines.map(({ line }) => line)).toEqual([1, 3]);
    expect(bad).toEqual([{ line: 2, why: expect.stringContaining("not valid UTF-8") }]);
  });

  it.each([
    ["half a line", '{"id":"2', "is not JSON"],
    ["an array", "[1]", "is not a JSON object"],
    ["a text", '"x"', "is not a JSON object"],
    ["a line of 1,100 levels", `{"data":${"[".repeat(1_100)}${"]".repeat(1_100)}}`, "nested deeper than 1000"],
    ["a line of very many values", `{"data":[${"0,".repeat(REQUEST_MAX_VALUES)}0]}`, "more than 300000 values"],
  ])("keep their good neighbours when one is %s", async (_name, line, why) => {
    const { lines, bad } = await read(`{"id":"1"}\n${line}\n{"id":"3"}`);

    expect(lines.map((each) => each.line)).toEqual([1, 3]);
    expect(bad).toEqual([{ line: 2, why: expect.stringContaining(why) }]);
  });

  it("come back whatever characters they have and wherever the file is cut into chunks", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "é", "😀", " ", '"'), minLength: 1, maxLength: 40_000 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 6 }), async (texts) => {
        const sent = texts.map((each) => `${each}x`);
        const found: (string | undefined)[] = [];

        for await (const line of readLines(await write(sent.join("\n")))) found.push(line.text);

        expect(found).toEqual(sent.map((each) => each.trim()));
      }),
      { numRuns: 15 },
    );
  });
});
