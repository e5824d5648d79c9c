import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createFeedReader } from "../../functions/adapters/data-api/feed-reader.ts";
import { createRetentionWork } from "../../functions/adapters/data-api/retention-work.ts";
import { createWindowReader } from "../../functions/adapters/data-api/window-reader.ts";
import { DatabaseError } from "../../functions/core/errors.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { RETENTION_DAYS, type RetentionDays } from "../../functions/core/retention.ts";
import { followToEnd, readPage } from "../support/conformance/feed-reader.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { putDeadLetters } from "../support/dead-letter-rows.ts";
import { openLists, untilListed } from "../support/lists.ts";
import { aged, daysAgo, retainStep, storeAged } from "../support/retention.ts";
import { settle } from "../support/settle.ts";

let db: TestDatabase;
const eachBegins = () => {
  beforeEach(async () => {
    db = await startMigratedDatabase();
    await db.ask("select declare_retention(30, array[7])");
  });
  afterEach(() => db.remove());
};

const idsIn = async (table: "events" | "event_keys") =>
  (await db.ask<{ id: string }>(`select id from ${table} order by id`)).map(({ id }) => id);
const tables = async () =>
  (
    await db.ask<{ name: string }>(
      "select relname as name from pg_class where relkind = 'r' and relname ~ '^event(s|_fields)_.*_[0-9]{8}$' order by 1",
    )
  ).map(({ name }) => name);
const stateOf = async (retention: RetentionDays, days: number) =>
  (
    await db.ask<{ state: string }>("select state from retention_days where class = $1 and day = $2", [
      retention,
      daysAgo(days),
    ])
  )[0]?.state;
const find = async (id: string) =>
  (await createEventReader(db.reader).find({ tenant: "default", id, source: "/s" }, soon())).kind;
const tableOf = (retention: string, days: number) => `events_${retention}_${daysAgo(days).replaceAll("-", "")}`;

describe("retention classes", () => {
  beforeAll(async () => {
    db = await startMigratedDatabase();
  });
  afterAll(() => db.remove());

  it("the database has the classes of the code, by the same names", async () => {
    const rows = await db.ask<{ name: string; class: number }>(
      "select name, class from retention_classes where class >= 0",
    );

    expect(Object.fromEntries(rows.map(({ name, class: of }) => [name, of]))).toEqual(RETENTION_DAYS);
  });

  it("an event is in the table of its class and day, and one that names none in that of the stage's default", async () => {
    await db.ask("select declare_retention(30, array[7])");
    await storeAged(db, [aged("week", 7, 1), { ...aged("default", 7, 1), retention: undefined }, aged("kept", 0, 1)]);

    const rows = await db.ask("select id, tableoid::regclass::text as name, retention from events order by id");

    expect(rows).toEqual([
      { id: "default", name: tableOf("30d", 1), retention: 30 },
      { id: "kept", name: tableOf("keep", 1), retention: 0 },
      { id: "week", name: tableOf("7d", 1), retention: 7 },
    ]);
    expect(await db.ask("select id, retention from event_keys order by id")).toEqual(
      rows.map(({ id, retention }) => ({ id, retention })),
    );
  });

  it("a copy of an event under another class is a copy, and the class of the first stays", async () => {
    const store = createEventStore(db.writer);
    await store.store([aged("twice", 7, 1)], soon());

    expect(await store.store([aged("twice", 30, 2)], soon())).toEqual({
      stored: 0,
      conflicts: [],
      erased: 0,
      refused: [],
    });
    expect(await db.ask("select retention from events where id = 'twice'")).toEqual([{ retention: 7 }]);
  });

  it("a day without tables is made when its events are stored late, and not one in the future", async () => {
    const store = createEventStore(db.writer);
    const events = [aged("late", 90, 300), aged("early", 90, -20)];

    const first = await store.store(events, soon());
    const second = await store.store(events, soon());

    expect(first.refused.map(({ error }) => error.reason)).toEqual(["missing_partition", "missing_partition"]);
    expect(second.refused.map(({ index }) => index)).toEqual([1]);
    expect(await find("late")).toBe("found");
  });

  it("a list of several classes has the events in one order, and reads no day that the page does not reach", async () => {
    await db.empty("events", "event_keys", "event_transactions", "event_ends");
    const events = Array.from({ length: 900 }, (_, i) => aged(`l${i}`, ([7, 30, 0] as const)[i % 3] ?? 0, 1 + (i % 5)));
    await storeAged(db, events);
    await untilListed(db);
    const wanted = events
      .toSorted((a, b) =>
        a.receivedAt === b.receivedAt ? (a.event.id < b.event.id ? 1 : -1) : a.receivedAt < b.receivedAt ? 1 : -1,
      )
      .map(({ event }) => event.id);
    const listed: string[] = [];
    for await (const page of openLists(db.reader).walk({ limit: 70 })) listed.push(...page.events.map(({ id }) => id));

    expect(listed).toEqual(wanted);
    const session = await db.connectAs("reader");
    try {
      await session.query("begin");
      await session.query(
        "select * from list_events('default', null, '{}', null, null, null, null, null, true, null, null, null, null, null, 3, 900000, 15000, 'none', 10000, 3500)",
      );
      const { rows } = await session.query<{ relname: string }>(
        "select relname from pg_stat_xact_user_tables where idx_scan > 0 and relname ~ '^events_' order by 1",
      );
      const read = rows.map(({ relname }) => relname);
      expect(read).toContain(tableOf("7d", 1));
      for (const retention of ["7d", "30d", "keep"]) expect(read).not.toContain(tableOf(retention, 4));
    } finally {
      await session.end();
    }
  });
});

