import { sample } from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createArchiveSource } from "../../functions/adapters/data-api/archive-source.ts";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { ARCHIVE_PAGE_MAX_BYTES } from "../../functions/core/archive-limits.ts";
import { parseVerbatim } from "../../functions/core/lossless-json.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { findManifest, listManifests, readPart } from "../../functions/core/read-archive.ts";
import { createArchiveStep } from "../../functions/retain/archive-step.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { jsonData, storable, storables } from "../support/event-samples.ts";
import { settle } from "../support/settle.ts";
import { memoryArchive } from "../unit/retain/archive-support.ts";
import { allOf } from "../support/all-of.ts";

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
    "event_transactions",
    "event_ends",
    "archives",
    "archive_parts",
    "archive_manifests",
  ),
);

const DAY = { retention: 30, day: "2026-11-21", isDetached: false };
const forever = () => ({ stopAt: Number.POSITIVE_INFINITY, deadline: soon() });

async function store(events: StorableEvent[]): Promise<void> {
  const writer = createEventStore(db.writer);
  const chunker = writer.createChunker();
  for (const event of events) {
    const chunk = chunker.add({ ...event, retention: 30 });
    if (chunk !== undefined) await writer.store(chunk, soon());
  }
  await writer.store(chunker.rest(), soon());
  await settle(db);
}

function underTest() {
  const { files, stored } = memoryArchive();
  const source = createArchiveSource(db.database);
  const step = createArchiveStep({ source, files, clock: () => new Date(), partBytes: 100_000 });
  return { files, stored, source, step };
}

async function linesOf(files: ReturnType<typeof memoryArchive>["files"]): Promise<string[]> {
  const lines: string[] = [];
  for await (const key of listManifests(files)) {
    const manifest = await findManifest(files, key);
    for (const part of manifest.parts) lines.push(...(await readPart(files, manifest, part)));
  }
  return lines;
}

const withoutStoredAt = (line: string) => line.replace(/,"storedat":"[^"]*"}$/, "}");

