import { Client } from "pg";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { createKeepRollups } from "../../functions/migrate/keep-rollups.ts";
import { soon } from "../support/database.ts";
import { NOW } from "../support/migrations.ts";
import { storable, storables } from "../support/event-samples.ts";
import { startEventStore, type TestEventStore } from "../support/event-store.ts";

let setup: TestEventStore;
beforeAll(async () => {
  setup = await startEventStore();
});
afterAll(() => setup.db.remove());
beforeEach(async () => {
  await setup.empty();
  await setup.db.empty("rollups", "rollup_deltas", "measures");
});

const ask = async <Row extends Record<string, unknown>>(sql: string, values: unknown[] = []) =>
  setup.db.ask<Row>(sql, values);
const store = (events: StorableEvent[]) => setup.store.store(events, soon());
const declare = (type: string, key: string, from = "-infinity") =>
  ask("insert into measures values ($1, '/' || $2, array[$2], $3)", [type, key, from]);
const number = async (sql: string) => (await ask<{ n: number }>(`select (${sql})::int as n`))[0]?.n;
const DAY = ["2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"];
const differences = () => ask("select * from check_rollups($1, $2)", DAY);
const compact = async (settled = "2026-11-22T00:00:00Z", most = 100_000) => {
  const [row] = await ask<{ merged: number }>("select compact_rollups($1, $2) as merged", [settled, most]);
  return row?.merged;
};
/** All rollups, merged or not, by span and group. */
const groups = () =>
  ask(`
    select span, tenant, minute, type, source, pointer, sum(events)::int as events, sum(total)::text as total,
      min(low)::text as low, max(high)::text as high,
      (select jsonb_object_agg(bucket, n) from (
        select bucket, sum(count) as n from rollup_parts as other, unnest(buckets, counts) as bar (bucket, count)
        where (other.span, other.tenant, other.minute, other.type, other.source, other.pointer)
          = (p.span, p.tenant, p.minute, p.type, p.source, p.pointer) group by bucket
      ) as bars) as bars
    from rollup_parts as p group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6`);
beforeAll(() =>
  ask(`
    create view rollup_parts as
    select span, tenant, minute, type, source, pointer, events, total, low, high, buckets, counts from rollups
    union all
    select span, tenant, date_trunc(span, minute, 'UTC'), type, source, pointer, events, total, low, high, buckets, counts
    from delta_parts cross join unnest(array['minute', 'hour', 'day']) as span`),
);
/** SQL that changes a column of the parts of a pointer. */
const changeParts = (pointer: string, column: string, value: string) => {
  const columns = ["type", "source", "pointer", "events", "total", "low", "high", "buckets", "counts"].map((each) =>
    each === column ? `case when pointer = '${pointer}' then ${value} else ${each} end` : each,
  );
  return `update rollup_deltas set parts = array(select cast(row(${columns.join(", ")}) as rollup_part) from unnest(parts))`;
};
/** The number of events, or of numbers of a field, in each span. */
const inSpans = async (pointer = "") => {
  const rows = await ask<{ n: number }>(
    "select sum(events)::int as n from rollup_parts where pointer = $1 group by span",
    [pointer],
  );
  return rows.map(({ n }) => n);
};

/** The events of store calls: new ones, copies, conflicts, events that the database refuses. */
const calls = fc.array(
  fc.array(
    fc.record({
      tenant: fc.constantFrom("a", "b"),
      id: fc.integer({ min: 0, max: 25 }).map(String),
      source: fc.constantFrom("/s", "/t"),
      type: fc.constantFrom("m.one", "m.two", "plain"),
      second: fc.constantFrom(0, 30, 59, 60, 61, 3_599),
      data: fc.oneof(
        fc.constantFrom('{"v":1}', '{"v":"1"}', "{}", "null", '{"v":1e200,"w":-0.5}', '{"w":[1]}'),
        fc
          .double({ noNaN: true, noDefaultInfinity: true })
          .map((v) => `{"v":${JSON.stringify(v === 0 ? 0 : v)},"w":${JSON.stringify(v / 3)}}`),
        fc.constant('"\\u0000"'),
      ),
    }),
    { minLength: 5, maxLength: 40 },
  ),
  { minLength: 1, maxLength: 6 },
);