describe("a run of retention", () => {
  eachBegins();

  const threeClasses = () =>
    storeAged(db, [
      aged("old-7", 7, 9),
      aged("due-7", 7, 8),
      aged("kept-7", 7, 7),
      aged("old-30", 30, 35),
      aged("kept-30", 30, 9),
      aged("kept-0", 0, 35),
    ]);

  it("drops the days whose retention is over, with their keys and their space, and nothing of another class or day", async () => {
    await threeClasses();
    const { run, sent } = retainStep(db.database);

    const outcome = await run();

    expect(outcome).toMatchObject({ kind: "done", dropped: 3, postponed: [] });
    expect(sent).toEqual([]);
    expect(await idsIn("events")).toEqual(["kept-0", "kept-30", "kept-7"]);
    expect(await idsIn("event_keys")).toEqual(["kept-0", "kept-30", "kept-7"]);
    const left = await tables();
    for (const dropped of [tableOf("7d", 9), tableOf("7d", 8), tableOf("30d", 35)]) {
      expect(left).not.toContain(dropped);
      expect(left).not.toContain(dropped.replace("events_", "event_fields_"));
    }
    expect(left).toContain(tableOf("keep", 35));
    expect(
      await db.ask(
        "select state, rows::int, bytes > 0 as has_bytes from retention_days where was_dropped order by class, day",
      ),
    ).toEqual(Array.from({ length: 3 }, () => ({ state: "dropped", rows: 1, has_bytes: true })));
  });

  it("lets an id be stored again after its retention, and drops it once more", async () => {
    await threeClasses();
    const { run } = retainStep(db.database);
    await run();
    const again = aged("old-7", 7, 9, { data: { other: true } });

    await storeAged(db, [again]);

    expect(await find("old-7")).toBe("found");
    expect(await stateOf(7, 9)).toBe("open");
    expect(await run()).toMatchObject({ kind: "done", dropped: 1 });
    expect(await find("old-7")).toBe("absent");
    expect(await db.ask("select rows::int from retention_days where day = $1 and class = 7", [daysAgo(9)])).toEqual([
      { rows: 2 },
    ]);
  });

  it("keeps the key of an id that was stored again, when a step that was killed goes on", async () => {
    await storeAged(db, [aged("again", 7, 9)]);
    await retainStep(db.database, { work: { drop: () => Promise.reject(new Error("killed")) } })
      .run()
      .catch(() => undefined);
    expect(await stateOf(7, 9)).toBe("keys_deleted");

    await storeAged(db, [aged("again", 30, 1)]);
    await db.ask("update retention_days set state = 'detached', keys_page = 0 where class = 7 and day = $1", [
      daysAgo(9),
    ]);
    await retainStep(db.database).run();

    expect(await stateOf(7, 9)).toBe("dropped");
    expect(await idsIn("event_keys")).toEqual(["again"]);
    expect(await find("again")).toBe("found");
  });

  it("refuses followers that have not come as far, changes the state of lists, and leaves the ledger as it is", async () => {
    await storeAged(db, [aged("kept", 30, 9)]);
    await settle(db);
    const reader = createFeedReader(db.reader);
    const { place } = await readPage(reader);
    await storeAged(db, [aged("other", 7, 9)]);
    await settle(db);
    const version = async () => {
      const range = { from: `${daysAgo(10)}T00:00:00.000Z`, to: `${daysAgo(8)}T00:00:00.000Z` };
      return (await createWindowReader(db.reader).read({ tenant: "default", received: range }, soon())).version;
    };
    const before = await version();
    const ledger = () => db.ask("select sum(stored)::int as stored from all_arrivals");
    expect(await ledger()).toEqual([{ stored: 2 }]);

    await retainStep(db.database).run();

    const allowed = { types: undefined, sources: undefined };
    const request = { tenant: "default", after: place, allowed, filter: undefined, maxEvents: 10, maxRows: 10 };
    expect((await reader.read(request, soon())).kind).toBe("forgotten");
    expect((await followToEnd(reader)).flat()).toEqual(["kept"]);
    expect(await version()).not.toBe(before);
    expect(await ledger()).toEqual([{ stored: 2 }]);
  });

  it("changes the state of lists also where the last event of the day is of another class", async () => {
    await storeAged(db, [aged("first", 7, 9)]);
    await storeAged(db, [aged("last", 30, 9)]);
    await settle(db);
    const range = { from: `${daysAgo(10)}T00:00:00.000Z`, to: `${daysAgo(8)}T00:00:00.000Z` };
    const version = async () =>
      (await createWindowReader(db.reader).read({ tenant: "default", received: range }, soon())).version;
    const before = await version();
    expect(await version()).toBe(before);

    await retainStep(db.database).run();

    expect(await version()).not.toBe(before);
  });

  it("leaves what the ledger says of a replayed dead letter whose event was stored", async () => {
    await putDeadLetters(db, ["other"], { tenant: "default", state: "replayed" });
    await storeAged(db, [aged("other", 7, 9)]);
    const total = async () =>
      (
        await db.ask<{ content: string }>(
          "select content from take_ledger('', '{}', null, 1000000) where part = 'total'",
        )
      )[0]?.content;
    const before = await total();

    await retainStep(db.database).run();

    expect(await total()).toBe(before);
  });

  it("goes on with a day that another run has left anywhere, and ends as if nothing had happened", async () => {
    const statements = 100;
    for (let at = 1; at <= statements; at++) {
      for (const when of ["before", "behind"] as const) {
        await storeAged(db, [aged("old-7", 7, 9), aged("kept-7", 7, 7), aged("kept-30", 30, 9)]);
        const isKilled = await retainStep(killedAt(db.database, at, when), { keyPages: 1 })
          .run("m-1")
          .then(
            () => false,
            () => true,
          );

        // The message is delivered again, and the lease is its own.
        expect(await retainStep(db.database, { keyPages: 1 }).run("m-1")).toMatchObject({ kind: "done" });

        expect(await idsIn("events"), `${when} statement ${at}`).toEqual(["kept-30", "kept-7"]);
        expect(await idsIn("event_keys"), `${when} statement ${at}`).toEqual(["kept-30", "kept-7"]);
        expect(await db.ask("select from retention_days where state not in ('open', 'dropped')")).toEqual([]);
        if (!isKilled) return;
      }
    }
    throw new Error(`A run has more than ${statements} statements.`);
  });

  it("waits with a day that cannot go on, and goes on with the others", async () => {
    await threeClasses();
    const failing: Partial<ReturnType<typeof createRetentionWork>> = {
      drop: async (day, must, deadline) => {
        if (day.class === 30)
          throw new DatabaseError({ disposition: "retry", reason: "object_not_available", detail: "lock" });
        return createRetentionWork(db.database).drop(day, must, deadline);
      },
    };
    const { run, sent } = retainStep(db.database, { work: failing });
    const began = Date.now();

    expect(await run()).toMatchObject({
      kind: "waiting",
      dropped: 2,
      postponed: [{ class: 30, day: daysAgo(35), reason: "object_not_available" }],
    });
    // From the failure on, which was within the run.
    const ran = Math.ceil((Date.now() - began) / 1_000);
    expect(sent).toEqual([expect.toSatisfy((seconds: number) => seconds <= 15 && seconds >= 15 - ran)]);
    expect(await stateOf(30, 35)).toBe("keys_deleted");
  });

  it("is done by one step at a time", async () => {
    const work = createRetentionWork(db.database);
    expect(await work.take("other", 60, soon())).toBe(true);

    expect(await retainStep(db.database).run()).toEqual({ kind: "busy" });
    await work.leave("other", soon());
    expect(await retainStep(db.database).run()).toMatchObject({ kind: "done" });
  });

  it("drops nothing that is not in the archive, where the stage archives", async () => {
    await threeClasses();
    let works = false;
    const archive = async (day: { class: RetentionDays; day: string }) => {
      if (!works) throw new Error("the store of files is down");
      await db.ask("select note_archived($1, $2, event_horizon(), 1)", [day.class, day.day]);
      return "archived" as const;
    };
    const before = await tables();

    const failed = await retainStep(db.database, { archive }).run();
    expect(failed).toMatchObject({ kind: "waiting", dropped: 0 });
    expect(await tables()).toEqual(before);
    await expect(db.ask("select drop_day(7, $1, true)", [daysAgo(9)])).rejects.toThrow("must not be dropped");

    works = true;
    await settle(db);
    await db.ask("update retention_days set retry_at = null");
    expect(await retainStep(db.database, { archive }).run()).toMatchObject({ kind: "done", dropped: 3 });
  });

  it("archives a day once more where an event was stored behind the archive", async () => {
    await storeAged(db, [aged("first", 7, 9)]);
    await settle(db);
    const archived: string[][] = [];
    const archive = async (day: { class: RetentionDays; day: string; eventsTable: string }) => {
      const rows = await db.ask<{ id: string }>(`select id from ${day.eventsTable} order by id`);
      archived.push(rows.map(({ id }) => id));
      await db.ask("select note_archived($1, $2, $3, $4)", [day.class, day.day, await highest(), rows.length]);
      if (archived.length === 1) await storeAged(db, [aged("late", 7, 9)]);
      return "archived" as const;
    };
    const highest = async () =>
      (await db.ask<{ n: string }>("select max(transaction_number) + 1 as n from events"))[0]?.n ?? lastNumber;
    const lastNumber = "9000000000000000";

    expect(await retainStep(db.database, { archive }).run()).toMatchObject({ kind: "done", dropped: 1 });

    expect(archived).toEqual([["first"], ["first", "late"]]);
  });
});

