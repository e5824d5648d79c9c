import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createErasureJobs } from "../../functions/adapters/data-api/erasure-jobs.ts";
import { ArchiveError } from "../../functions/core/archive-manifest.ts";
import type { ErasedObjects, ErasureScope } from "../../functions/core/erasure-objects.ts";
import { FilesError } from "../../functions/core/export-job.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { putDeadLetters } from "../support/dead-letter-rows.ts";
import { erase, erasureId, interrupted } from "../support/erasure.ts";
import { storable, storables } from "../support/event-samples.ts";
import { noObjects } from "../support/no-objects.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());
beforeEach(() =>
  db.empty(
    "events",
    "event_keys",
    "event_fields",
    "event_transactions",
    "rollup_deltas",
    "rollups",
    "arrival_deltas",
    "arrivals",
    "arrival_totals",
    "dead_letters",
    "holds",
    "erasures",
    "erased_keys",
    "erasure_ids",
    "erasure_events",
    "suppressions",
    "restores",
  ),
);

const store = (events: StorableEvent[]) => createEventStore(db.writer).store(events, soon());
const ids = async (table = "events") =>
  (await db.ask<{ id: string }>(`select id from ${table} order by id`)).map(({ id }) => id);
const find = async (id: string, source = "/s") =>
  (await createEventReader(db.reader).find({ tenant: "default", id, source }, soon())).kind;

describe("an erasure by ids", () => {
  it("erases the events and their keys, and no other event", async () => {
    await store([
      ...storables(5, "e"),
      storable({ id: "e1", source: "/other" }),
      storable({ id: "e1" }, { tenant: "b" }),
    ]);

    const job = await erase(db.database, {
      by: "ids",
      ids: [
        { id: "e1", source: "/s" },
        { id: "e3", source: "/s" },
        { id: "none", source: "/s" },
      ],
    });

    expect(job).toMatchObject({ state: "done", counts: { events: 2, keys: 3 } });
    expect(await ids()).toEqual(["e0", "e1", "e1", "e2", "e4"]);
    expect(await ids("event_keys")).toEqual(["e0", "e1", "e1", "e2", "e4"]);
    expect(await find("e1")).toBe("absent");
    expect(await find("e1", "/other")).toBe("found");
  });

  it("an erased event that is sent again is stored no more, and is no copy", async () => {
    await store(storables(3, "e"));
    await erase(db.database, { by: "ids", ids: [{ id: "e1", source: "/s" }] });

    expect(await store([...storables(3, "e"), storable({ id: "new" })])).toEqual({
      stored: 1,
      conflicts: [],
      erased: 1,
      refused: [],
    });
    expect(await ids()).toEqual(["e0", "e2", "new"]);
  });

  it.each([2, 1_000])("an id without a source is that of every source, %i events a statement", async (mostRows) => {
    await store(["a", "b", "c", "d", "e"].map((source) => storable({ id: "x", source: `/${source}` })));
    await store([storable({ id: "y" })]);
    let statements = 0;
    const database = interrupted(db.database, "erase_rows", async (call) => void (statements = call));

    const job = await erase(database, { by: "ids", ids: [{ id: "x" }] }, { mostRows });

    expect(job.counts).toMatchObject({ events: 5, keys: 5 });
    expect(statements).toBeGreaterThanOrEqual(5 / mostRows);
    expect(await ids()).toEqual(["y"]);
    expect(await store([storable({ id: "x", source: "/c" })])).toMatchObject({ stored: 0, erased: 1 });
  });

  it("the record of a job has nothing of its events when it has ended", async () => {
    await store(storables(2, "secret-"));
    await erase(db.database, { by: "ids", ids: [{ id: "secret-0", source: "/s" }] });

    const tables = ["erasures", "erasure_ids", "erasure_events", "erased_keys", "erasure_groups"];
    for (const table of tables)
      expect(JSON.stringify(await db.ask(`select * from ${table}`)), table).not.toContain("secret-");
    expect(await createErasureJobs(db.database).read("default", erasureId("1"), soon())).toMatchObject({
      request: undefined,
    });
  });
});

const hold = (id: string, filter: object | null = null, tenant = "default") =>
  db.ask("insert into holds (id, tenant, filter, reason, created_by) values ($1, $2, $3, 'case 7', 'k')", [
    id,
    tenant,
    filter === null ? null : JSON.stringify(filter),
  ]);