describe("rollups", () => {
  it("rollups equal the events after random calls with copies, conflicts, refused events, lost answers and outages", async () => {
    let events = 0;
    await fc.assert(
      fc.asyncProperty(calls, fc.array(fc.nat(9)), async (chunks, fates) => {
        await setup.empty();
        await setup.db.empty("rollups", "rollup_deltas", "measures");
        await declare("m.one", "v");
        await declare("m.one", "w");
        await declare("m.two", "v");
        for (const [i, chunk] of chunks.entries()) {
          const batch = chunk.map(({ tenant, second, data, ...attributes }) =>
            storable(
              { ...attributes, data: parseLossless(data).lossless },
              { tenant, receivedAt: new Date(Date.parse("2026-11-21T09:00:00Z") + second * 1_000).toISOString() },
            ),
          );
          if (batch.length === 0) continue;
          const fate = fates[i % Math.max(fates.length, 1)] ?? 9;
          if (fate === 0) setup.db.faults.add({ kind: "error", error: "DatabaseUnavailableException" });
          if (fate === 1) setup.db.faults.add({ kind: "dropAfter", calls: 1 });
          await store(batch).catch(() => undefined);
          setup.db.faults.clear();
          if (fate < 4) await store(batch);
          if (fate === 4) await compact("2026-11-21T09:01:00Z", 7);
        }
        events += (await setup.count("events")) ?? 0;

        expect(await differences()).toEqual([]);
        const before = await groups();
        await compact();
        expect(await groups()).toEqual(before);
        expect(await differences()).toEqual([]);
      }),
      { numRuns: 25 },
    );
    expect(events).toBeGreaterThan(200);
  });

  it("rollups have one delta for each tenant and minute of a block, with a part for each type and source, and none for copies", async () => {
    const batch = [
      storable({ id: "1" }),
      storable({ id: "2" }, { receivedAt: "2026-11-21T09:30:59.999Z" }),
      storable({ id: "3" }, { receivedAt: "2026-11-21T09:31:00.000Z" }),
      storable({ id: "4", source: "/t" }),
      storable({ id: "5", type: "b" }),
      storable({ id: "6" }, { tenant: "b" }),
    ];
    await store(batch);
    await store(batch);
    await store([storable({ id: "1", data: "other" })]);

    expect(await ask("select tenant, type, source, minute, events::int from delta_parts order by 1, 2, 3, 4")).toEqual([
      { tenant: "b", type: "com.example.sample", source: "/s", minute: new Date("2026-11-21T09:30:00Z"), events: 1 },
      { tenant: "default", type: "b", source: "/s", minute: new Date("2026-11-21T09:30:00Z"), events: 1 },
      {
        tenant: "default",
        type: "com.example.sample",
        source: "/s",
        minute: new Date("2026-11-21T09:30:00Z"),
        events: 2,
      },
      {
        tenant: "default",
        type: "com.example.sample",
        source: "/s",
        minute: new Date("2026-11-21T09:31:00Z"),
        events: 1,
      },
      {
        tenant: "default",
        type: "com.example.sample",
        source: "/t",
        minute: new Date("2026-11-21T09:30:00Z"),
        events: 1,
      },
    ]);
  });

  it("rollups of a type without measures have its number of events alone", async () => {
    await declare("measured", "v");
    await store(storables(3, "a", { type: "plain", data: { v: 1 } }));
    await store(storables(3, "b", { type: "measured", data: { v: 1.5 } }));

    expect(await ask("select type, pointer, events::int, total::text, counts from delta_parts order by 1, 2")).toEqual([
      { type: "measured", pointer: "", events: 3, total: null, counts: null },
      { type: "measured", pointer: "/v", events: 3, total: "4.5", counts: [3] },
      { type: "plain", pointer: "", events: 3, total: null, counts: null },
    ]);
  });

  it("rollups have the number of the transaction that stored the events", async () => {
    await store([storable()]);

    expect(await ask("select from events join rollup_deltas using (transaction_number)")).toHaveLength(1);
  });

  it("rollups make no writer wait: of two transactions in one minute the second ends while the first is open", async () => {
    const line = (id: string) => {
      const { event, tenant, receivedAt } = storable({ id, type: "m", data: { v: 1 } });
      return [[JSON.stringify({ ...event, tenant, received_at: receivedAt })], [JSON.stringify(event.data)]];
    };
    await declare("m", "v");
    const [first, second] = [await setup.db.connectAs("writer"), await setup.db.connectAs("writer")];
    const storeOn = (session: Client, id: string) =>
      session.query("select outcome, position from store_batch($1, $2)", line(id));
    try {
      await first.query("begin");
      await storeOn(first, "1");
      await second.query("set statement_timeout = '5s'");

      expect((await storeOn(second, "2")).rows).toEqual([{ outcome: "stored", position: 1 }]);
      expect(await number("select sum(events) from delta_parts where pointer = ''")).toBe(1);
      await first.query("commit");
      expect(await number("select sum(events) from delta_parts where pointer = ''")).toBe(2);
    } finally {
      await first.end();
      await second.end();
    }
  });

  it("rollups of a transaction that ends without its commit are not there", async () => {
    const session = await setup.db.connectAs("writer");
    await session.query("begin");
    const { event, tenant, receivedAt } = storable();
    await session.query("select * from store_batch($1)", [
      [JSON.stringify({ ...event, tenant, received_at: receivedAt })],
    ]);
    const [{ pid } = { pid: 0 }] = (await session.query<{ pid: number }>("select pg_backend_pid() as pid")).rows;
    session.on("error", () => undefined);
    await ask("select pg_terminate_backend($1)", [pid]).catch(() => undefined);
    await session.end().catch(() => undefined);

    expect(await setup.count("events")).toBe(0);
    expect(await number("select count(*) from rollup_deltas")).toBe(0);
  });
});