describe("the tables of days", () => {
  eachBegins();

  /** Locks that would stop readers or writers, held or waited for, on what they use. */
  const HARD_LOCKS = `
    select relation::regclass::text as table, granted from pg_locks
    where locktype = 'relation' and mode = 'AccessExclusiveLock'
      and database = (select oid from pg_database where datname = current_database())
      and relation in (select oid from pg_class where relname in ('events', 'events_7d', 'event_fields', 'event_fields_7d', 'event_keys'))`;

  /** Does something while a reader holds its snapshot for so long, and writers store; returns the hard locks that were seen. */
  async function underReader(milliseconds: number, work: () => Promise<unknown>) {
    await storeAged(db, [aged("old", 7, 9), aged("kept", 7, 1)]);
    const [reader, watcher] = [await db.connectAs("reader"), await db.connectAs("reader")];
    const seen = new Set<string>();
    let stored = 0;
    let slowestMs = 0;
    const over = new AbortController();
    const store = createEventStore(db.writer);
    await reader.query("begin isolation level repeatable read");
    await reader.query("select count(*) from events");
    const writing = (async () => {
      for (; !over.signal.aborted; stored++) {
        const started = performance.now();
        await store.store([aged(`w${stored}`, 7, 1)], Date.now() + 60_000);
        slowestMs = Math.max(slowestMs, performance.now() - started);
      }
    })();
    const watching = (async () => {
      while (!over.signal.aborted)
        for (const { table } of (await watcher.query<{ table: string }>(HARD_LOCKS)).rows) seen.add(table);
    })();
    const working = work();
    try {
      await delay(milliseconds);
      const storedMeanwhile = stored;
      await reader.query("commit");
      await working.catch(() => undefined);
      return { seen: [...seen].toSorted(), storedMeanwhile, slowestMs };
    } finally {
      over.abort();
      await Promise.all([writing, watching]);
      await Promise.all([reader.end(), watcher.end()]);
    }
  }

  it("are made, detached and dropped behind a long reader without a lock that it or a writer waits for", async () => {
    const { seen, storedMeanwhile, slowestMs } = await underReader(4_000, async () => {
      await db.database.execute("select make_event_day(7, cast(:day as date))", { day: daysAgo(-20) }, soon());
      await db.database.execute("select make_event_day(90, cast(:day as date))", { day: daysAgo(40) }, soon());
      const outcome = await retainStep(db.database).run();
      expect(outcome).toMatchObject({ kind: "done", dropped: 1 });
    });

    expect(seen).toEqual([]);
    expect(storedMeanwhile).toBeGreaterThan(20);
    expect(slowestMs).toBeLessThan(2_000);
    expect(await stateOf(7, 9)).toBe("dropped");
    expect(await tables()).toContain(tableOf("7d", -20));
  });

  it("would stop everybody if they were made by `partition of`, which the same watch sees", async () => {
    const { seen } = await underReader(1_500, () =>
      db.ask(
        `create table other partition of events_7d for values from ('2030-01-01T00:00Z') to ('2030-01-02T00:00Z')`,
      ),
    );

    expect(seen).toContain("events_7d");
  });
});

