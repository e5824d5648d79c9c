import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEventLines } from "../../../functions/core/event-lines.ts";
import { DatabaseError, RequestError } from "../../../functions/core/errors.ts";
import { LINES_MAX_BYTES, LINES_READ_MS, LIST_PAGE_MAX_BYTES } from "../../../functions/core/list-limits.ts";
import { createListLines } from "../../../functions/query/list-lines.ts";
import { memoryList, wholeList } from "./memory-list.ts";

const numbered = (count: number, text = "") =>
  Array.from({ length: count }, (_, i) => `{"id":"${i}","data":"${text}"}`);
const ndjson = createEventLines({ format: "ndjson" });
const linesOf = (text: string) => text.split("\n").slice(0, -1);
const open = (events: readonly string[], options: Parameters<typeof memoryList>[1] & { maxBytes?: number } = {}) => {
  const { list, limits, clock } = memoryList(events, options);
  return { listLines: createListLines({ list, clock: () => new Date(clock.now()), ...options }), limits, clock };
};

describe("an answer of lines", () => {
  it("an answer of lines has the events of all pages, and no cursor at the end", async () => {
    const events = numbered(2_500);
    const { listLines } = open(events);

    const answer = await listLines({ ...wholeList(), limit: undefined, lines: ndjson });

    expect(linesOf(answer.text)).toEqual(events);
    expect(answer).toMatchObject({ next: null, prev: null, isComplete: true, scanned: 2_500 });
  });

  it("an answer of lines has as many events as its limit, whatever the pages", async () => {
    const { listLines } = open(numbered(100), { pageEvents: 7 });

    const answer = await listLines({ ...wholeList(), limit: 16, lines: ndjson });

    expect(linesOf(answer.text)).toHaveLength(16);
    expect(answer.next).not.toBeNull();
  });

  it("the answers that follow each other have each event once, forwards and backwards, in the order of the list", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 40 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom("ndjson" as const, "csv" as const),
        fc.integer({ min: 1, max: 4 }),
        async (texts, pageEvents, format, pages) => {
          const events = texts.map((text, i) => JSON.stringify({ id: String(i), data: text }));
          const maxBytes = LIST_PAGE_MAX_BYTES + pages * 200;
          const { listLines } = open(events, { pageEvents, maxBytes });
          const lines = createEventLines({ format, select: ["id", "data"] });
          const walk = async (direction: "next" | "prev", from?: string) => {
            const bodies: string[] = [];
            let cursor = from;
            for (;;) {
              const answer = await listLines({ ...wholeList(), cursor, limit: undefined, lines });
              bodies.push(answer.text.slice(lines.head.length));
              const onward = answer[direction];
              if (onward === null) return { bodies, last: answer };
              cursor = onward;
            }
          };

          const forwards = await walk("next");
          expect(forwards.bodies.join("")).toBe(events.map(lines.line).join(""));
          if (forwards.last.prev === null) return;
          const backwards = await walk("prev", forwards.last.prev);
          const before = [...backwards.bodies.toReversed(), forwards.bodies.at(-1)].join("");
          expect(before).toBe(events.map(lines.line).join(""));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("an answer of lines is as large as Lambda takes it, in bytes of JSON, and less than a page below that", async () => {
    const { listLines } = open(numbered(4_000, 'é\\"\\n'.repeat(400)), { pageEvents: 170 });

    const { text, next } = await listLines({ ...wholeList(), limit: undefined, lines: ndjson });

    const bytes = Buffer.byteLength(JSON.stringify(text));
    expect(bytes).toBeLessThanOrEqual(LINES_MAX_BYTES);
    expect(bytes).toBeGreaterThan(LINES_MAX_BYTES - LIST_PAGE_MAX_BYTES);
    expect(next).not.toBeNull();
  });

  it("no page is begun after the time for reading, and the answer says that it is not complete", async () => {
    const { listLines, limits } = open(numbered(100), { pageEvents: 1, pageMs: LINES_READ_MS / 3 });

    const answer = await listLines({ ...wholeList(), limit: undefined, lines: ndjson });

    expect(limits).toHaveLength(4);
    expect(answer).toMatchObject({ isComplete: false, next: expect.any(String), scanned: 4 });
  });

  it.each([
    ["the database does not answer", new DatabaseError({ disposition: "retry", reason: "down", detail: "down" })],
    ["the tenant has too many pages under way", new RequestError("too_many_queries", "busy")],
  ])("an answer ends with the page before the one at which %s, and goes on there", async (_what, failure) => {
    const { listLines } = open(numbered(10), { pageEvents: 2, failures: { 3: failure } });

    const answer = await listLines({ ...wholeList(), limit: undefined, lines: ndjson });
    expect(answer).toMatchObject({ isComplete: false, scanned: 4 });
    const rest = await listLines({ ...wholeList(), cursor: answer.next ?? "", limit: undefined, lines: ndjson });

    expect(linesOf(answer.text + rest.text)).toEqual(numbered(10));
    await expect(
      open(numbered(1), { failures: { 1: failure } }).listLines({ ...wholeList(), limit: undefined, lines: ndjson }),
    ).rejects.toBe(failure);
  });

  it("a fault of a later page ends the request, because waiting does not repair it", async () => {
    const failure = new DatabaseError({ disposition: "dead-letter", reason: "fault", detail: "fault" });
    const { listLines } = open(numbered(10), { pageEvents: 2, failures: { 3: failure } });

    await expect(listLines({ ...wholeList(), limit: undefined, lines: ndjson })).rejects.toBe(failure);
  });

  it("a selection that makes lines longer than their events leaves the rest to the next answer", async () => {
    const { listLines, limits } = open(numbered(100, "x".repeat(1_000)), { maxBytes: 100_000 });
    const lines = createEventLines({ format: "csv", select: Array.from({ length: 10 }, () => "data") });

    const answer = await listLines({ ...wholeList(), limit: undefined, lines });

    expect(answer.text.split("\r\n").slice(1, -1)).toHaveLength(9);
    expect(limits).toEqual([1_000, 9]);
    expect(answer.next).not.toBeNull();
  });

  it("a line that is larger than an answer is refused with the way out", async () => {
    const { listLines } = open(numbered(1, "x".repeat(1_000)), { maxBytes: 900 });

    await expect(listLines({ ...wholeList(), limit: undefined, lines: ndjson })).rejects.toMatchObject({
      code: "bad_parameter",
      message: expect.stringContaining("Name fewer members"),
    });
  });
});