describe("the archive of a day in PostgreSQL", () => {
  it("each line is the event as it is read by its id, with the time at which it was stored behind it", async () => {
    const events = [
      ...storables(700, "a", { data: { text: "it's \"quoted\" and 'quoted'", path: "C:\\temp\n", n: 12 } }),
      storable({ id: "b", data: null }, { tenant: "acme" }),
      storable(
        { id: "c", source: "/x", subject: "ü \u0001 \u2028", extensions: { sampled: true, rank: 7, quote: "'\"\\" } },
        { tenant: "acme" },
      ),
      storable({ id: "c", source: "/y", data_base64: "AAEC", datacontenttype: "image/png" }, { tenant: "acme" }),
      storable({ id: "d", time: "2026-11-21T10:29:59+01:00", dataschema: "/v2" }, { tenant: "a/b" }),
    ];
    await store(events);
    const { files, step } = underTest();

    expect(await step(DAY, forever())).toEqual({ kind: "archived" });

    const lines = await linesOf(files);
    expect(lines).toHaveLength(704);
    const reader = createEventReader(db.reader);
    for (const line of lines.filter((_, at) => at < 5 || at % 20 === 0)) {
      const { tenant, id, source, storedat } = JSON.parse(line) as Record<string, string>;
      const found = await reader.find({ tenant: tenant ?? "", id: id ?? "", source }, soon());
      expect({ kind: "found", json: withoutStoredAt(line) }).toEqual(found);
      expect(storedat).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    }
    const manifests = await allOf(listManifests(files));
    expect(manifests).toEqual(
      ["a%2Fb", "acme", "default"].map((tenant) => `archive/30d/2026-11-21/${tenant}/1/_manifest.json`),
    );
  });

  it("any JSON comes back from the archive with its digits", async () => {
    const texts = sample(jsonData, 200);
    await store(texts.map((data, at) => storable({ id: String(at), data })));
    const { files, step } = underTest();

    await step(DAY, forever());

    const found = new Map((await linesOf(files)).map((line) => [(JSON.parse(line) as { id: string }).id, line]));
    const stored = await db.ask<{ id: string; data: string }>("select id, data::text from events");
    for (const { id, data } of stored) {
      const line = parseVerbatim(found.get(id) ?? "{}") as Record<string, unknown>;
      expect(JSON.stringify(line["data"])).toBe(JSON.stringify(parseVerbatim(data)));
    }
    expect(stored).toHaveLength(200);
  });

  it("a page is full, and none is larger than the Data API answers, whatever the texts are", async () => {
    const texts = [
      "'".repeat(200_000),
      '"'.repeat(100_000),
      "\u0001".repeat(40_000),
      "\\".repeat(100_000),
      "😀".repeat(60_000),
      "a".repeat(250_000),
    ];
    await store(
      texts.flatMap((data, at) => Array.from({ length: 5 }, (_, copy) => storable({ id: `${at}-${copy}`, data }))),
    );
    const { source } = underTest();
    const job = await source.open(DAY, soon());
    if (job === undefined) throw new Error("There is nothing to archive.");

    const sizes: number[] = [];
    let from: Parameters<typeof source.readPage>[1] = job;
    let rows = 0;
    for (;;) {
      const page = await source.readPage(job, from, soon());
      if (page.tenant === undefined) break;
      rows += page.rows;
      const exchanged = page.text.replace(/["']/g, (quote) => (quote === '"' ? "'" : '"'));
      sizes.push(Buffer.byteLength(JSON.stringify(exchanged)));
      from = { tenant: page.tenant, isTenantRead: page.next === undefined, after: page.next };
    }

    expect(rows).toBe(30);
    expect(sizes.slice(0, -1).every((size) => size > ARCHIVE_PAGE_MAX_BYTES / 2)).toBe(true);
  });

  it("an event of an open transaction is in no generation until the transaction has ended, and then in the next", async () => {
    await store(storables(3, "early"));
    const other = await db.connectAs("writer");
    await other.query("begin");
    await other.query("select store_batch(array[$1])", [row("open")]);
    const { files, step } = underTest();
    // It has a number above the open one.
    await createEventStore(db.writer).store([{ ...storable({ id: "behind" }), retention: 30 }], soon());

    await step(DAY, forever());
    expect((await linesOf(files)).map(idOf)).toEqual(["early0", "early1", "early2"]);
    await other.query("commit");
    await other.end();
    await settle(db);
    await step(DAY, forever());

    expect((await linesOf(files)).map(idOf).toSorted()).toEqual(["behind", "early0", "early1", "early2", "open"]);
    expect(await step(DAY, forever())).toEqual({ kind: "archived" });
    expect(
      await db.ask("select generation, tenants, cast(rows as integer) as rows from archives order by generation"),
    ).toEqual([
      { generation: 1, tenants: 1, rows: 3 },
      { generation: 2, tenants: 1, rows: 2 },
    ]);
  });

  it("a detached table is archived to its last event, also where another transaction holds the horizon", async () => {
    await store(storables(3, "early"));
    const other = await db.connectAs("writer");
    await other.query("begin");
    await other.query("select pg_current_xact_id()");
    await createEventStore(db.writer).store([{ ...storable({ id: "late" }), retention: 30 }], soon());
    const { files, step } = underTest();
    await step(DAY, forever());
    expect((await linesOf(files)).map(idOf)).toHaveLength(3);

    await db.ask("alter table events_30d detach partition events_30d_20261121");
    await step({ ...DAY, isDetached: true }, forever());

    expect((await linesOf(files)).map(idOf)).toEqual(["early0", "early1", "early2", "late"]);
    await other.query("rollback");
    await other.end();
    await db.ask(
      "alter table events_30d attach partition events_30d_20261121 for values from ('2026-11-21 00:00:00+00') to ('2026-11-22 00:00:00+00')",
    );
  });

  it("a generation does not end while a part has no manifest, or the manifests have other sums", async () => {
    await store(storables(2, "a"));
    const { source } = underTest();
    const job = await source.open(DAY, soon());
    if (job === undefined) throw new Error("There is nothing to archive.");
    const part = {
      part: {
        name: "part-00001.ndjson.gz",
        rows: 2,
        bytes: 1,
        sha256: "a".repeat(64),
        textBytes: 1,
        textSha256: "b".repeat(64),
      },
      first: "1",
      last: "2",
    };
    const counted = await source.countPart(job, { tenant: "default", part, next: undefined }, soon());

    expect(counted).toMatchObject({ parts: 1, rows: 2, isTenantRead: true, version: 2 });
    expect(await source.finish(counted ?? job, soon())).toBeUndefined();
    expect(await source.countPart(job, { tenant: "default", part, next: undefined }, soon())).toBeUndefined();
    const facts = { sha256: "c".repeat(64), rows: 1, bytes: 1, textBytes: 1, parts: 1 };
    const ended = await source.finishTenant(counted ?? job, facts, soon());
    expect(ended).toMatchObject({ tenants: 1, parts: 0 });
    expect(await source.finish(ended ?? job, soon())).toBeUndefined();
  });
});

const idOf = (line: string) => (JSON.parse(line) as { id: string }).id;

const NOON = "2026-11-21T12:00:00.000Z";
const row = (id: string) =>
  JSON.stringify({ tenant: "default", id, source: "/s", type: "t", time: NOON, received_at: NOON, class: 30 });
