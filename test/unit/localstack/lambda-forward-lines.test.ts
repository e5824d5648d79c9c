import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { datapointsIn } from "../../../localstack/lambda/datapoints.ts";
import type { MetricFilterModel } from "../../../localstack/template/model.ts";
import { forwardLines } from "../../../localstack/lambda/forward-lines.ts";

const filterOf = (member: string): MetricFilterModel => ({
  logGroup: "logs",
  matches: { member, least: 0 },
  namespace: "N",
  name: member,
  value: member,
  dimensions: { service: "service" },
});

async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
  const lines: string[] = [];
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  forwardLines(stream, { log: (line) => lines.push(line) });
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
    forwardLines(stream, { log: (line) => lines.push(line), metrics: (line) => metrics.push(line) });
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
    expect(datapointsIn(line, []) !== undefined).toBe(metric);
  });

  it("the log of a function keeps a line that a metric filter matches, and leaves out one that has numbers alone", async () => {
    const filters = [filterOf("Accepted")];
    const line =
      '{"level":"INFO","message":"request","timestamp":"2026-11-21T00:00:00.000Z","service":"s","Accepted":2}';
    const alone = '{"service":"s","Accepted":1}';
    const stream = Readable.from([Buffer.from(`${line}\n${alone}\n{"message":"other","Accepts":1}\n`)]);
    const lines: string[] = [];
    const found: unknown[] = [];
    forwardLines(stream, {
      log: (each) => lines.push(each),
      metrics: (each, datapoints) => found.push([each, datapoints.map(({ value }) => value)]),
      filters,
    });
    await finished(stream);

    expect(lines).toEqual([line, '{"message":"other","Accepts":1}']);
    expect(found).toEqual([
      [line, [2]],
      [alone, [1]],
    ]);
  });
});

describe("the datapoints of a line", () => {
  it("the datapoints of a line are those of its metric filters and of its directives, with their dimensions", () => {
    const timestamp = "2026-11-21T00:00:00.000Z";
    const directive = { Namespace: "N", Dimensions: [["service"], []], Metrics: [{ Name: "Refused" }] };
    const line = { timestamp, service: "s", Accepted: 2, Refused: 1 };

    const filters = [filterOf("Accepted")];
    const at = Date.parse(timestamp);
    const accepted = { namespace: "N", name: "Accepted", dimensions: { service: "s" }, at, value: 2 };
    expect(datapointsIn(JSON.stringify(line), filters)).toEqual([accepted]);
    expect(
      datapointsIn(JSON.stringify({ ...line, _aws: { Timestamp: 1, CloudWatchMetrics: [directive] } }), filters),
    ).toEqual([
      accepted,
      { namespace: "N", name: "Refused", dimensions: { service: "s" }, at: 1, value: 1 },
      { namespace: "N", name: "Refused", dimensions: {}, at: 1, value: 1 },
    ]);
  });

  it.each([
    ["the number is a text", { service: "s", Accepted: "2" }],
    ["the number is less than the filter wants", { service: "s", Accepted: -1 }],
    ["a dimension has no value", { Accepted: 2 }],
    ["the number is inside another member", { service: "s", inner: { Accepted: 2 } }],
  ])("a line has no datapoint of a metric filter where %s", (_, line) => {
    expect(datapointsIn(JSON.stringify(line), [filterOf("Accepted")])).toBeUndefined();
  });
});
