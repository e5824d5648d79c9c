import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAggregateReader } from "../../functions/adapters/data-api/aggregate-reader.ts";
import { EVERY, FUNCTIONS } from "../../functions/core/aggregate-body.ts";
import type { Aggregate, AggregateReader, AggregateScan, Measure } from "../../functions/core/aggregate-reader.ts";
import { AGGREGATE_MAX_ROWS } from "../../functions/core/aggregate-limits.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { fitsRollups } from "../../functions/core/rollup-scope.ts";
import { toTimeZone } from "../../functions/core/time-zone.ts";
import { bruteAggregate } from "../support/brute-aggregate.ts";
import { soon } from "../support/database.ts";
import { storable } from "../support/event-samples.ts";
import { startEventStore, type TestEventStore } from "../support/event-store.ts";

/** Days on which clocks change in one of the time zones below. */
const CHANGES = [
  ["Europe/Berlin", "2026-03-29"],
  ["Europe/Berlin", "2026-10-25"],
  ["America/Havana", "2026-11-01"],
  ["Africa/Cairo", "2026-04-24"],
  ["Australia/Lord_Howe", "2026-04-05"],
  ["Asia/Kolkata", "2026-11-21"],
  ["UTC", "2026-11-21"],
] as const;

let setup: TestEventStore;
let reader: AggregateReader;
beforeAll(async () => {
  setup = await startEventStore();
  reader = createAggregateReader(setup.db.reader);
  for (const [, day] of CHANGES)
    await setup.db.ask("select ensure_event_partitions($1::date - 29, $1::date + 29)", [day]);
});
afterAll(() => setup.db.remove());
beforeEach(async () => {
  await setup.empty();
  await setup.db.empty("rollups", "rollup_deltas", "measures");
});

const declare = (type: string, key: string, from = "-infinity") =>
  setup.db.ask("insert into measures values ($1, '/' || $2, array[$2], $3)", [type, key, from]);

const store = async (events: StorableEvent[]) => {
  for (let at = 0; at < events.length; at += 1_000) await setup.store.store(events.slice(at, at + 1_000), soon());
};

const scan = (changes: Partial<AggregateScan> = {}): AggregateScan => ({
  tenant: "default",
  allowed: { types: undefined, sources: undefined },
  filter: undefined,
  from: "2026-11-21T00:00:00.000000Z",
  to: "2026-11-22T00:00:00.000000Z",
  every: undefined,
  timeZone: "UTC",
  fields: [],
  measures: ["count"],
  ...changes,
});

const compact = () => setup.db.ask("select compact_rollups('2027-01-01', 100000)");

const toInstant = (at: number) => new Date(at).toISOString().replace("Z", "000Z");

const measuresOf = (...path: string[]): Measure[] => FUNCTIONS.map((each) => ({ function: each, path }));

/** Numbers as JSON writes them: huge, tiny, with many decimals, negative. */
const numberText = fc.oneof(
  fc.integer({ min: -50, max: 50 }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => JSON.stringify(each === 0 ? 0 : each)),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.bigInt({ min: 0n, max: 10n ** 20n }))
    .map((pair) => pair.join(".")),
  fc.constantFrom("1e350", "-1e350", "1.000", "2.5e-330", "-7.25", "0.1", "100.10"),
);

const dataText = fc.oneof(
  fc
    .record({ value: numberText, currency: fc.constantFrom('"EUR"', '"USD"', "1", "true", "[1]", "null") })
    .map(({ value, currency }) => `{"value":${value},"currency":${currency},"list":[${value},"x"]}`),
  fc.constantFrom('{"value":"12"}', '{"value":null}', "null", "[]", "3", '{"value":{"a":1}}'),
);

const zoned = fc.constantFrom(...CHANGES).chain(([timeZone, day]) =>
  fc.record({
    timeZone: fc.constant(timeZone),
    day: fc.constant(day),
    events: fc.array(
      fc.record({
        tenant: fc.constantFrom("default", "default", "default", "other"),
        // Around the change, mostly.
        minutes: fc.oneof(fc.integer({ min: -3_000, max: 3_000 }), fc.integer({ min: -38_000, max: 38_000 })),
        ms: fc.constantFrom(0, 1, 59_999),
        type: fc.constantFrom("a.one", "a.two", "b.three"),
        source: fc.constantFrom("/s", "/t"),
        subject: fc.constantFrom(undefined, "x", "y"),
        data: dataText,
      }),
      { minLength: 1, maxLength: 120 },
    ),
  }),
);

