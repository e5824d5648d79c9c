import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createArchiveSource } from "../../functions/adapters/data-api/archive-source.ts";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createFeedReader } from "../../functions/adapters/data-api/feed-reader.ts";
import { createRestoreJobs } from "../../functions/adapters/data-api/restore-jobs.ts";
import { createRestoreWork } from "../../functions/adapters/data-api/restore-work.ts";
import { CHUNK_MAX_EVENTS } from "../../functions/core/database-limits.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { listManifests, openManifest } from "../../functions/core/read-archive.ts";
import type { NewRestore, RestoreJob, RestoreWork } from "../../functions/core/restore-job.ts";
import { createArchiveStep } from "../../functions/retain/archive-step.ts";
import { createRestoreStep } from "../../functions/retain/restore-step.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { storable, storables } from "../support/event-samples.ts";
import { eventually } from "../support/eventually.ts";
import { settle } from "../support/settle.ts";
import { allOf } from "../support/all-of.ts";
import { memoryArchive } from "../unit/retain/archive-support.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
  await db.ask(`select ensure_waiting_days('[{"class":30,"day":"2026-11-21"}]')`);
});
afterAll(() => db.remove());
beforeEach(() =>
  db.empty(
    "events",
    "event_keys",
    "event_fields",
    "event_transactions",
    "event_ends",
    "rollup_deltas",
    "archives",
    "archive_parts",
    "archive_manifests",
    "restores",
  ),
);

const DAY = { retention: 30, day: "2026-11-21", isDetached: false };
const ID = `rst_${"a".repeat(32)}`;

async function store(events: StorableEvent[]): Promise<void> {
  await createEventStore(db.writer).store(
    events.map((event) => ({ ...event, retention: 30 })),
    soon(),
  );
  await settle(db);
}

/** Archives the day, and deletes its events and keys as retention does. */
async function archiveAndDelete(isDeleted = true) {
  const { files, stored } = memoryArchive();
  const step = createArchiveStep({ source: createArchiveSource(db.database), files, clock: () => new Date() });
  expect(await step(DAY, { stopAt: Infinity, deadline: soon() })).toEqual({ kind: "archived" });
  if (isDeleted) await db.empty("events", "event_keys", "event_fields", "event_transactions");
  const manifests = await Promise.all(
    (await allOf(listManifests(files))).map(
      async (key): Promise<[string, string]> => [key, (await openManifest(files, key)).sha256],
    ),
  );
  return { files, stored, manifests };
}

async function restore(
  { files, manifests }: Awaited<ReturnType<typeof archiveAndDelete>>,
  changes: Partial<NewRestore> = {},
): Promise<RestoreJob> {
  const jobs = createRestoreJobs(db.database);
  const wanted: NewRestore = {
    id: ID,
    tenant: "default",
    into: "live",
    retention: 0,
    request: {},
    manifests: manifests.filter(([key]) => key.includes("/default/")),
    keyId: "k",
    planned: 3,
    ...changes,
  };
  await jobs.start(wanted, soon());
  const step = createRestoreStep({
    work: createRestoreWork(db.database),
    files,
    steps: { send: async () => true },
    whyEnded: async () => undefined,
    clock: () => new Date(),
  });
  await step({ restore: wanted.id }, { messageId: "m-1" }, Date.now() + 60_000);
  const job = await jobs.read("default", wanted.id, soon());
  if (job === undefined) throw new Error("The job is not there.");
  return job;
}

const stored = (columns = "*") =>
  db.ask<Record<string, unknown>>(`select ${columns} from events order by tenant, received_at, id, source`);

const various: StorableEvent[] = [
  storable({ id: "1", data: { text: 'it\'s "quoted" C:\\temp', n: "1" }, subject: "s" }),
  storable({ id: "2", data: null, extensions: { sampled: true, rank: 7, quote: "'\"\\" } }),
  storable({ id: "3", data_base64: "AAEC", datacontenttype: "image/png" }),
  storable({ id: "4", source: "/other", time: "2026-11-21T10:29:59+01:00", dataschema: "/v2" }),
  storable({ id: "5", time: "2016-12-31T23:59:60.5Z", data: "ü \u0001 \u2028 😀" }),
  storable({ id: "6", source: "/big", data: { n: 1 } }),
];

