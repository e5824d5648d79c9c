import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REQUEST_MAX_BYTES, REQUEST_MAX_VALUES } from "../../../functions/core/limits.ts";
import { type BadLine, type EventLine, intoRequests, readEventLines } from "../../../scripts/send/event-lines.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

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
async function read(content: string | Uint8Array) {
  const lines: EventLine[] = [];
  const bad: BadLine[] = [];
  for await (const each of readEventLines(await write(content))) {
    if ("why" in each) bad.push(each);
    else lines.push(each);
  }
  return { lines, bad };
}

async function cut(lines: EventLine[], size: number): Promise<EventLine[][]> {
  const found: EventLine[][] = [];
  const all = async function* () {
    yield* lines;
  };
  for await (const request of intoRequests(all(), size, () => expect.unreachable())) found.push(request);
  return found;
}

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
    [
      "a line of 1,000 levels, one less than the array around it allows",
      `{"data":${"[".repeat(999)}${"]".repeat(999)}}`,
      "nested deeper than 999",
    ],
    ["a line of 1,100 levels", `{"data":${"[".repeat(1_100)}${"]".repeat(1_100)}}`, "nested deeper than 999"],
    ["a line of very many values", `{"data":[${"0,".repeat(REQUEST_MAX_VALUES)}0]}`, "more than 299999 values"],
  ])("keep their good neighbours when one is %s", async (_name, line, why) => {
    const { lines, bad } = await read(`{"id":"1"}\n${line}\n{"id":"3"}`);

    expect(lines.map((each) => each.line)).toEqual([1, 3]);
    expect(bad).toEqual([{ line: 2, why: expect.stringContaining(why) }]);
  });

  it.each([1, 3, 100])("are cut into requests of at most %i events, in order and without a loss", async (size) => {
    const { lines } = await read(Array.from({ length: 7 }, (_, i) => `{"id":"${i}"}`).join("\n"));

    const requests = await cut(lines, size);

    expect(requests.flat()).toEqual(lines);
    expect(requests.map(({ length }) => length)).toEqual(
      Array.from({ length: Math.ceil(7 / size) }, (_, i) => Math.min(size, 7 - i * size)),
    );
  });

  it("are cut into requests of exactly the API's limit and no more bytes", async () => {
    const line = (bytes: number) => ({ line: 1, json: `{"id":"${"x".repeat(bytes - '{"id":""}'.length)}"}` });
    const first = line(1_000);
    const body = (lines: EventLine[]) => `[${lines.map(({ json }) => json).join(",")}]`.length;
    const fits = [first, line(REQUEST_MAX_BYTES - 1_003)];
    const isOver = [first, line(REQUEST_MAX_BYTES - 1_002)];

    expect(body(fits)).toBe(REQUEST_MAX_BYTES);
    expect((await cut(fits, 100)).map(({ length }) => length)).toEqual([2]);
    expect((await cut(isOver, 100)).map(({ length }) => length)).toEqual([1, 1]);
  });

  it("are sent within a second or so where the next ones come slowly", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = async function* (): AsyncGenerator<EventLine> {
      yield { line: 1, json: '{"id":"1"}' };
      await promise;
      yield { line: 2, json: '{"id":"2"}' };
    };
    const requests: number[][] = [];

    for await (const request of intoRequests(slow(), 100, () => expect.unreachable())) {
      requests.push(request.map(({ line }) => line));
      resolve();
    }

    expect(requests).toEqual([[1], [2]]);
  });

  it("are not kept from each other by a line that is larger than any request", async () => {
    const { lines, bad } = await read(`{"id":"1"}\n${"x".repeat(REQUEST_MAX_BYTES + 1)}\n{"id":"3"}`);

    expect(lines.map(({ line }) => line)).toEqual([1, 3]);
    expect(bad).toEqual([{ line: 2, why: `has more than ${REQUEST_MAX_BYTES} bytes, the limit of a request` }]);
  });
});