const asked = fc.record({
  every: fc.constantFrom(undefined, ...EVERY),
  fields: fc.constantFrom<AggregateScan["fields"][number][][]>(
    [],
    ["type"],
    ["source", "type"],
    ["subject"],
    ["type", ["currency"], "source"],
    [["list", "1"]],
  ),
  measures: fc.constantFrom<Measure[]>(
    ["count"],
    ["count", ...measuresOf("value")],
    [...measuresOf("value"), { function: "sum", path: ["list", "0"] }],
    [{ function: "p95", path: [] }, "count"],
  ),
  filter: fc.constantFrom<AggregateScan["filter"][]>(
    undefined,
    { exact: { type: "a.one" } },
    { prefix: { type: "a." } },
    { all: [{ not: { exact: { source: "/t" } } }, { prefix: { type: "a." } }] },
    { data: { currency: ["EUR"] } },
  ),
  allowed: fc.constantFrom(
    { types: undefined, sources: undefined },
    { types: ["a.*"], sources: undefined },
    { types: ["a.one", "b.*"], sources: ["/s"] },
  ),
});

/** Compares an answer with the exact one; percentiles of rollups may differ by 1 %. */
function expectEqual(
  found: Aggregate | undefined,
  scanned: AggregateScan,
  events: StorableEvent[],
  exact: boolean,
): void {
  const key = ({ bucket, groups }: { bucket: string; groups: string }) =>
    `${Date.parse(bucket)} ${bucket} ${JSON.stringify(JSON.parse(groups))}`;
  const wanted = new Map(bruteAggregate(events, scanned).map((row) => [key(row), row.measured]));
  expect(found?.rows.map(key).toSorted()).toEqual([...wanted.keys()].toSorted());
  expect(found?.whole).toBe(wanted.size);
  for (const row of found?.rows ?? []) {
    row.measured.forEach((value, i) => {
      const expected = wanted.get(key(row))?.[i] ?? null;
      const measure = scanned.measures[i];
      const name = measure === undefined || measure === "count" ? "count" : measure.function;
      const context = `${key(row)} ${name}`;
      if (value === null || expected === null) expect(value, context).toBe(expected);
      else if (name === "avg") expectAverage(value, expected, context);
      else if (exact || !name.startsWith("p")) expect(value, context).toBe(expected);
      else expectWithin(value, expected, context);
    });
  }
}

/** Doubles lose the extremes; the digits before the point and the leading ones are enough. */
function expectWithin(value: string, exact: string, context: string): void {
  const [a, b] = [scaled(value), scaled(exact)];
  expect(Math.sign(a.mantissa), context).toBe(Math.sign(b.mantissa));
  if (b.mantissa === 0) return;
  const ratio = (a.mantissa / b.mantissa) * 10 ** (a.exponent - b.exponent);
  expect(Math.abs(ratio - 1), `${context} ${value} ${exact}`).toBeLessThanOrEqual(0.01);
}

function expectAverage(value: string, exact: string, context: string): void {
  const [sum = "", count] = exact.split("/");
  const [a, b] = [scaled(value), scaled(sum)];
  if (b.mantissa === 0) return expect(a.mantissa, context).toBe(0);
  const ratio = ((a.mantissa * Number(count)) / b.mantissa) * 10 ** (a.exponent - b.exponent);
  // Sixteen digits, of which cancellation costs none: both sums are exact.
  expect(Math.abs(ratio - 1), `${context} ${value} ${exact}`).toBeLessThan(1e-12);
}

function scaled(text: string): { mantissa: number; exponent: number } {
  const sign = text.startsWith("-") ? -1 : 1;
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return { mantissa: 0, exponent: 0 };
  const mantissa = sign * Number(`${digits[0]}.${digits.slice(1, 17)}`);
  const leadingZeros = `${whole}${fraction}`.length - digits.length;
  return { mantissa, exponent: whole.length - leadingZeros - 1 };
}