describe("a restore in PostgreSQL", () => {
  it("every column of a restored event but its class and its transaction is what it was", async () => {
    await store(various);
    await db.ask("update events set data = '{\"n\": 12345678901234567890.12345678901234567890}' where id = '6'");
    const columns =
      "tenant, id, source, type, subject, time, time_sent, received_at, stored_at, dataschema, datacontenttype, extensions, data::text, data_base64, event_json(events) as json";
    const before = await stored(columns);
    const archive = await archiveAndDelete();
    expect(await stored()).toEqual([]);

    const job = await restore(archive);

    expect(job).toMatchObject({
      state: "done",
      read: 6,
      matched: 6,
      restored: 6,
      present: 0,
      conflicts: 0,
      refused: 0,
    });
    expect(await stored(columns)).toEqual(before);
    expect(await db.ask("select distinct retention from events")).toHaveLength(1);
    const reader = createEventReader(db.reader);
    expect(await reader.find({ tenant: "default", id: "2", source: undefined }, soon())).toEqual({
      kind: "found",
      json: before.find(({ id }) => id === "2")?.["json"],
    });
  });

  it("an event that is there stays: an equal one is counted as present, and one of other content as a conflict", async () => {
    await store(storables(3, "e", { data: { n: 1 } }));
    const archive = await archiveAndDelete();
    await store([storable({ id: "e0", data: { n: 1 } }), storable({ id: "e1", data: { n: 2 } })]);

    const job = await restore(archive);

    expect(job).toMatchObject({ state: "done", read: 3, matched: 3, restored: 1, present: 1, conflicts: 1 });
    expect(await stored("id, data")).toEqual([
      { id: "e0", data: { n: 1 } },
      { id: "e1", data: { n: 2 } },
      { id: "e2", data: { n: 1 } },
    ]);
    expect(await db.ask("select id from event_keys order by id")).toHaveLength(3);
  });

  it("a restored event is in no feed, and neither rollups nor the numbers of the ledger change", async () => {
    await store(storables(3, "e"));
    const archive = await archiveAndDelete();
    const before = await db.ask("select * from rollup_deltas");

    await restore(archive);
    await createEventStore(db.writer).store([{ ...storable({ id: "new" }), retention: 0 }], soon());
    await settle(db);

    const allowed = { types: undefined, sources: undefined };
    const page = await createFeedReader(db.reader).read(
      { tenant: "default", after: "start", allowed, filter: undefined, maxEvents: 10, maxRows: 100 },
      soon(),
    );
    const events = JSON.parse(page.kind === "page" ? page.events : "[]") as { id: string }[];
    expect(events.map(({ id }) => id)).toEqual(["new"]);
    expect((await db.ask("select * from rollup_deltas")).length).toBe(before.length + 1);
    expect(await stored("id, transaction_number < 0 as restored")).toContainEqual({ id: "e0", restored: true });
  });

  it("restored events are archived again as they were", async () => {
    await store(storables(3, "e"));
    const archive = await archiveAndDelete();
    await restore(archive, { retention: 30 });
    // A restore has no transaction in the feed; the horizon is that of all databases.
    await eventually(
      () =>
        db.ask<{ settled: boolean }>("select event_horizon() > max(abs(transaction_number)) as settled from events"),
      ([row]) => row?.settled === true,
    );

    const again = await archiveAndDelete();

    const partOf = ({ stored: all }: typeof archive) => [...all].find(([key]) => key.endsWith(".gz"))?.[1];
    expect(Buffer.compare(Buffer.from(partOf(again) ?? []), Buffer.from(partOf(archive) ?? []))).toBe(0);
    expect(again.manifests[0]?.[0]).toBe("archive/30d/2026-11-21/default/2/_manifest.json");
  });

  it("a restore beside the live events changes none of them, and is read page by page by its tenant alone", async () => {
    await store([...storables(3, "e", { data: "it's" }), storable({ id: "big", data: "x".repeat(200_000) })]);
    const archive = await archiveAndDelete();

    const job = await restore(archive, { into: "beside", retention: undefined });

    expect(job).toMatchObject({ state: "done", into: "beside", restored: 4 });
    expect(await stored()).toEqual([]);
    const jobs = createRestoreJobs(db.database);
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await jobs.readEvents(job, { after, limit: 3 }, soon());
      ids.push(...page.events.map((event) => (JSON.parse(event) as { id: string }).id));
      after = page.next;
    } while (after !== undefined);
    expect(ids).toEqual(["big", "e0", "e1", "e2"]);
    expect(await jobs.readEvents({ tenant: "other", id: ID }, { after: undefined, limit: 3 }, soon())).toEqual({
      events: [],
      next: undefined,
    });
    expect(await jobs.read("other", ID, soon())).toBeUndefined();
    await db.ask("select drop_restored(now() + interval '1 second', 10)");
    expect(await jobs.read("default", ID, soon())).toMatchObject({ droppedAt: expect.any(String) });
    expect(await db.ask("select to_regclass($1) as found", [`restored_${"a".repeat(32)}`])).toEqual([{ found: null }]);
  });

  it("a chunk stores nothing for a step that does not hold the job, or whose job is to end", async () => {
    await store(storables(3, "e"));
    const archive = await archiveAndDelete();
    const jobs = createRestoreJobs(db.database);
    const work = createRestoreWork(db.database);
    await jobs.start(
      {
        id: ID,
        tenant: "default",
        into: "live",
        retention: 0,
        request: {},
        manifests: archive.manifests,
        keyId: "k",
        planned: 3,
      },
      soon(),
    );
    await work.ensureDay(0, "2026-11-21", soon());
    const held = await work.hold(ID, "m-1", 60, soon());
    const line =
      '{"id":"x","source":"/s","type":"t","time":"2026-11-21T09:30:00.000Z","receivedat":"2026-11-21T09:30:00.000Z","storedat":"2026-11-21T09:30:00.000Z"}';
    const chunk = { lines: [line], read: 1, next: { manifestAt: 0, partAt: 0, lineAt: 1 } };

    expect(held.kind).toBe("held");
    expect(await work.hold(ID, "m-2", 60, soon())).toMatchObject({ kind: "leased" });
    expect(await work.store(ID, "m-2", chunk, soon())).toBeUndefined();
    await jobs.cancel("default", ID, soon());
    expect(await work.store(ID, "m-1", chunk, soon())).toMatchObject({ isCancelling: true, read: 0, lineAt: 0 });
    expect(await stored()).toEqual([]);
    expect(await work.end(ID, "m-2", { state: "done" }, soon())).toBeUndefined();
    expect(await work.end(ID, "m-1", { state: "cancelled" }, soon())).toMatchObject({ state: "cancelled" });
    expect(await work.hold(ID, "m-1", 60, soon())).toMatchObject({ kind: "over" });
    expect(await work.hold("rst_none", "m-1", 60, soon())).toEqual({ kind: "absent" });
  });

  it("a step that is killed between two chunks of a part counts none of their events twice", async () => {
    const events = CHUNK_MAX_EVENTS + 300;
    await store(storables(events, "e"));
    const { files, manifests } = await archiveAndDelete();
    const jobs = createRestoreJobs(db.database);
    const job = {
      id: ID,
      tenant: "default",
      into: "live",
      retention: 0,
      request: {},
      keyId: "k",
      planned: events,
    } as const;
    await jobs.start({ ...job, manifests }, soon());
    const work = createRestoreWork(db.database);
    let chunks = 0;
    const killed: RestoreWork = {
      ...work,
      store: async (...chunk) => {
        chunks += 1;
        if (chunks > 1) throw new Error("killed");
        return work.store(...chunk);
      },
    };
    const step = (by: RestoreWork, messageId: string) =>
      createRestoreStep({
        work: by,
        files,
        steps: { send: async () => true },
        whyEnded: async () => undefined,
        clock: () => new Date(),
      })({ restore: ID }, { messageId }, Date.now() + 60_000);

    await expect(step(killed, "m-1")).rejects.toThrow("killed");
    expect(await jobs.read("default", ID, soon())).toMatchObject({ state: "running", restored: CHUNK_MAX_EVENTS });
    await db.ask("update restores set lease_until = null");
    await step(work, "m-2");

    expect(await jobs.read("default", ID, soon())).toMatchObject({
      state: "done",
      read: events,
      matched: events,
      restored: events,
      present: 0,
    });
    expect(await db.ask("select count(*)::int as events from events")).toEqual([{ events }]);
  });

  it("jobs are listed latest first, and the known manifests are those that this database has written", async () => {
    await store(storables(1, "e"));
    const archive = await archiveAndDelete();
    const jobs = createRestoreJobs(db.database);
    const [key, sha256] = archive.manifests[0] ?? ["", ""];
    for (const id of ["b", "c", "d"])
      await jobs.start(
        {
          id: `rst_${id.repeat(32)}`,
          tenant: "default",
          into: "live",
          retention: 400,
          request: { from: "2026-11-21" },
          manifests: archive.manifests,
          keyId: "k",
          planned: 1,
        },
        soon(),
      );

    expect(await jobs.knownManifests("default", [key, key.replace("/1/", "/7/")], soon())).toEqual(
      new Map([[key, sha256]]),
    );
    expect(await jobs.knownManifests("other", [key], soon())).toEqual(new Map());
    const page = await jobs.list("default", { after: undefined, limit: 2 }, soon());
    expect([page.items.map(({ id }) => id[4]), page.next?.[4]]).toEqual([["d", "c"], "c"]);
    expect(page.items[0]).toMatchObject({ manifests: [], request: {}, retention: 400 });
    expect(await jobs.countUnfinished("default", soon())).toBe(3);
  });
});
