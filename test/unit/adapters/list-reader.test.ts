import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createListReader } from "../../../functions/adapters/data-api/list-reader.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import { isBoundSql } from "../../../functions/core/filter/is-bound-sql.ts";
import { CURSOR_KEY_MAX_BYTES } from "../../../functions/core/list-limits.ts";
import type { SqlDatabase } from "../../../functions/core/ports.ts";
import { wholeScan } from "../../support/list-scan.ts";
import { anyFilter } from "../../support/filter-samples.ts";

const scan = wholeScan();
const facts = {
  horizon: "7",
  plan: "scan",
  scanned: 3,
  stop: "end",
  more: false,
  first: null as unknown,
  last: null as unknown,
  count: null,
  relation: null,
};

/** A database that answers the last row of a page, and keeps the parameters of the calls. */
function databaseOf(answer: object = {}) {
  const calls: Record<string, string | null>[] = [];
  const database: SqlDatabase = {
    execute: async (_sql, parameters) => {
      calls.push(parameters);
      return {
        rows: [
          [0, '{"id":"1"'],
          [0, "}"],
          [1, "{}"],
          [-1, JSON.stringify({ ...facts, ...answer })],
        ],
        updated: 0,
      };
    },
    transaction: async () => {
      throw new Error("No list needs a transaction.");
    },
  };
  return { reader: createListReader(database), calls };
}

describe("the reader of lists", () => {
  it("the reader of lists joins the pieces of events, and reads the facts of the page", async () => {
    expect(await databaseOf().reader.list(scan, 0)).toEqual({
      events: ['{"id":"1"}', "{}"],
      horizon: "7",
      plan: "scan",
      scanned: 3,
      isComplete: true,
      hasMore: false,
      first: undefined,
      last: undefined,
      count: undefined,
    });
    expect(
      await databaseOf({ stop: "time", more: true, count: 5, relation: "gte" }).reader.list(scan, 0),
    ).toMatchObject({
      isComplete: false,
      hasMore: true,
      count: { value: 5, relation: "gte" },
    });
  });

  it("the reader of lists binds every text of a filter, and writes none into the condition", async () => {
    await fc.assert(
      fc.asyncProperty(anyFilter, fc.string(), async (filter, time) => {
        const { reader, calls } = databaseOf();

        await reader.list({ ...scan, filter, produced: { from: time, to: time } }, 0);

        const [{ condition, condition_texts: texts } = {}] = calls;
        expect(isBoundSql(String(condition))).toBe(true);
        const values = JSON.parse(String(texts)) as string[];
        expect(values.slice(-2)).toEqual([time, time].map((text) => JSON.parse(JSON.stringify(text)) as string));
        expect(condition).toContain(`e.time < cast(($1)[${values.length}] as timestamptz)`);
      }),
      { numRuns: 200 },
    );
  });

  it("the reader of lists gives no condition where there is none", async () => {
    const { reader, calls } = databaseOf();

    await reader.list({ ...scan, allowed: { types: [], sources: ["/a*"] }, ids: ["x"] }, 0);

    expect(calls).toMatchObject([
      { condition: null, condition_texts: "[]", types: "[]", sources: '["/a*"]', ids: '["x"]', budget: "1234" },
    ]);
  });

  it.each([
    [["2026-11-21T09:30:00.000000Z", "i", "s"] as const, { after_id: "i", after_source: "s", after_hash: null }],
    [["2026-11-21T09:30:00.000000Z", "f00"] as const, { after_id: null, after_source: null, after_hash: "f00" }],
    [undefined, { after_received_at: null, after_id: null, after_source: null, after_hash: null }],
  ])("the reader of lists goes on from the position %j", async (after, expected) => {
    const { reader, calls } = databaseOf();

    await reader.list({ ...scan, after }, 0);

    expect(calls).toMatchObject([expected]);
  });

  it("the reader of lists names a place by a hash where the key is long, or not to be seen", async () => {
    const placesOf = async (id: string | null) =>
      (await databaseOf({ last: ["t", id, id === null ? null : "s", "hash"] }).reader.list(scan, 0)).last;
    const overhead = JSON.stringify(["", "s"]).length;

    expect(await placesOf("x".repeat(CURSOR_KEY_MAX_BYTES - overhead))).toHaveLength(3);
    expect(await placesOf("x".repeat(CURSOR_KEY_MAX_BYTES - overhead + 1))).toEqual(["t", "hash"]);
    expect(await placesOf(null)).toEqual(["t", "hash"]);
  });

  it("the reader of lists passes a failure of the database on", async () => {
    const failure = new DatabaseError({ disposition: "retry", reason: "statement_timeout", detail: "" });
    const database = { execute: () => Promise.reject(failure) } as unknown as SqlDatabase;

    await expect(createListReader(database).list(scan, 0)).rejects.toBe(failure);
  });
});