describe("aggregates", () => {
  it("aggregates from rows and from rollups equal brute force, in every bucket size and over changes of clocks", async () => {
    let fromRollups = 0;
    let run = 0;
    await declare("a.one", "value");
    await declare("a.two", "value");
    await fc.assert(
      fc.asyncProperty(
        zoned,
        fc.array(asked, { minLength: 4, maxLength: 8 }),
        fc.constantFrom(0, 0.5, 0.9, 1),
        fc.constantFrom([0, 0], [-1, 1], [59, -59], [61, -900], [1_439, -1_441]),
        async ({ timeZone, day, events: sampled }, requests, share, edges) => {
          // Tenants of their own: emptying hundreds of partitions takes longer than the rest.
          run += 1;
          const noon = Date.parse(`${day}T00:00:00Z`);
          const events = sampled.map(({ minutes, ms, tenant, data, ...attributes }, i) =>
            storable(
              { ...attributes, id: String(i), data: parseLossless(data).lossless },
              { tenant: `${tenant}-${run}`, receivedAt: new Date(noon + minutes * 60_000 + ms).toISOString() },
            ),
          );
          // The last ones are late: the others of their days are merged before them.
          const early = events.slice(0, Math.ceil(events.length * share));
          await store(early);
          await compact();
          await store(events.slice(early.length));
          for (const [i, request] of requests.entries()) {
            const hours = request.every?.startsWith("PT1M") ? 16 : 24 * 31;
            const scanned = scan({
              ...request,
              tenant: `default-${run}`,
              timeZone,
              from: toInstant(noon - hours * 3_600_000 + edges[0] * 60_000),
              to: toInstant(noon + hours * 3_600_000 + edges[1] * 60_000),
            });
            const rows = await reader.fromEvents(scanned, soon());
            expectEqual(rows, scanned, events, true);
            if (!fitsRollups(scanned)) continue;
            const rollup = await reader.fromRollups(scanned, soon());
            if (rollup === undefined) continue;
            fromRollups += 1;
            expectEqual(rollup, scanned, events, false);
            if (i < requests.length - 1) continue;
            await compact();
            expect(await reader.fromRollups(scanned, soon())).toEqual(rollup);
          }
        },
      ),
      { numRuns: 30, endOnFailure: true },
    );
    expect(fromRollups).toBeGreaterThan(20);
  });
});

const counts = (found: Aggregate | undefined) => found?.rows.map(({ groups, measured }) => [groups, ...measured]);