describe("histograms", () => {
  it("the number of a bucket is within 1 % of each number in it, and buckets have the order of their numbers", async () => {
    const value = fc.tuple(
      fc.constantFrom("", "-"),
      fc.integer({ min: -330, max: 350 }),
      fc.integer({ min: 1, max: 999_999_999 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 200 }), async (values) => {
        const texts = values.map(([sign, exponent, digits]) => `${sign}${digits}e${exponent}`);
        const rows = await ask<{ off: number; bad: boolean }>(
          `select max(abs(bucket_value(bucket) / v - 1))::float8 as off, bool_or(v < before and bucket > before_bucket) as bad
           from (
             select v, value_bucket(v) as bucket, lag(v) over w as before, lag(value_bucket(v)) over w as before_bucket
             from unnest($1::numeric[]) as given (v) window w as (order by v desc)
           ) as placed`,
          [texts],
        );

        expect(rows[0]?.off).toBeLessThanOrEqual(0.01);
        expect(rows[0]?.bad ?? false).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it("zero has a bucket of its own, between the least positive and the largest negative number", async () => {
    expect(await ask("select value_bucket(0) as zero, bucket_value(0)::int as value")).toEqual([{ zero: 0, value: 0 }]);
    expect(
      await number(
        "select (value_bucket(-1e-1099) < 0)::int + (value_bucket(1e-1099) > 0)::int + (value_bucket(1e1099) > value_bucket(1e308))::int",
      ),
    ).toBe(3);
  });
});

describe("merging", () => {
  it("merging leaves one row for each group, whatever was merged before, and the numbers as they were", async () => {
    await declare("com.example.sample", "v");
    for (let i = 0; i < 5; i += 1) await store([storable({ id: `a${i}`, data: { v: i - 2 } })]);
    await compact();
    for (let i = 0; i < 5; i += 1) await store([storable({ id: `b${i}`, data: { v: i * 10 } })]);
    const before = await groups();

    expect(await compact()).toBe(10);

    expect(await number("select count(*) from rollup_deltas")).toBe(0);
    expect(await number("select count(*) from rollups")).toBe(2 * 3);
    expect(await groups()).toEqual(before);
    expect(await compact()).toBe(0);
  });

  it("merging adds each event to its minute, its hour and its day in UTC, however late it comes", async () => {
    const at = (time: string) => storable({ id: time }, { receivedAt: `2026-11-2${time}.000Z` });
    const merged = () =>
      ask("select span, minute, events::int from rollups order by array_position('{minute,hour,day}', span), minute");
    await store([at("0T23:59:59"), at("1T00:00:00"), at("1T09:59:59"), at("1T10:00:00")]);
    await compact();
    await store([at("1T09:00:00"), at("0T23:58:00")]);

    await compact();

    expect(await merged()).toEqual(
      [
        ["minute", "0T23:58", 1],
        ["minute", "0T23:59", 1],
        ["minute", "1T00:00", 1],
        ["minute", "1T09:00", 1],
        ["minute", "1T09:59", 1],
        ["minute", "1T10:00", 1],
        ["hour", "0T23:00", 2],
        ["hour", "1T00:00", 1],
        ["hour", "1T09:00", 2],
        ["hour", "1T10:00", 1],
        ["day", "0T00:00", 2],
        ["day", "1T00:00", 4],
      ].map(([span, minute, events]) => ({ span, minute: new Date(`2026-11-2${minute}:00Z`), events })),
    );
  });

  it("merging takes so many deltas of settled minutes, and leaves the others", async () => {
    for (let i = 0; i < 6; i += 1)
      await store([storable({ id: `e${i}` }, { receivedAt: `2026-11-21T09:3${i}:00.000Z` })]);

    expect(await compact("2026-11-21T09:34:00Z", 3)).toBe(3);
    expect(await compact("2026-11-21T09:34:00Z", 3)).toBe(1);
    expect(await compact("2026-11-21T09:34:00Z", 3)).toBe(0);

    expect(await number("select count(*) from rollup_deltas")).toBe(2);
    expect(await differences()).toEqual([]);
  });

  it("merging by two runs at the same time counts each event once", async () => {
    for (let i = 0; i < 20; i += 1) await store([storable({ id: `e${i}` })]);

    await Promise.all(
      [1, 2, 3].map(() => setup.db.database.execute("select compact_rollups('2026-11-22', 9)", {}, soon())),
    );

    expect(await inSpans()).toEqual([20, 20, 20]);
    expect(await differences()).toEqual([]);
  });

  it("merging that is rolled back has done nothing", async () => {
    await store(storables(3, "e"));

    await setup.db.database
      .transaction(async (execute) => {
        await execute("select compact_rollups('2026-11-22', 100)", {}, soon());
        throw new Error("killed");
      }, soon())
      .catch(() => undefined);

    expect(await number("select count(*) from rollups")).toBe(0);
    expect(await differences()).toEqual([]);
  });
});

describe("the check of rollups", () => {
  it.each([
    ["a count", changeParts("", "events", "events + 1"), ""],
    ["a lost delta", "delete from rollup_deltas", ""],
    ["a sum", changeParts("/v", "total", "total + 0.01"), "/v"],
    ["a maximum", changeParts("/v", "high", "100"), "/v"],
    ["a histogram", changeParts("/v", "counts", "array[1]"), "/v"],
    ["a minute", "update rollup_deltas set minute = minute + interval '1 minute'", ""],
    ["a lost event", "delete from events where id = 'e1'", ""],
    [
      "a delta of a tenant without events",
      "insert into rollup_deltas (tenant, minute, parts) values ('none', '2026-11-21T09:00:00Z', array[cast(row('t', '/s', '', 1, null, null, null, null, null) as rollup_part)])",
      "",
    ],
  ])("the check of rollups finds %s that was changed by hand", async (_what, change, pointer) => {
    await declare("com.example.sample", "v");
    await store(storables(4, "e", { data: { v: 2 } }));
    expect(await differences()).toEqual([]);

    await ask(change);

    expect(await differences()).toContainEqual(expect.objectContaining({ pointer }));
  });

  it.each([
    ["a count of an hour", "update rollups set events = events + 1 where span = 'hour' and pointer = ''", "hour"],
    ["a sum of an hour", "update rollups set total = 0 where span = 'hour' and pointer = '/v'", "hour"],
    ["a histogram of a day", "update rollups set counts = array[1] where span = 'day' and pointer = '/v'", "day"],
    ["a lost hour", "delete from rollups where span = 'hour'", "day"],
    ["a lost day", "delete from rollups where span = 'day'", "day"],
    [
      "a day of a tenant without events",
      "insert into rollups values ('day', 'none', '2026-11-21T00:00:00Z', 't', '/s', '', 1, null, null, null, null, null, 1)",
      "day",
    ],
  ])("the check of rollups finds %s that was changed after merging", async (_what, change, span) => {
    await declare("com.example.sample", "v");
    await store(storables(4, "e", { data: { v: 2 } }));
    await compact();
    // Not merged yet, so no hour has it.
    await store(storables(4, "f", { data: { v: 3 } }));
    expect(await differences()).toEqual([]);

    await ask(change);

    expect(await differences()).toContainEqual(expect.objectContaining({ span }));
  });

  it("the check of rollups leaves out what was received before a field was declared", async () => {
    await store(storables(2, "old", { data: { v: 1 } }));
    await declare("com.example.sample", "v", "2026-11-21T09:31:00Z");
    await store([storable({ id: "new", data: { v: 1 } }, { receivedAt: "2026-11-21T09:31:00.000Z" })]);

    expect(await differences()).toEqual([]);
  });

  it("rebuilding makes the rollups again from the events, and leaves nothing to find", async () => {
    await store(storables(300, "e", { data: { v: 2 } }));
    await declare("com.example.sample", "v");
    await compact();
    await ask("update rollups set events = 1");
    expect(await differences()).toHaveLength(2);

    expect(await ask("select rebuild_rollups($1, $2)::int as events", DAY)).toEqual([{ events: 300 }]);

    expect(await differences()).toEqual([]);
    expect(await inSpans("/v")).toEqual([300, 300, 300]);
  });

  it("rebuilding some minutes keeps the others of their hour and day, also those whose events are no longer retained", async () => {
    const minutes = ["09:29", "09:30", "09:31", "11:00"];
    const atMinute = (minute: string) => `2026-11-21T${minute}:00.000Z`;
    await declare("com.example.sample", "v");
    for (const minute of minutes)
      await store([1, 2].map((v) => storable({ id: `${minute} ${v}`, data: { v } }, { receivedAt: atMinute(minute) })));
    await compact();
    const right = await groups();
    await ask("update rollups set events = 1 where minute = '2026-11-21T09:30:00Z'");
    await ask("delete from events where received_at >= '2026-11-21T11:00:00Z'");

    const range = ["2026-11-21T09:30:00Z", "2026-11-21T09:31:00Z"];
    expect(await ask("select rebuild_rollups($1, $2)::int as events", range)).toEqual([{ events: 2 }]);

    expect(await groups()).toEqual(right);
    await compact();
    expect(await groups()).toEqual(right);
    expect(await number("select count(*) from rollup_deltas")).toBe(0);
  });

  it("a daily run merges what is settled, checks each hour of yesterday, and counts what differs", async () => {
    const counted: unknown[] = [];
    const keepRollups = createKeepRollups({
      // The clock is not that of the deadline.
      database: { execute: (sql, parameters) => setup.db.database.execute(sql, parameters, soon()) },
      clock: () => new Date("2026-11-22T02:00:00Z"),
      metrics: { addMetric: (...values) => void counted.push(values) },
    });
    await store(storables(3, "e"));
    await store([storable({ id: "young" }, { receivedAt: "2026-11-22T01:30:00.000Z" })]);

    expect(await keepRollups(soon())).toEqual({ deltasMerged: 1, rollupHoursChecked: 24 });
    await ask("update rollups set events = 2");

    expect(await keepRollups(soon())).toEqual({
      deltasMerged: 0,
      rollupHoursChecked: 24,
      rollupDifferences: [
        {
          from: "2026-11-21T09:00:00.000Z",
          to: "2026-11-21T10:00:00.000Z",
          tenant: "default",
          type: "com.example.sample",
          field: "",
        },
      ],
    });
    expect(counted).toEqual([
      ["RollupsDiffering", "Count", 0],
      ["RollupsDiffering", "Count", 1],
    ]);
  });
});

describe("declared measures", () => {
  const declareAll = (list: object[]) =>
    ask<{ n: number }>("select declare_fields('measures', $1::jsonb) as n", [JSON.stringify(list)]);
  const declared = () => ask("select type, pointer, path, covered_from > now() as later from measures order by 1, 2");

  it("declared measures are those of the last call, and those that stay keep the time from which they are covered", async () => {
    const [a, b] = [
      { type: "a", pointer: "/v", path: ["v"] },
      { type: "b", pointer: "/x~1y/0", path: ["x/y", "0"] },
    ];
    expect(await declareAll([a, b])).toEqual([{ n: 2 }]);
    await ask("update measures set covered_from = '2026-01-01Z' where type = 'a'");

    expect(await declareAll([a])).toEqual([{ n: 1 }]);
    expect(await declareAll([a, b])).toEqual([{ n: 1 }]);

    expect(await declared()).toEqual([
      { ...a, later: false },
      { ...b, later: true },
    ]);
    expect(await declareAll([])).toEqual([{ n: 2 }]);
  });

  it("declared measures are covered from a whole minute on that is some minutes away", async () => {
    await declareAll([{ type: "a", pointer: "/v", path: ["v"] }]);

    expect(
      await number(
        "select count(*) from measures where covered_from between now() + interval '5 minutes' and now() + interval '6 minutes' and extract(second from covered_from) = 0",
      ),
    ).toBe(1);
  });

  it("declared measures come with a migration that knows the catalog", async () => {
    const { createMigrate } = await import("../../functions/migrate/migrate.ts");
    const migrate = createMigrate({
      database: setup.db.database,
      clock: () => NOW,
      credentials: async () => [],
      setPassword: async () => undefined,
      declaredFields: { measures: [{ type: "a", pointer: "/v", path: ["v"] }], indexed: [], retentions: [] },
    });

    expect(await migrate([], soon())).toMatchObject({ measuresChanged: 1 });
    expect(await migrate([], soon())).toMatchObject({ measuresChanged: 0 });
    expect(await declared()).toHaveLength(1);
  });
});

describe("the ranges of rollups", () => {
  it("the ranges of rollups have each minute once, none with parts of two buckets, in every time zone and bucket size", async () => {
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/Havana", "Asia/Kolkata", "Australia/Lord_Howe");
    const every = fc.constantFrom(null, "PT15M", "PT1H", "P1D", "P1W", "P1M");
    const minutes = fc.tuple(fc.nat(500_000), fc.integer({ min: 1, max: 60_000 }));
    await fc.assert(
      fc.asyncProperty(zone, every, minutes, async (timeZone, size, [first, length]) => {
        const from = new Date(Date.parse("2026-01-01T00:00:00Z") + first * 60_000);
        const to = new Date(from.getTime() + Math.min(length, size === "PT15M" ? 10_000 : length) * 60_000);
        const [found] = await ask(
          `with parts as (
             select at, at + length as until
             from unnest(rollup_ranges($1, $2, $3, $4)) as wanted
               join (values ('minute', interval '1 minute'), ('hour', interval '1 hour'), ('day', interval '24 hours'))
                 as spans (span, length) using (span)
               cross join generate_series(low, high - interval '1 minute', length) as at
           )
           select min(at) as first, max(until) as last, sum(until - at) = $2::timestamptz - $1::timestamptz as whole,
             count(*) = count(distinct at) as once,
             count(*) filter (where bucket_start(at, $3, $4) <> bucket_start(until - interval '1 minute', $3, $4))::int as cut
           from parts`,
          [from, to, size, timeZone],
        );

        expect(found).toEqual({ first: from, last: to, whole: true, once: true, cut: 0 });
      }),
      // The clocks of Lord Howe change by half an hour.
      { numRuns: 60, examples: [["Australia/Lord_Howe", "PT1H", [336_967, 59_993]]] },
    );
  });
});
