import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { createDeliveryWork } from "../../functions/adapters/data-api/delivery-work.ts";
import { createErasureJobs } from "../../functions/adapters/data-api/erasure-jobs.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createLedgerReader } from "../../functions/adapters/data-api/ledger.ts";
import { createSubscriptionStore } from "../../functions/adapters/data-api/subscription-store.ts";
import type { ErasureSelection } from "../../functions/core/erasure-job.ts";
import type { ErasedObjects } from "../../functions/core/erasure-objects.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { actorOf } from "../support/conformance/deliveries.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { newDeadLetter } from "../support/dead-letter-samples.ts";
import { erase, erasureId, interrupted, PLANNED, runErasure } from "../support/erasure.ts";
import { storable, storables } from "../support/event-samples.ts";
import { noObjects } from "../support/no-objects.ts";
import { settle } from "../support/settle.ts";

let db: TestDatabase;
beforeEach(async () => {
  db = await startMigratedDatabase();
});
afterEach(() => db.remove());

const store = (events: StorableEvent[]) => createEventStore(db.writer).store(events, soon());
const ids = async (table = "events") =>
  (await db.ask<{ id: string }>(`select id from ${table} order by id`)).map(({ id }) => id);
const MARY: ErasureSelection = { by: "subject", subject: "mary" };

/** An event of the class that is kept, received at some time from now. */
const receivedIn = (id: string, ms: number, changes: object = {}): StorableEvent => ({
  ...storable({ id, ...changes }, { receivedAt: new Date(Date.now() + ms).toISOString() }),
  retention: 0,
});
const ensureDays = () =>
  db.ask(
    "select ensure_event_partitions(cast(now() - interval '2 days' as date), cast(now() + interval '2 days' as date))",
  );

describe("the time of an erasure", () => {
  const start = (selection: ErasureSelection, suppress?: "none" | "forever") =>
    createErasureJobs(db.database).start(
      { id: erasureId("1"), tenant: "default", selection, why: "w", suppress, keyId: "k", planned: PLANNED },
      soon(),
    );

  it("what is accepted while it waits for its start is refused, as what was accepted before", async () => {
    await ensureDays();
    const { createdAt } = await start(MARY);
    const meanwhile = receivedIn("meanwhile", Date.parse(createdAt) + 1 - Date.now(), { subject: "mary" });
    await runErasure(db.database, erasureId("1"));

    expect(await store([meanwhile])).toMatchObject({ stored: 0, erased: 1 });
  });

  it.each([
    ["a subject", MARY],
    ["a filter", { by: "filter", filter: '{"exact":{"subject":"mary"}}' }],
    ["ids", { by: "ids", ids: [{ id: "before" }, { id: "later" }] }],
  ] as const)(
    "what is accepted later and asked for by %s stays, where nothing suppresses it",
    async (_by, selection) => {
      await ensureDays();
      await store([
        receivedIn("before", -60_000, { subject: "mary" }),
        receivedIn("later", 60_000, { subject: "mary" }),
      ]);
      await createDeadLetterStore(db.writer).record(
        ["before", "later"].map((id, at) =>
          newDeadLetter({
            messageId: id,
            event: { id, source: "/s", subject: "mary" },
            receivedAt: new Date(Date.now() + (at === 0 ? -60_000 : 60_000)).toISOString(),
          }),
        ),
        soon(),
      );

      const job = await erase(db.database, selection, { suppress: "none" });

      expect(job.counts).toMatchObject({ events: 1, deadLetters: 1 });
      expect([await ids(), await ids("event_keys")]).toEqual([["later"], ["later"]]);
      expect(await db.ask("select event_id from dead_letters")).toEqual([{ event_id: "later" }]);
    },
  );

  it("nothing is erased of one that was cancelled, and nothing is refused", async () => {
    await store(storables(3, "m", { subject: "mary" }));
    await start(MARY, "forever");
    const jobs = createErasureJobs(db.database);
    expect(await jobs.cancel("default", erasureId("1"), soon())).toMatchObject({ state: "cancelled" });

    expect(await runErasure(db.database, erasureId("1"))).toMatchObject({ state: "cancelled", counts: {} });
    expect(await store([storable({ id: "new", subject: "mary" })])).toMatchObject({ stored: 1, erased: 0 });
    expect(await ids()).toHaveLength(4);
    expect(await db.ask("select * from erased_keys")).toEqual([]);
  });

  it("the same ids once more: nothing is found, and nothing of the first receipt changes", async () => {
    await store(storables(3, "e"));
    const selection: ErasureSelection = { by: "ids", ids: ["e0", "e1"].map((id) => ({ id, source: "/s" })) };
    const first = await erase(db.database, selection);

    const second = await erase(db.database, selection, { id: erasureId("2"), suppress: "none" });

    expect(second).toMatchObject({ state: "done", counts: { keys: 2 } });
    expect(second.counts.events ?? 0).toBe(0);
    expect(await createErasureJobs(db.database).read("default", first.id, soon())).toEqual(first);
    expect(await store(storables(3, "e"))).toMatchObject({ stored: 0, erased: 2 });
  });
});