describe("an answer from rollups", () => {
  it("an answer from rollups has percentiles within 1 % of the exact ones, of large groups of any numbers", async () => {
    await declare("com.example.sample", "v");
    let run = 0;
    let inexact = 0;
    const numbers = fc.array(fc.oneof(numberText, fc.integer({ min: 1, max: 10_000 }).map(String)), {
      minLength: 30,
      maxLength: 400,
    });
    await fc.assert(
      fc.asyncProperty(numbers, async (texts) => {
        run += 1;
        const tenant = `many-${run}`;
        const events = texts.map((text, i) =>
          storable(
            { id: String(i), source: i % 3 === 0 ? "/s" : "/t", data: { v: parseLossless(text).lossless } },
            { tenant, receivedAt: `2026-11-21T09:0${i % 7}:00.000Z` },
          ),
        );
        await store(events.slice(0, 20));
        await setup.db.ask("select compact_rollups('2026-11-22', 5)");
        await store(events.slice(20));
        const asked = scan({ tenant, fields: run % 2 === 0 ? ["source"] : [], measures: measuresOf("v") });

        const found = await reader.fromRollups(asked, soon());

        expectEqual(found, asked, events, false);
        const exact = new Set(bruteAggregate(events, asked).flatMap(({ measured }) => measured));
        inexact +=
          found?.rows.flatMap(({ measured }) => measured.slice(5)).filter((value) => !exact.has(value)).length ?? 0;
      }),
      { numRuns: 25, endOnFailure: true },
    );
    // They come from the histogram.
    expect(inexact).toBeGreaterThan(40);
  });

  it("an answer from rollups is the same before and after they are merged, and with both", async () => {
    await declare("com.example.sample", "v");
    const asked = scan({ every: "PT1H", fields: ["type"], measures: ["count", ...measuresOf("v")] });
    const batch = (prefix: string) =>
      Array.from({ length: 200 }, (_, i) => storable({ id: `${prefix}${i}`, data: { v: ((i * 37) % 1_000) - 300 } }));
    await store(batch("a"));
    await setup.db.ask("select compact_rollups('2026-11-22', 10000)");
    await store(batch("b"));

    const mixed = await reader.fromRollups(asked, soon());
    await setup.db.ask("select compact_rollups('2026-11-22', 10000)");

    expect(await reader.fromRollups(asked, soon())).toEqual(mixed);
    expectEqual(mixed, asked, [...batch("a"), ...batch("b")], false);
  });

  it("an answer from rollups reads no event", async () => {
    await store([storable({ id: "1" }), storable({ id: "2" })]);
    await setup.db.ask("delete from events");

    expect(counts(await reader.fromRollups(scan(), soon()))).toEqual([["[]", "2"]]);
    expect(counts(await reader.fromEvents(scan(), soon()))).toEqual([]);
  });

  it.each([
    ["a type in the range does not declare the field", "declare nothing", {}, false],
    ["it was declared within the range", "2026-11-21T00:01:00Z", {}, false],
    ["it was declared at the beginning of the range", "2026-11-21T00:00:00Z", {}, true],
    ["the filter leaves out the types that do not declare it", "-infinity", { filter: { exact: { type: "m" } } }, true],
    ["another type in the range does not declare it", "-infinity", { other: true }, false],
  ] as const)(
    "an answer from rollups, where %s, is given or not",
    async (_what, from, { other, ...changes }: { other?: boolean; filter?: AggregateScan["filter"] }, given) => {
      if (from !== "declare nothing") await declare("m", "v", from);
      await store([storable({ id: "1", type: "m", data: { v: 1 } })]);
      if (other === true || changes.filter !== undefined)
        await store([storable({ id: "2", type: "other", data: { v: 5 } })]);

      const found = await reader.fromRollups(
        scan({ ...changes, measures: [{ function: "sum", path: ["v"] }] }),
        soon(),
      );

      expect(counts(found)).toEqual(given ? [["[]", "1"]] : undefined);
    },
  );

  it("an answer from rollups ends where it has read its limit of rollups, and says so", async () => {
    for (let minute = 0; minute < 5; minute += 1)
      await store([storable({ id: String(minute) }, { receivedAt: `2026-11-21T09:3${minute}:00.000Z` })]);
    const readOf = async (most: number) =>
      (
        await setup.db.reader.execute(
          `select measured, cast(reached as text) from aggregate_rollups('default', '2026-11-21', '2026-11-22', null, 'UTC', '{}', '{}', '[["events",0]]', null, '{}', null, null, ${most}, 10, 10000)`,
          {},
          soon(),
        )
      ).rows;

    expect(await readOf(5)).toEqual([
      ['["5"]', null],
      [null, "2026-11-22 00:00:00+00"],
    ]);
    expect(await readOf(4)).toEqual([
      ['["4"]', null],
      [null, "2026-11-21 09:34:00+00"],
    ]);
    expect(await readOf(3)).toEqual([
      ['["3"]', null],
      [null, "2026-11-21 09:33:00+00"],
    ]);
  });

  it("an answer from rollups reads days, and around them hours and minutes, and counts its limit by them", async () => {
    // An event in each hour of three days.
    const start = Date.parse("2026-11-20T00:30:00Z");
    await store(
      Array.from({ length: 72 }, (_, i) =>
        storable({ id: String(i) }, { receivedAt: new Date(start + i * 3_600_000).toISOString() }),
      ),
    );
    await compact();
    await setup.db.ask("update rollups set events = 100 where span = 'hour'");
    await setup.db.ask("update rollups set events = 10000 where span = 'day'");
    const readOf = async (from: string, to: string, most = 1_000, every = "null", zone = "UTC") => {
      const { rows } = await setup.db.reader.execute(
        `select measured, cast(reached as text) from aggregate_rollups('default', '2026-11-${from}Z', '2026-11-${to}Z', ${every}, '${zone}', '{}', '{}', '[["events",0]]', null, '{}', null, null, ${most}, 1000, 100000)`,
        {},
        soon(),
      );
      return [rows.slice(0, -1).map(([measured]) => Number(JSON.parse(String(measured))[0])), rows.at(-1)?.[1]];
    };

    expect(await readOf("20 00:00", "23 00:00")).toEqual([[30_000], "2026-11-23 00:00:00+00"]);
    expect(await readOf("20 21:10", "22 02:31")).toEqual([[10_402], "2026-11-22 02:31:00+00"]);
    expect(await readOf("20 21:10", "22 02:31", 4)).toEqual([[10_201], "2026-11-22 00:00:00+00"]);
    expect(await readOf("20 21:10", "22 02:31", 3)).toEqual([[201], "2026-11-21 00:00:00+00"]);
    expect(await readOf("20 00:00", "22 00:00", 1_000, "'P1D'")).toEqual([[10_000, 10_000], "2026-11-22 00:00:00+00"]);
    expect(await readOf("20 21:00", "20 23:00", 1_000, "'PT1H'", "Europe/Berlin")).toEqual([
      [100, 100],
      "2026-11-20 23:00:00+00",
    ]);
    // Days of Berlin begin at 23:00, those of Kolkata at 18:30 of UTC.
    expect((await readOf("20 00:00", "22 00:00", 1_000, "'P1D'", "Europe/Berlin"))[0]).toEqual([2_300, 2_400, 100]);
    expect((await readOf("20 00:00", "22 00:00", 1_000, "'P1D'", "Asia/Kolkata"))[0]).toEqual([1_800, 2_301, 501]);
    expect((await readOf("20 00:00", "20 02:00", 1_000, "'PT1H'", "Asia/Kolkata"))[0]).toEqual([1, 1]);
    expect((await readOf("01 00:00", "30 00:00", 1_000, "'P1M'", "Europe/Berlin"))[0]).toEqual([30_000]);
  });
});

