import { describe, expect, it } from "vitest";
import { csvHeader, csvLine } from "../../../functions/core/csv.ts";
import { createRowCounter } from "../../../scripts/export/count-rows.ts";
import { toFilter } from "../../../scripts/export/to-filter.ts";

describe("the filter of the options", () => {
  it.each([
    [{}, undefined],
    [{ type: ["a"] }, { exact: { type: "a" } }],
    [{ type: ["a.*"] }, { prefix: { type: "a." } }],
    [{ type: ["a", "b.*"] }, { any: [{ exact: { type: "a" } }, { prefix: { type: "b." } }] }],
    [{ type: ["a"], source: ["/s"] }, { all: [{ exact: { type: "a" } }, { exact: { source: "/s" } }] }],
    [
      { type: ["a"], filter: '{"not":{"exact":{"subject":"x"}}}' },
      { all: [{ exact: { type: "a" } }, { not: { exact: { subject: "x" } } }] },
    ],
  ])("the options %j mean the filter %j", (options, filter) => {
    expect(toFilter(options)).toEqual(filter);
  });

  it("a filter keeps the digits of its numbers", () => {
    const text = '{"data":{"n":[12345678901234567890]}}';

    expect(JSON.stringify(toFilter({ filter: text }))).toBe(text);
  });

  it("a filter that is none is refused before anything starts", () => {
    expect(() => toFilter({ filter: "{" })).toThrow(/^--filter takes a filter as JSON/);
    expect(() => toFilter({ filter: '{"nothing":1}' })).toThrow(/dialect/);
  });
});

describe("the rows of a file", () => {
  const count = (format: "csv" | "ndjson", text: string, step = 1) => {
    const counter = createRowCounter(format);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += step) counter.add(bytes.subarray(at, at + step));
    return counter.rows();
  };

  it("rows of NDJSON are its lines, whatever quotes they have", () => {
    expect(count("ndjson", '{"a":"\\""}\n{"a":1}\n')).toBe(2);
  });

  it.each([1, 3, 1_000])(
    "rows of CSV are its lines but for the header and those in quotes, in pieces of %i bytes",
    (step) => {
      const text = csvHeader(["a", "b"]) + csvLine(["x\r\ny", '"\n"']) + csvLine(["", "z"]) + csvLine(['"', "\n"]);

      expect(count("csv", text, step)).toBe(3);
    },
  );

  it("a file without a byte has no rows", () => {
    expect([count("csv", ""), count("ndjson", "")]).toEqual([0, 0]);
  });
});