describe("events under a hold", () => {
  eachBegins();

  const hold = (id: string, tenant: string, filter: object | null) =>
    db.ask("insert into holds (id, tenant, filter, reason, created_by) values ($1, $2, $3, 'a case', 'key')", [
      id,
      tenant,
      filter === null ? null : JSON.stringify(filter),
    ]);

  it("stay readable in every way when their day is dropped, and go when the hold is released", async () => {
    await storeAged(db, [
      aged("held", 7, 9, { subject: "person" }),
      aged("other", 7, 9, { subject: "other" }),
      aged("theirs", 7, 9, { tenant: "b", subject: "person" }),
    ]);
    await hold("h1", "default", { exact: { subject: "person" } });

    expect(await retainStep(db.database).run()).toMatchObject({ kind: "done", dropped: 1 });

    await settle(db);
    await untilListed(db);
    expect(await idsIn("events")).toEqual(["held"]);
    expect(await find("held")).toBe("found");
    const { events } = await openLists(db.reader).page({ limit: 10 });
    expect(events.map(({ id }) => id)).toEqual(["held"]);

    expect((await followToEnd(createFeedReader(db.reader))).flat()).toEqual(["held"]);
    expect(await createEventStore(db.writer).store([aged("held", 7, 1, { subject: "person" })], soon())).toMatchObject({
      stored: 0,
    });

    expect(await retainStep(db.database).run()).toMatchObject({ kind: "done" });
    expect(await find("held")).toBe("found");
    await db.ask("update holds set released_at = now()");
    await retainStep(db.database).run();
    expect(await idsIn("events")).toEqual([]);
    expect(await idsIn("event_keys")).toEqual([]);
    expect(await db.ask("select from event_transactions")).toEqual([]);
  });

  it("are held when the archive has them, also where their transaction was above its horizon", async () => {
    const other = await db.connectAs("writer");
    await other.query("begin");
    await other.query("select pg_current_xact_id()");
    await storeAged(db, [aged("held", 7, 9), aged("behind", 7, 9)]);
    await hold("h1", "default", { exact: { id: "held" } });
    const archived = new Set<string>();
    const archive = async (day: { class: RetentionDays; day: string; eventsTable: string }) => {
      const rows = await db.ask<{ id: string }>(
        `select id from ${day.eventsTable} where transaction_number < event_horizon()`,
      );
      for (const { id } of rows) archived.add(id);
      await db.ask("select note_archived($1, $2, event_horizon(), $3)", [day.class, day.day, rows.length]);
      return "archived" as const;
    };

    expect(await retainStep(db.database, { archive }).run()).toMatchObject({ kind: "waiting", dropped: 0 });
    expect([[...archived], await find("held")]).toEqual([[], "found"]);

    await other.query("commit");
    await other.end();
    await settle(db);
    await db.ask("update retention_days set retry_at = null");
    expect(await retainStep(db.database, { archive }).run()).toMatchObject({ kind: "done", dropped: 1 });
    expect(await idsIn("events")).toEqual(["held"]);
    await db.ask("update holds set released_at = now()");
    await retainStep(db.database, { archive }).run();
    expect(await idsIn("events")).toEqual([]);
    expect([...archived].toSorted()).toEqual(["behind", "held"]);
  });

  it("stay where one of two holds is released, and where a hold begins behind the detachment", async () => {
    await storeAged(db, [aged("a", 7, 9, { subject: "a" }), aged("b", 7, 9, { subject: "b" })]);
    await hold("h1", "default", { exact: { subject: "a" } });
    const detached = createRetentionWork(db.database);
    await retainStep(db.database, {
      work: {
        noteDetached: async (day, must, deadline) => {
          await detached.noteDetached(day, must, deadline);
          await hold("h2", "default", null);
        },
      },
    }).run();
    expect(await idsIn("events")).toEqual(["a", "b"]);

    await db.ask("update holds set released_at = now() where id = 'h1'");
    await retainStep(db.database).run();
    expect(await idsIn("events")).toEqual(["a", "b"]);
    await db.ask("update holds set until = now() - interval '1 second' where id = 'h2'");
    await retainStep(db.database).run();
    expect(await idsIn("events")).toEqual([]);
  });
});

/** A database whose calls stop for good at the nth one: before it is made, or behind its commit. */
function killedAt(database: SqlDatabase, nth: number, when: "before" | "behind"): Pick<SqlDatabase, "execute"> {
  let calls = 0;
  const killed = () => new Error("killed");
  return {
    async execute(...call) {
      calls += 1;
      if (calls > nth || (calls === nth && when === "before")) throw killed();
      const result = await database.execute(...call);
      if (calls === nth) throw killed();
      return result;
    },
  };
}