describe("an answer from rows", () => {
  it("an answer from rows ends at its limit of events, and says up to which time all of them count", async () => {
    await store(
      Array.from({ length: 20 }, (_, i) =>
        storable(
          { id: String(i).padStart(2, "0") },
          { receivedAt: `2026-11-21T09:30:${String(i).padStart(2, "0")}.000Z` },
        ),
      ),
    );
    const readOf = async (most: number, milliseconds = 5_000) =>
      (
        await setup.db.reader.execute(
          `select measured, scanned, cast(reached as text) from aggregate_events('default', '2026-11-21', '2026-11-22', null, 'UTC', '[]', '[]', '[["events",0]]', null, '{}', null, null, ${milliseconds}, ${most}, 10, 10000)`,
          {},
          soon(),
        )
      ).rows;

    expect(await readOf(21)).toEqual([
      ['["20"]', null, null],
      [null, 20, "2026-11-22 00:00:00+00"],
    ]);
    expect(await readOf(20)).toEqual([
      ['["20"]', null, null],
      [null, 20, "2026-11-22 00:00:00+00"],
    ]);
    expect(await readOf(19)).toEqual([
      ['["19"]', null, null],
      [null, 19, "2026-11-21 09:30:19+00"],
    ]);
    // Without time it reads nothing, and says that too.
    expect(await readOf(19, 0)).toEqual([[null, 0, "2026-11-21 00:00:00+00"]]);
  });

  it("an answer from rows counts thousands of events that were received at one instant", async () => {
    await store(Array.from({ length: 3_000 }, (_, i) => storable({ id: String(i) })));
    await store(
      Array.from({ length: 10 }, (_, i) => storable({ id: `x${i}` }, { receivedAt: "2026-11-21T09:30:00.001Z" })),
    );

    expect(await reader.fromEvents(scan(), soon())).toMatchObject({ scanned: 3_010, rows: [{ measured: ["3010"] }] });
  });
});

