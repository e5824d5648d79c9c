import { describe, expect, it, vi } from "vitest";
import {
  AGGREGATE_BODY_MAX_BYTES,
  AGGREGATE_MAX_BUCKETS,
  AGGREGATE_MAX_FIELDS,
  AGGREGATE_MAX_MEASURES,
  AGGREGATE_MAX_PATH_STEPS,
} from "../../../functions/core/aggregate-limits.ts";
import type { Aggregate, AggregateReader } from "../../../functions/core/aggregate-reader.ts";
import type { RequestError } from "../../../functions/core/errors.ts";
import { createAggregate } from "../../../functions/query/aggregate.ts";
import { readAggregateRequest } from "../../../functions/query/aggregate-request.ts";
import { adminOf } from "../../support/principal.ts";

const NOW = new Date("2026-11-21T09:30:40.000Z");

const read = (body: unknown) =>
  readAggregateRequest(
    {
      headers: { "content-type": "application/json" },
      body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    },
    NOW,
  );
const refusalOf = (body: unknown) => {
  try {
    read(body);
    return "accepted";
  } catch (error) {
    const { code, message } = error as RequestError;
    return `${code} ${message}`;
  }
};
const HOUR = { from: "2026-11-21T08:00:00Z", to: "2026-11-21T09:00:00Z" };

/** A reader that gives one answer from rollups, or none, and another one from events. */
function readerOf(rollup: Aggregate | undefined) {
  const row = (groups: string, measured: (string | null)[]) => ({ bucket: "2026-11-21T08:00:00Z", groups, measured });
  const reached = Date.parse(HOUR.to);
  const reader = {
    fromRollups: vi.fn<AggregateReader["fromRollups"]>().mockResolvedValue(rollup),
    fromEvents: vi.fn<AggregateReader["fromEvents"]>().mockResolvedValue({
      rows: [row("[12345678901234567890,null]", ["2", null])],
      whole: 1,
      reached,
      scanned: 7,
      droppedBefore: undefined,
    }),
  };
  return { reader, row, reached };
}

const ask = async (reader: AggregateReader, body: object) => {
  const aggregate = createAggregate({ reader, clock: () => NOW });
  const text = await aggregate({ ...read(body), principal: adminOf("t", { types: ["a.*"] }), deadline: 5_000 });
  return { text, answer: JSON.parse(text) as { rows: object[]; metadata: object } };
};

describe("an aggregate", () => {
  it("an aggregate comes from rollups where they suffice, and no event is read", async () => {
    const { row, reached } = readerOf(undefined);
    const { reader } = readerOf({ rows: [row('["a"]', ["12", "3.5"])], whole: 1, reached });

    const { answer } = await ask(reader, {
      ...HOUR,
      every: "PT1H",
      groupBy: ["type"],
      measures: ["count", { p95: "/data/n" }],
    });

    expect(answer).toEqual({
      rows: [{ bucket: "2026-11-21T08:00:00Z", type: "a", count: "12", "p95:/data/n": "3.5" }],
      metadata: {
        from: "rollup",
        complete: true,
        reached: "2026-11-21T09:00:00.000Z",
        truncated: false,
        rows: 1,
        rowLimit: 5_000,
        percentileError: 0.01,
        queryMs: 0,
      },
    });
    expect(reader.fromEvents).not.toHaveBeenCalled();
    expect(reader.fromRollups.mock.lastCall?.[0]).toMatchObject({ tenant: "t", allowed: { types: ["a.*"] } });
  });

  it.each([
    ["a filter on more than type and source", { filter: { exact: { subject: "x" } } }],
    ["a filter on data inside others", { filter: { all: [{ exact: { type: "a" } }, { not: { data: { a: [1] } } }] } }],
    ["another field", { groupBy: ["type", "subject"] }],
    ["a field in the data", { groupBy: ["/data/a"] }],
    ["a range that begins within a minute", { from: "2026-11-21T08:00:30Z" }],
    ["a range that ends within a minute", { to: "2026-11-21T08:59:00.001Z" }],
    ["the data as a number", { measures: [{ sum: "/data" }] }],
  ])("an aggregate with %s comes from rows", async (_what, changes) => {
    const { row, reached } = readerOf(undefined);
    const { reader } = readerOf({ rows: [row("[]", ["1"])], whole: 1, reached });

    expect((await ask(reader, { ...HOUR, ...changes })).answer.metadata).toMatchObject({
      from: "rows",
      percentileError: 0,
    });
    expect(reader.fromRollups).not.toHaveBeenCalled();
  });

  it.each([
    [
      "type and source",
      { filter: { any: [{ exact: { type: "a", source: "/s" } }, { not: { prefix: { type: "b." } } }] } },
    ],
    [
      "source, in a minute that is written with an offset",
      { groupBy: ["source"], from: "2026-11-21T09:00:00.000+01:00" },
    ],
    ["nothing", {}],
  ])("an aggregate that asks for %s comes from rollups", async (_what, changes) => {
    const { row, reached } = readerOf(undefined);
    const { reader } = readerOf({ rows: [row('["x"]', ["1"])], whole: 1, reached });

    expect((await ask(reader, { ...HOUR, ...changes })).answer.metadata).toMatchObject({ from: "rollup" });
  });

  it("an aggregate comes from rows where the rollups lack a field, with every digit of a group", async () => {
    const { reader } = readerOf(undefined);

    const { text, answer } = await ask(reader, {
      ...HOUR,
      groupBy: ["type", "source"],
      measures: ["count", { max: "/data/n" }],
    });

    expect(text).toContain('"type":12345678901234567890,"source":null,"count":"2","max:/data/n":null');
    expect(answer.metadata).toMatchObject({ from: "rows", scanned: { rows: 7 } });
    expect(answer.metadata).not.toHaveProperty("droppedBefore");
    expect(answer.rows[0]).not.toHaveProperty("bucket");
  });

  it("an aggregate of a time whose rollups were deleted says before when events were dropped", async () => {
    const { reader, reached } = readerOf(undefined);
    const droppedBefore = Date.parse("2026-11-21T08:30:00Z");
    reader.fromEvents.mockResolvedValue({ rows: [], whole: 0, reached, scanned: 0, droppedBefore });

    expect((await ask(reader, HOUR)).answer).toMatchObject({
      rows: [],
      metadata: { from: "rows", complete: true, droppedBefore: "2026-11-21T08:30:00.000Z" },
    });
  });

  it("an aggregate says that it is not complete, and that rows are left out", async () => {
    const { row } = readerOf(undefined);
    const { reader } = readerOf({ rows: [row("[]", ["1"])], whole: 2, reached: Date.parse(HOUR.to) - 1 });

    expect((await ask(reader, HOUR)).answer.metadata).toMatchObject({
      complete: false,
      truncated: true,
      rows: 2,
      reached: "2026-11-21T08:59:59.999Z",
    });
  });
});

