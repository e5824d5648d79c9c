import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvHeader, csvLine } from "../../../functions/core/csv.ts";
import { parseVerbatim } from "../../../functions/core/lossless-json.ts";

/** Reads RFC 4180 by itself: lines of cells. */
function readCsv(text: string): string[][] {
  const lines: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const cells: string[] = [];
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
          if (at >= text.length) throw new Error("A quote is missing.");
          if (text[at] === '"') at += 1;
          cell += text[at];
        }
        at += 1;
      } else {
        for (; at < text.length && text[at] !== "," && text[at] !== "\r"; at += 1) {
          if (text[at] === '"' || text[at] === "\n") throw new Error("This needs quotes.");
          cell += text[at];
        }
      }
      cells.push(cell);
      if (text[at] !== ",") break;
      at += 1;
    }
    if (text.slice(at, at + 2) !== "\r\n")
      throw new Error(`A line ends with ${JSON.stringify(text.slice(at, at + 2))}.`);
    at += 2;
    lines.push(cells);
  }
  return lines;
}

const unescape = (cell: string): string => (cell.startsWith("'") ? cell.slice(1) : cell);

const hostile = fc.string({
  unit: fc.constantFrom("=", "+", "-", "@", "\t", "\r", "\n", "'", ",", '"', "a", "0", "\u{1F600}"),
});

describe("a line of CSV", () => {
  it("text comes back as it was, whatever it has, once one ' is taken from its beginning", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(hostile, fc.string()), { minLength: 1 }), (texts) => {
        const [cells = [], ...others] = readCsv(csvLine(texts));

        expect(others).toEqual([]);
        expect(cells.map(unescape)).toEqual(texts);
      }),
      { numRuns: 2_000 },
    );
  });

  it("no cell of text begins as a formula does", () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1 }), (texts) => {
        for (const cell of readCsv(csvLine(texts)).flat()) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it("lines and columns stay what they are, whatever is in them", () => {
    const table = fc
      .integer({ min: 1, max: 5 })
      .chain((columns) => fc.array(fc.array(hostile, { minLength: columns, maxLength: columns }), { maxLength: 8 }));
    fc.assert(
      fc.property(table, (rows) => {
        const read = readCsv(rows.map((row) => csvLine(row)).join(""));

        expect(read.map((cells) => cells.map(unescape))).toEqual(rows);
      }),
    );
  });

  it.each(["12345678901234567890", "-1.50", "1e2", "1.0", "-0", "0.1000", "1E+400"])(
    "the number %s is written with its digits, and is no formula",
    (number) => {
      expect(csvLine([parseVerbatim(number)])).toBe(`${number}\r\n`);
      expect(readCsv(csvLine([parseVerbatim(`{"a":[${number}]}`)]))).toEqual([[`{"a":[${number}]}`]]);
    },
  );

  it.each([
    ["=1+1", "'=1+1"],
    ["+49 30 1", "'+49 30 1"],
    ["-1", "'-1"],
    ["@cmd", "'@cmd"],
    ["\tx", "'\tx"],
    ["'quoted", "''quoted"],
    ["a=1", "a=1"],
    ["a,b", '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ["two\nlines", '"two\nlines"'],
    ["\r=1", '"\'\r=1"'],
  ])("the text %j is the cell %j", (text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it("a value that is missing or null is an empty cell, and an object or an array is JSON", () => {
    expect(csvLine([undefined, null, true, { a: [1, "x"] }, []])).toBe(',,true,"{""a"":[1,""x""]}",[]\r\n');
  });

  it("the header has the names of the columns, which are no formulas either", () => {
    expect(csvHeader(["id", "data.total", "-x"])).toBe("id,data.total,'-x\r\n");
  });
});