describe("the rows of an answer", () => {
  it("the rows of an answer are at most so many, and their whole number is known", async () => {
    await store(
      Array.from({ length: AGGREGATE_MAX_ROWS + 1 }, (_, i) =>
        storable({ id: String(i), subject: String(i).padStart(4, "0") }),
      ),
    );
    const readTo = async (most: number) => {
      const filter = { not: { prefix: { subject: String(most).padStart(4, "0") } } };
      const found = await reader.fromEvents(
        scan({ fields: ["subject"], filter: most > AGGREGATE_MAX_ROWS ? undefined : filter }),
        soon(),
      );
      return [found.rows.length, found.whole];
    };

    expect(await readTo(AGGREGATE_MAX_ROWS + 1)).toEqual([AGGREGATE_MAX_ROWS, AGGREGATE_MAX_ROWS + 1]);
    expect(await readTo(AGGREGATE_MAX_ROWS)).toEqual([AGGREGATE_MAX_ROWS, AGGREGATE_MAX_ROWS]);
  });

  it("the rows of an answer fit into a result of the Data API, whatever their groups are", async () => {
    const long = (i: number) => String(i).padStart(5, "0") + "\u0001".repeat(400);
    await store(
      Array.from({ length: 1_500 }, (_, i) =>
        storable({ id: String(i), data: { g: long(i), v: parseLossless("1".repeat(1_000)).lossless } }),
      ),
    );

    const found = await reader.fromEvents(scan({ fields: [["g"]], measures: measuresOf("v") }), soon());

    expect(found.whole).toBe(1_500);
    expect(found.rows.length).toBeGreaterThan(20);
    expect(found.rows.length).toBeLessThan(1_500);
  });

  it("the rows of an answer have only what the key may read, by its patterns", async () => {
    await store([
      storable({ id: "1", type: "a.one", source: "/s" }),
      storable({ id: "2", type: "a.two", source: "/t" }),
      storable({ id: "3", type: "b", source: "/s" }),
    ]);
    const both = async (types?: string[], sources?: string[]) => {
      const asked = scan({ fields: ["type"], allowed: { types, sources } });
      const [rollup, rows] = [await reader.fromRollups(asked, soon()), await reader.fromEvents(asked, soon())];
      expect(counts(rollup)).toEqual(counts(rows));
      return counts(rows)?.map(([groups]) => groups);
    };

    expect(await both(["a.*"])).toEqual(['["a.one"]', '["a.two"]']);
    expect(await both(["b", "a.one"], ["/s"])).toEqual(['["a.one"]', '["b"]']);
    expect(await both([])).toEqual([]);
    expect(await both(undefined, ["/*"])).toHaveLength(3);
  });

  it.each(["'", '"', "$1", ":tenant", "; drop table events; --", "\\", "\u0001", "a/b~c", "{", "null"])(
    "the rows of an answer may be grouped by and measure the key %j",
    async (key) => {
      await store([storable({ id: "1", data: { [key]: { [key]: 2 } } })]);

      const path = [key, key];
      const found = await reader.fromEvents(scan({ fields: [path], measures: [{ function: "sum", path }] }), soon());

      expect(counts(found)).toEqual([["[2]", "2"]]);
    },
  );
});

describe("time zones", () => {
  const LEGACY = [
    "CET",
    "MET",
    "EET",
    "WET",
    "EST",
    "MST",
    "HST",
    "EST5EDT",
    "PST8PDT",
    "GB",
    "NZ",
    "PRC",
    "ROK",
    "Zulu",
    "UCT",
    "GMT",
    "Etc/GMT+5",
    "Cuba",
    "Eire",
    "Israel",
    "Turkey",
    "W-SU",
  ];

  it("time zones have the same days and hours in PostgreSQL as in JavaScript, by every name", async () => {
    const names = [...Intl.supportedValuesOf("timeZone"), ...LEGACY];
    const instants = ["2026-01-15T12:30:00.000Z", "2026-07-15T12:30:00.000Z"];
    const differing: string[] = [];
    for (const name of names) {
      const zone = toTimeZone(name);
      for (const at of instants) {
        const [row] = await setup.db.ask<{ wall: string }>(
          "select to_char($1::timestamptz at time zone $2, 'YYYY-MM-DD HH24:MI') as wall",
          [at, zone],
        );
        const wall = new Date(at).toLocaleString("sv-SE", { timeZone: name }).slice(0, 16);
        if (row?.wall !== wall) differing.push(`${name} ${at} ${row?.wall} ${wall}`);
      }
    }

    expect(names.length).toBeGreaterThan(400);
    expect(differing).toEqual([]);
  });
});