describe("the body of an aggregate", () => {
  it("the body of an aggregate may be empty: the last day in whole minutes, as one row", () => {
    expect(read({})).toMatchObject({
      from: "2026-11-20T09:31:00.000000Z",
      to: "2026-11-21T09:31:00.000000Z",
      every: undefined,
      timeZone: "UTC",
      fields: [],
      measures: ["count"],
    });
  });

  it("the body of an aggregate keeps the digits of the filter's numbers", () => {
    const { filter } = read('{"filter":{"data":{"n":[12345678901234567890]}}}');

    expect(JSON.stringify(filter)).toBe('{"data":{"n":[12345678901234567890]}}');
  });

  it.each([
    [{ from: HOUR.to, to: HOUR.from }, "malformed_body The body is not valid: from is not before to."],
    [{ from: "yesterday" }, "from: is no instant of RFC 3339"],
    [{ every: "PT2M" }, "every: "],
    [{ timeZone: "Mars/Olympus" }, "timeZone: is no time zone such as Europe/Berlin"],
    [{ timeZone: "+01:00" }, "timeZone: is no time zone"],
    [{ groupBy: ["id"] }, "groupBy.0: is none of type, source, subject"],
    [{ groupBy: ["type", "type"] }, "groupBy: names a field twice"],
    [{ groupBy: ["/time"] }, "groupBy.0: is none of"],
    [{ measures: [] }, "measures: "],
    [{ measures: ["sum"] }, 'measures.0: is neither "count"'],
    [{ measures: [{ p90: "/data/n" }] }, "measures.0: "],
    [{ measures: [{ sum: "/data/a", max: "/data/a" }] }, "measures.0: is neither"],
    [{ measures: [{ sum: "data.n" }] }, "measures.0"],
    [{ measures: [{ sum: "/data/-1" }] }, "measures.0"],
    [{ measures: [{ sum: "/data/~2" }] }, "measures.0"],
    [{ filter: { exact: {} } }, "bad_filter"],
    [{ group: [] }, "unknown member group"],
  ])("the body of an aggregate %j is refused with its place", (body, message) => {
    expect(refusalOf(body)).toContain(message);
  });

  it.each([
    [
      "buckets",
      AGGREGATE_MAX_BUCKETS,
      (n: number) => ({ every: "PT1M", from: new Date(Date.parse(HOUR.to) - n * 60_000).toISOString(), to: HOUR.to }),
    ],
    [
      "fields",
      AGGREGATE_MAX_FIELDS,
      (n: number) => ({ groupBy: ["type", "source", "subject", "/data/a"].slice(0, n) }),
    ],
    ["measures", AGGREGATE_MAX_MEASURES, (n: number) => ({ measures: Array.from({ length: n }, () => "count") })],
    ["keys of a place", AGGREGATE_MAX_PATH_STEPS, (n: number) => ({ measures: [{ sum: `/data${"/a".repeat(n)}` }] })],
    ["bytes", AGGREGATE_BODY_MAX_BYTES, (n: number) => `{}${" ".repeat(n - 2)}`],
  ])("the body of an aggregate has at most so many %s", (_what, most, bodyOf) => {
    expect([most - 1, most].map((n) => refusalOf(bodyOf(n)))).toEqual(["accepted", "accepted"]);
    expect(refusalOf(bodyOf(most + 1))).not.toBe("accepted");
  });
});
