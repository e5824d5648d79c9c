import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { forwardLines, isEmbeddedMetric } from "../../../localstack/lambda/forward-lines.ts";

async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
  const lines: string[] = [];
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  forwardLines(stream, (line) => lines.push(line));
  await finished(stream);
  return lines;
}

describe("the log of a function", () => {
  it("the log of a function has one entry a line, however the pipe cuts them", async () => {
    const [head, tail] = [Buffer.from("ö").subarray(0, 1), Buffer.from("ö").subarray(1)];

    expect(await linesOf("on", "e\ntw", "o\r\n\n", head, tail, "\nlast")).toEqual(["one", "two", "ö", "last"]);
  });

  it("the log of a function cuts a line that does not end", async () => {
    const lines = await linesOf("x".repeat(256 * 1024), "x", "\ny\n");

    expect(lines.map((line) => line.length)).toEqual([256 * 1024 + 1, 1]);
  });

  it("the log of a function has no metrics in it: they go elsewhere, with the line that has them", async () => {
    const metrics: string[] = [];
    const line = '{"level":"INFO","message":"request","accepted":2,"_aws":{"Timestamp":1}}';
    const stream = Readable.from([Buffer.from(`one\n{"_aws":{"Timestamp":1},"accepted":1}\n${line}\n`)]);
    const lines: string[] = [];
    forwardLines(
      stream,
      (line) => lines.push(line),
      (line) => metrics.push(line),
    );
    await finished(stream);

    expect({ lines, metrics }).toEqual({
      lines: ["one", '{"level":"INFO","message":"request","accepted":2}'],
      metrics: ['{"_aws":{"Timestamp":1},"accepted":1}', line],
    });
  });

  it.each([
    ['{"_aws":{"Timestamp":1},"accepted":1}', true],
    ['{"level":"INFO","_aws":"no metric"}', false],
    ['{"level":"INFO","message":"\\"_aws\\""}', false],
    ['{"_aws" is no JSON', false],
    ['text with "_aws"', false],
  ])("the log of a function recognises an embedded metric: %s is %s", (line, metric) => {
    expect(isEmbeddedMetric(line)).toBe(metric);
  });
});