describe("an erasure by subject or filter", () => {
  it("erases every event of the subject, in every class and day", async () => {
    await db.ask(`select ensure_waiting_days('[{"class":30,"day":"2026-11-20"},{"class":7,"day":"2026-11-21"}]')`);
    await store([
      storable({ id: "1", subject: "mary" }),
      { ...storable({ id: "2", subject: "mary" }, { receivedAt: "2026-11-20T10:00:00.000Z" }), retention: 30 },
      { ...storable({ id: "3", subject: "mary" }), retention: 7 },
      storable({ id: "4", subject: "mark" }),
      storable({ id: "5" }),
      storable({ id: "6", subject: "mary" }, { tenant: "b" }),
    ]);

    const job = await erase(db.database, { by: "subject", subject: "mary" });

    expect(job.counts).toMatchObject({ events: 3, keys: 3 });
    expect(await ids()).toEqual(["4", "5", "6"]);
  });

  it("goes on behind the last event of a statement, in many statements as in one", async () => {
    await store([...storables(40, "m", { subject: "mary" }), ...storables(40, "o")]);

    const job = await erase(db.database, { by: "subject", subject: "mary" }, { mostRows: 7 });

    expect(job.counts).toMatchObject({ events: 40 });
    expect(await ids()).toEqual(
      storables(40, "o")
        .map(({ event }) => event.id)
        .toSorted(),
    );
  });

  it("erases what a filter matches", async () => {
    await store([
      storable({ id: "1", data: { card: { number: "4111" } } }),
      storable({ id: "2", data: { card: { number: "4222" } } }),
    ]);

    await erase(db.database, { by: "filter", filter: '{"data":{"card":{"number":["4111"]}}}' });

    expect(await ids()).toEqual(["2"]);
  });

  it("what was accepted before is not stored behind it, and what is accepted later is, unless the request says otherwise", async () => {
    const later = { receivedAt: new Date(Date.now() + 3_600_000).toISOString() };
    const before = { receivedAt: new Date(Date.now() - 60_000).toISOString() };
    const today = [before, later].map(({ receivedAt }) => ({ class: 0, day: receivedAt.slice(0, 10) }));
    await db.ask("select ensure_waiting_days($1)", [JSON.stringify(today)]);
    await erase(db.database, { by: "subject", subject: "mary" });
    await erase(db.database, { by: "filter", filter: '{"data":{"n":[7]}}' }, { id: erasureId("2") });
    const late = await store([
      { ...storable({ id: "1", subject: "mary" }, before), retention: 0 },
      { ...storable({ id: "2", subject: "mary" }, later), retention: 0 },
      { ...storable({ id: "3", data: { n: 7 } }, before), retention: 0 },
      { ...storable({ id: "4", data: { n: 7 } }, later), retention: 0 },
      { ...storable({ id: "5", data: { n: 8 } }, before), retention: 0 },
      { ...storable({ id: "6", subject: "mary" }, { ...before, tenant: "b" }), retention: 0 },
    ]);

    expect(late).toMatchObject({ stored: 4, erased: 2 });
    expect(await ids()).toEqual(["2", "4", "5", "6"]);

    await erase(db.database, { by: "subject", subject: "mary" }, { id: erasureId("3"), suppress: "forever" });
    await erase(db.database, { by: "filter", filter: '{"data":{"n":[7]}}' }, { id: erasureId("4"), suppress: "30d" });
    expect(await ids()).toEqual(["5", "6"]);
    expect(
      await store([
        { ...storable({ id: "7", subject: "mary" }, later), retention: 0 },
        { ...storable({ id: "8", data: { n: 7 } }, later), retention: 0 },
      ]),
    ).toMatchObject({ stored: 0, erased: 2 });
  });

  it("an id that was erased without suppression may be accepted again, and a late copy may not", async () => {
    const [before, later] = [-60_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
    const days = [before, later].map((at = "") => ({ class: 0, day: at.slice(0, 10) }));
    await db.ask("select ensure_waiting_days($1)", [JSON.stringify(days)]);
    await erase(db.database, { by: "ids", ids: [{ id: "x", source: "/s" }] }, { suppress: "none" });

    expect(await store([{ ...storable({ id: "x" }, { receivedAt: before }), retention: 0 }])).toMatchObject({
      erased: 1,
    });
    expect(await store([{ ...storable({ id: "x" }, { receivedAt: later }), retention: 0 }])).toMatchObject({
      stored: 1,
    });
  });
});

describe("a legal hold", () => {
  it("that has one of the events stops the erasure, which erases nothing and names the hold", async () => {
    await store([
      ...storables(5, "m", { subject: "mary" }),
      storable({ id: "held", subject: "mary", type: "com.example.held" }),
    ]);
    await hold("hold_1", { exact: { type: "com.example.held" } });
    const jobs = createErasureJobs(db.database);

    expect(await jobs.plan("default", { by: "subject", subject: "mary" }, 5_000, soon())).toMatchObject({
      holdId: "hold_1",
    });
    expect(await jobs.plan("default", { by: "ids", ids: [{ id: "held", source: "/s" }] }, 5_000, soon())).toMatchObject(
      { holdId: "hold_1" },
    );
    const job = await erase(db.database, { by: "subject", subject: "mary" });

    expect(job).toMatchObject({ state: "failed", reason: "on_hold", counts: { keys: 0 } });
    expect(job.detail).toContain("hold_1");
    expect(await ids()).toHaveLength(6);
    expect(await store([storable({ id: "next", subject: "mary" })])).toMatchObject({ stored: 1, erased: 0 });
  });

  it("that is made while the erasure runs wins for what is not erased yet", async () => {
    await store(storables(30, "m", { subject: "mary" }));
    const database = interrupted(db.database, "erase_rows", async (call) => {
      if (call === 2) await hold("hold_2");
    });

    const job = await erase(database, { by: "subject", subject: "mary" }, { mostRows: 10 });

    expect(job).toMatchObject({ state: "failed", reason: "on_hold", counts: { events: 10, keys: 10 } });
    expect(await ids()).toHaveLength(20);
    expect(await store(storables(30, "m", { subject: "mary" }))).toMatchObject({ stored: 0, erased: 10 });
  });

  it("that stops an erasure by ids leaves no rule for the ids that were not erased", async () => {
    await store([storable({ id: "held", type: "com.example.held" })]);
    await hold("hold_5", { exact: { type: "com.example.held" } });
    const ids = ["held", "next"].map((id) => ({ id, source: "/s" }));

    expect(await erase(db.database, { by: "ids", ids })).toMatchObject({ state: "failed" });

    expect(await store([storable({ id: "next" })])).toMatchObject({ stored: 1, erased: 0 });
  });

  it("of another tenant, or that was released, stops nothing", async () => {
    await store(storables(2, "m"));
    await hold("hold_3", null, "b");
    await hold("hold_4");
    await db.ask("update holds set released_at = now() where id = 'hold_4'");

    expect(await erase(db.database, { by: "ids", ids: [{ id: "m0" }] })).toMatchObject({ state: "done" });
  });
});

describe("the objects of an erasure", () => {
  it("that were changed by somebody else end it, and what was erased before stays erased", async () => {
    await store(storables(2, "m", { subject: "mary" }));
    const eraseObjects: ErasedObjects["erase"] = async () => {
      throw new ArchiveError("archive/7d/2026-11-20/default/1/1.ndjson.gz", "was changed");
    };

    const job = await eraseIn({ ...noObjects, erase: eraseObjects });

    expect(job).toMatchObject({ state: "failed", reason: "archive_changed", counts: { events: 2, keys: 2 } });
    expect(job.detail).toMatch(/^archive\/7d\/2026-11-20\/default\/1\/1\.ndjson\.gz was changed\. /);
    expect(await store(storables(2, "m", { subject: "mary" }))).toMatchObject({ erased: 2 });
  });

  it("that cannot be read now are looked at again by a later step", async () => {
    await store(storables(2, "m", { subject: "mary" }));
    let calls = 0;
    const eraseObjects: ErasedObjects["erase"] = async (...all) => {
      calls += 1;
      if (calls < 3) throw new FilesError("A day of the tenant is being archived.");
      return noObjects.erase(...all);
    };

    expect(await eraseIn({ ...noObjects, erase: eraseObjects })).toMatchObject({
      state: "done",
      counts: { events: 2 },
    });
    expect(calls).toBe(3);
  });

  it.each([
    [{ by: "ids", ids: [{ id: "m0" }] }, true],
    [{ by: "subject", subject: "mary" }, false],
    [{ by: "filter", filter: '{"exact":{"subject":"mary"}}' }, false],
  ] as const)(
    "are those of listed events where the request has ids, and of any where not: %j",
    async (selection, is) => {
      const scopes: ErasureScope[] = [];
      const eraseObjects: ErasedObjects["erase"] = async (scope, ...rest) => {
        scopes.push(scope);
        return noObjects.erase(scope, ...rest);
      };

      await erase(db.database, selection, { objects: { ...noObjects, erase: eraseObjects } });

      expect(scopes).toEqual([{ erasureId: erasureId("1"), tenant: "default", isListed: is }]);
    },
  );

  const eraseIn = (objects: ErasedObjects) => erase(db.database, { by: "subject", subject: "mary" }, { objects });
});

describe("the places of an erasure in the database", () => {
  it("a detached day is searched as well", async () => {
    await store([storable({ id: "1", subject: "mary" }), storable({ id: "2" })]);
    const [{ leaf } = { leaf: "" }] = await db.ask<{ leaf: string }>(
      "select tableoid::regclass::text as leaf from events where id = '1'",
    );
    await db.ask(`alter table ${leaf.replace(/_\d{8}$/, "")} detach partition ${leaf}`);
    try {
      expect(
        await createErasureJobs(db.database).plan("default", { by: "ids", ids: [{ id: "2" }] }, 5_000, soon()),
      ).toMatchObject({ events: 1 });
      await erase(db.database, { by: "subject", subject: "mary" });
      expect(await ids(leaf)).toEqual(["2"]);
      await erase(db.database, { by: "ids", ids: [{ id: "2", source: "/s" }] }, { id: erasureId("2") });
      expect(await ids(leaf)).toEqual([]);
    } finally {
      const day = leaf.slice(-8);
      const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
      await db.ask(
        `alter table ${leaf.replace(/_\d{8}$/, "")} attach partition ${leaf} for values from ('${date} 00:00:00+00') to ('${date} 24:00:00+00')`,
      );
    }
  });

  it("copies beside the live events are erased", async () => {
    const id = `rst_${"b".repeat(32)}`;
    await db.ask("select start_restore($1, 'default', 'beside', null, '{}', 'k', '[]', 2)", [id]);
    const line = (event: string, subject: string) =>
      JSON.stringify({
        id: event,
        source: "/s",
        type: "t",
        subject,
        time: "2026-11-21T09:29:59.123Z",
        receivedat: "2026-11-21T09:30:00.000Z",
        data: { n: 7 },
      });
    for (const [event, subject] of [
      ["1", "mary"],
      ["2", "mark"],
      ["3", "x"],
    ] as const)
      await db.ask(`insert into restored_${"b".repeat(32)} values ('2026-11-21T09:30:00Z', $1, '/s', $2)`, [
        event,
        line(event, subject),
      ]);

    const plan = await createErasureJobs(db.database).plan(
      "default",
      { by: "subject", subject: "mary" },
      5_000,
      soon(),
    );
    expect(plan).toMatchObject({ restored: 1, events: 0 });
    await erase(db.database, { by: "subject", subject: "mary" });
    expect(await ids(`restored_${"b".repeat(32)}`)).toEqual(["2", "3"]);
    await erase(db.database, { by: "ids", ids: [{ id: "2" }] }, { id: erasureId("2") });
    await erase(db.database, { by: "filter", filter: '{"data":{"n":[7]}}' }, { id: erasureId("3") });
    expect(await ids(`restored_${"b".repeat(32)}`)).toEqual([]);
  });

  it("dead letters of the events are erased, and count as discarded", async () => {
    await store([storable({ id: "stored", subject: "mary" }, { tenant: "acme" })]);
    await putDeadLetters(db, ["stored", "other", "n"]);
    await db.ask("update dead_letters set subject = 'mary' where event_id = 'n'");

    const job = await erase(db.database, { by: "subject", subject: "mary" }, { tenant: "acme" });

    expect(job.counts).toMatchObject({ events: 1, deadLetters: 2 });
    expect(
      (await db.ask<{ event_id: string }>("select event_id from dead_letters")).map((row) => row.event_id),
    ).toEqual(["other"]);
    expect(await db.ask("select sum(discarded)::int as discarded from arrival_deltas")).toEqual([{ discarded: 2 }]);
    expect(await store([storable({ id: "n" }, { tenant: "acme" })])).toMatchObject({ stored: 0, erased: 1 });
  });
});