describe("odd texts", () => {
  const ODD = [
    "it's",
    '"',
    "\\",
    "a\nb",
    ":id",
    "%s $1",
    "\u{1F600}",
    "é",
    "e\u0301",
    "\u2028",
    "null",
    "{}",
    "a,b",
    " ",
  ];

  it.each(["ids", "subject"] as const)("%s of whatever characters are found, and others are not", async (by) => {
    const events = ODD.map((text, at) =>
      storable({ id: by === "ids" ? text : `e${at}`, source: "/s'\"", subject: text }),
    );
    await store(events);
    await createDeadLetterStore(db.writer).record(
      ODD.map((text, at) =>
        newDeadLetter({ messageId: `m${at}`, event: { id: text, source: "/s'\"", subject: text } }),
      ),
      soon(),
    );
    for (const [at, text] of ODD.entries()) {
      const selection: ErasureSelection =
        by === "ids" ? { by, ids: [{ id: text, source: "/s'\"" }] } : { by, subject: text };
      const job = await erase(db.database, selection, { id: erasureId(String(at)) });
      expect([text, job.counts.events, job.counts.deadLetters]).toEqual([text, 1, 1]);
    }

    expect([await ids(), await db.ask("select id from dead_letters")]).toEqual([[], []]);
    expect(await store(events)).toMatchObject({ stored: 0, erased: ODD.length });
  });
});

describe("a block of events that are stored", () => {
  const numbered = (id: string, sequence: number, changes: object = {}) =>
    storable({ id, ...changes }, { origin: { producer: "p", sequence } });
  const total = async () =>
    (await createLedgerReader(db.writer).take({ since: "", producers: [] }, soon())).tenants.find(
      ({ tenant }) => tenant === "default",
    );

  it("has each event judged by itself: erased, a copy, a conflict, or new", async () => {
    await store([numbered("erased", 1), numbered("copy", 2), numbered("conflict", 3, { data: 1 })]);
    await erase(db.database, { by: "ids", ids: [{ id: "erased", source: "/s" }] });

    expect(
      await store([
        numbered("new", 4),
        numbered("erased", 5),
        numbered("conflict", 6, { data: 2 }),
        numbered("copy", 7),
        numbered("new", 8),
      ]),
    ).toEqual({ stored: 1, conflicts: [2], erased: 1, refused: [] });
    expect(await ids()).toEqual(["conflict", "copy", "new"]);
    expect(await total()).toMatchObject({ stored: 4, copies: 2, conflicts: 1, discarded: 1 });
  });

  it("may have one alone, which is erased", async () => {
    await store([numbered("erased", 1)]);
    await erase(db.database, { by: "ids", ids: [{ id: "erased", source: "/s" }] });

    expect(await store([numbered("erased", 2)])).toEqual({ stored: 0, conflicts: [], erased: 1, refused: [] });
    expect([await ids(), await ids("event_keys")]).toEqual([[], []]);
    expect(await total()).toMatchObject({ stored: 1, copies: 0, discarded: 1 });
  });

  it("is looked up by the index of kept-out events, however many there are", async () => {
    await db.ask(`insert into erased_keys (tenant, hash, erasure_id, kind, received_until)
      select 'default', sha256(convert_to(cast(n as text), 'UTF8')), 'ers_x', 'event', 'infinity' from generate_series(1, 20000) as n`);
    await db.ask("analyze erased_keys");
    const batch = Array.from({ length: 256 }, (_, at) => ({ tenant: "default", id: `e${at}`, source: "/s" }));

    await db.ask("begin");
    const [found] = await db.ask<{ places: number[] | null }>("select erased_places($1) as places", [
      JSON.stringify(batch),
    ]);
    const [read] = await db.ask<{ rows: number }>(
      "select cast(seq_tup_read as integer) as rows from pg_stat_xact_user_tables where relname = 'erased_keys'",
    );
    await db.ask("rollback");

    expect([found?.places, read?.rows]).toEqual([null, 0]);
  });

  it("may have one that the database refuses beside one that is erased", async () => {
    await db.ask("alter table events add constraint no_refused check (data <> '\"refused\"') not valid");
    await store([numbered("erased", 1)]);
    await erase(db.database, { by: "ids", ids: [{ id: "erased", source: "/s" }] });

    expect(
      await store([numbered("bad", 2, { data: "refused" }), numbered("erased", 3), numbered("new", 4)]),
    ).toMatchObject({ stored: 1, conflicts: [], erased: 1, refused: [{ index: 0 }] });
    expect(await ids()).toEqual(["new"]);
  });
});

describe("deliveries of erased events", () => {
  const actor = () =>
    actorOf({
      store: createSubscriptionStore(db.writer),
      work: createDeliveryWork(db.writer),
      now: () => new Date(),
    });
  const answers = () =>
    db.ask<{ event_id: string; response: string | null }>(
      "select event_id, response from delivery_attempts order by event_id",
    );

  it("whose rows retention has dropped are found by the ids of the request, by the archive, and by their subject", async () => {
    const { create, dispatch, drain } = actor();
    await create({ tenant: "default", order: "subject" });
    await create({ tenant: "default" });
    await store(["named", "archived", "other"].map((id) => storable({ id, subject: `of-${id}` })));
    await settle(db);
    await dispatch();
    await drain({ response: "I know them" });
    await db.empty("events", "event_keys");
    const objects: ErasedObjects = {
      ...noObjects,
      async erase(_scope, isErased, { deadline }) {
        const json = JSON.stringify({
          id: "archived",
          source: "/s",
          type: "t",
          subject: "of-archived",
          time: "2026-11-21T09:29:59.123Z",
          receivedat: "2026-11-21T09:30:00.000Z",
        });
        await isErased("archive", [{ id: "archived", source: "/s", json }], deadline);
        return { counts: { exports: 0, archive: 1, refusals: 0 }, cursor: undefined };
      },
    };

    const named = await erase(db.database, { by: "ids", ids: [{ id: "named" }] });
    const archived = await erase(
      db.database,
      { by: "filter", filter: '{"exact":{"subject":"of-archived"}}' },
      { id: erasureId("2"), objects },
    );

    expect([named.counts, archived.counts]).toMatchObject([{ deliveries: 2 }, { deliveries: 2 }]);
    expect((await answers()).map((each) => each.event_id)).toEqual(["other", "other"]);

    const other = await erase(db.database, { by: "subject", subject: "of-other" }, { id: erasureId("3") });
    expect(other.counts).toMatchObject({ deliveries: 1 });
    expect(await db.ask("select distinct ordered_by from deliveries")).toEqual([{ ordered_by: null }]);
  });

  it("leave no answer to the others of their message that comes later; these are sent again", async () => {
    const { create, dispatch, claim, settleAll } = actor();
    await create({ tenant: "default", batch: 3 });
    await store(["mary", "mark", "x"].map((subject, at) => storable({ id: `e${at}`, subject })));
    await settle(db);
    await dispatch();
    const underWay = await claim();
    expect(underWay.deliveries).toHaveLength(3);

    await erase(db.database, MARY);
    await settleAll(underWay, { response: "I know mary" });

    expect(await answers()).toEqual([]);
    const again = await claim();
    expect(again.deliveries).toHaveLength(2);
    await settleAll(again, { response: "I know two" });
    expect(await answers()).toEqual([
      { event_id: "e1", response: "I know two" },
      { event_id: "e2", response: "I know two" },
    ]);
  });

  it("are deleted by the same request made again, where a hold has ended the first one in the middle", async () => {
    const { create, dispatch, drain } = actor();
    await create({ tenant: "default" });
    await store(storables(6, "m", { subject: "mary" }));
    await settle(db);
    await dispatch();
    await drain({ response: "I know mary" });
    const hold = () =>
      db.ask("insert into holds (id, tenant, filter, reason, created_by) values ('h', 'default', null, 'r', 'k')");
    const database = interrupted(db.database, "erase_rows", async (call) => {
      if (call === 2) await hold();
    });

    const first = await erase(database, MARY, { mostRows: 2 });
    await db.ask("delete from holds");
    const second = await erase(db.database, MARY, { id: erasureId("2") });

    expect([first, second]).toMatchObject([
      { state: "failed", reason: "on_hold", counts: { events: 2 } },
      { state: "done", counts: { events: 4, deliveries: 6, keys: 4 } },
    ]);
    expect([await answers(), await ids("deliveries")]).toEqual([[], []]);
    expect(await ids("erasure_events")).toEqual([]);
  });
});

describe("a day that is being detached", () => {
  it("is searched for the ids, though no query of all events sees it", async () => {
    await ensureDays();
    await store([receivedIn("x", 0), receivedIn("y", 0)]);
    const [table] = await db.ask<{ name: string }>("select tableoid::regclass::text as name from events limit 1");
    const reader = await db.connectAs("reader");
    await reader.query("begin isolation level repeatable read");
    await reader.query("select count(*) from events");
    await db.ask("set statement_timeout = 500");
    await expect(db.ask(`alter table events_keep detach partition ${table?.name} concurrently`)).rejects.toThrow(
      /statement timeout/,
    );
    await db.ask("reset statement_timeout");
    await reader.query("commit");
    await reader.end();
    expect(await db.ask("select attachment_of($1) as is", [table?.name])).toEqual([{ is: "pending" }]);

    const job = await erase(db.database, { by: "ids", ids: [{ id: "x" }] });

    expect(job.counts).toMatchObject({ events: 1 });
    expect(await ids(table?.name)).toEqual(["y"]);
  });
});
