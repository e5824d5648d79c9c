import { gunzipSync, gzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createArchiveRewrites } from "../../functions/adapters/data-api/archive-rewrites.ts";
import { createArchiveSource } from "../../functions/adapters/data-api/archive-source.ts";
import { createRestoreJobs } from "../../functions/adapters/data-api/restore-jobs.ts";
import { createRestoreWork } from "../../functions/adapters/data-api/restore-work.ts";
import { createExportJobs } from "../../functions/adapters/dynamodb/export-jobs.ts";
import { createRefusalSamples } from "../../functions/adapters/dynamodb/refusal-samples.ts";
import { createRefusalStore } from "../../functions/adapters/dynamodb/refusal-store.ts";
import { createArchiveFiles } from "../../functions/adapters/s3/archive-files.ts";
import { createErasableFiles } from "../../functions/adapters/s3/erasable-files.ts";
import type { ErasedObjects, ErasureMatch, ErasureScope } from "../../functions/core/erasure-objects.ts";
import { exportFolder, type ExportJob } from "../../functions/core/export-job.ts";
import { JOBS_TABLE } from "../../functions/core/jobs-table.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { listManifests, openManifest } from "../../functions/core/read-archive.ts";
import { createArchiveStep } from "../../functions/retain/archive-step.ts";
import { createErasedObjects } from "../../functions/retain/erased-objects.ts";
import { createRestoreStep } from "../../functions/retain/restore-step.ts";
import type { ChildServer } from "../../localstack/child-server.ts";
import { startS3 } from "../../localstack/s3/s3.ts";
import { verify } from "../../scripts/archive/verify.ts";
import { allOf } from "../support/all-of.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { dynamodbClient, startDynamodb } from "../support/dynamodb.ts";
import { storables } from "../support/event-samples.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { refusalSample, storedRefusals } from "../support/refusal-samples.ts";
import { bucketModel, s3Client } from "../support/s3.ts";
import { settle } from "../support/settle.ts";
import { openStatusTable } from "../support/status-table.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { jobSample } from "../unit/export/support.ts";
import { ERASURE, matchIds } from "../unit/retain/erase-support.ts";

const DAY = { retention: 30, day: "2026-11-21", isDetached: false };
const SCOPE: ErasureScope = { erasureId: ERASURE, tenant: "default" };
const RESTORE = `rst_${"a".repeat(32)}`;

let db: TestDatabase;
let folder: TemporaryFolder;
let s3: ChildServer;
let client: S3Client;
let opened = 0;
beforeAll(async () => {
  db = await startMigratedDatabase();
  await db.ask(`select ensure_waiting_days('[{"class":30,"day":"2026-11-21"}]')`);
  folder = await temporaryFolder();
  const buckets = Array.from({ length: 20 }, (_, at) => bucketModel({ name: `bucket-${at}` }));
  s3 = await startS3({ dataDir: folder.path, buckets });
  client = s3Client(s3.endpoint);
});
afterAll(async () => {
  client.destroy();
  await s3.stop();
  await folder.remove();
  await db.remove();
});
beforeEach(() =>
  db.empty(
    "events",
    "event_keys",
    "event_transactions",
    "event_ends",
    "archives",
    "archive_parts",
    "archive_manifests",
    "archive_rewrites",
    "restores",
  ),
);

async function openObjects() {
  const bucket = `bucket-${(opened += 1)}`;
  const text = (name: string) => ({ name, type: "S" as const });
  const dynamodb = await startDynamodb([
    { name: "jobs", key: { hash: text(JOBS_TABLE.partitionKey), range: text(JOBS_TABLE.sortKey) } },
  ]);
  const tables = dynamodbClient(dynamodb.endpoint);
  onTestFinished(async () => {
    tables.destroy();
    await dynamodb.stop();
  });
  const status = await openStatusTable();
  const files = createArchiveFiles({ client, bucket });
  const jobs = createExportJobs({ client: tables, table: "jobs" });
  let now = Date.now();
  const objects = createErasedObjects({
    exports: { jobs, files: createErasableFiles({ client, bucket }) },
    archive: { files, rewrites: createArchiveRewrites(db.database) },
    samples: createRefusalSamples(status),
    clock: () => new Date(now),
  });
  const put = (key: string, body: string | Uint8Array) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  const keys = async (prefix = "") => {
    const { Contents: found = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    return found.map(({ Key: key = "" }) => key);
  };
  const texts = async () => {
    const all = await Promise.all(
      (await keys()).map(async (key) => {
        const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        const bytes = Buffer.from((await body?.transformToByteArray()) ?? []);
        return key.endsWith(".gz") ? gunzipSync(bytes).toString() : bytes.toString();
      }),
    );
    return all.join("\n");
  };
  const wait = (milliseconds: number) => void (now += milliseconds);
  return { objects, files, jobs, refusals: createRefusalStore(status), put, keys, texts, wait };
}

/** Erases to the end; a page begins nothing behind `stopAt`. */
async function erase(objects: ErasedObjects, isErased: ErasureMatch, { scope = SCOPE, stopAt = Infinity } = {}) {
  const sums = { exports: 0, archive: 0, refusals: 0 };
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await objects.erase(scope, isErased, { cursor, stopAt, deadline: soon() });
    for (const place of ["exports", "archive", "refusals"] as const) sums[place] += page.counts[place];
    cursor = page.cursor;
    pages += 1;
    if (pages > 200) throw new Error("The erasure does not end.");
  } while (cursor !== undefined);
  return { ...sums, pages };
}

async function store(events: StorableEvent[]): Promise<void> {
  await createEventStore(db.writer).store(
    events.map((event) => ({ ...event, retention: 30 })),
    soon(),
  );
  await settle(db);
}

const archiveStep = ({ files }: Pick<Awaited<ReturnType<typeof openObjects>>, "files">, partBytes = 1) =>
  createArchiveStep({ source: createArchiveSource(db.database), files, clock: () => new Date(), partBytes });

/** Archives the day in small parts, and deletes its events and keys as retention does. */
async function archiveDay(open: Awaited<ReturnType<typeof openObjects>>): Promise<[string, string][]> {
  expect(await archiveStep(open)(DAY, { stopAt: Infinity, deadline: soon() })).toEqual({ kind: "archived" });
  await db.empty("events", "event_keys", "event_transactions");
  const keys = await allOf(listManifests(open.files, { tenant: "default" }));
  return Promise.all(
    keys.map(async (key): Promise<[string, string]> => [key, (await openManifest(open.files, key)).sha256]),
  );
}

const manifestRows = () =>
  db.ask(
    "select sha256, rows::int, bytes::int, text_bytes::int, parts from archive_manifests where tenant = 'default'",
  );

describe("the archive in an erasure", () => {
  /** Six of them fill a page of the database, which is a part here. */
  const marked = (count: number) => storables(count, "e", { data: { text: "x".repeat(150_000) } });

  it("is written without the erased events, verifies, and the database knows the new manifest", async () => {
    const open = await openObjects();
    await store(marked(20));
    const [[key] = [""]] = await archiveDay(open);
    const ids = ["e0", "e7", "e19"];

    expect(await open.objects.plan(SCOPE, soon())).toEqual({ exports: 0, archive: 1, refusals: 0 });
    const counts = await erase(open.objects, matchIds(ids).isErased);

    expect(counts.archive).toBeGreaterThan(1);
    expect(await verify(open.files, {})).toMatchObject({ faults: [], rows: 17 });
    const { manifest, sha256 } = await openManifest(open.files, key);
    expect(await manifestRows()).toEqual([
      { sha256, rows: 17, bytes: manifest.bytes, text_bytes: manifest.textBytes, parts: manifest.parts.length },
    ]);
    expect(await db.ask("select rows::int from archives")).toEqual([{ rows: 17 }]);
    expect(await open.keys("archive/")).toHaveLength(manifest.parts.length + 1);
    const texts = await open.texts();
    for (const id of ids) expect(texts).not.toContain(`"id":"${id}"`);
    expect(await createRestoreJobs(db.database).knownManifests("default", [key], soon())).toEqual(
      new Map([[key, sha256]]),
    );
  });

  it.each([1, 2, 3])("is read on by a restore that was in the middle of it (%i chunks at a time)", async (chunks) => {
    const open = await openObjects();
    await store(marked(20));
    const manifests = await archiveDay(open);
    const jobs = createRestoreJobs(db.database);
    await jobs.start(
      { id: RESTORE, tenant: "default", into: "live", retention: 0, request: {}, manifests, keyId: "k", planned: 20 },
      soon(),
    );
    const work = createRestoreWork(db.database);
    let stored = 0;
    let now = Date.now();
    const step = createRestoreStep({
      work: {
        ...work,
        store: async (...call) => {
          if ((stored += 1) % chunks === 0) now += 60_000;
          return work.store(...call);
        },
      },
      files: open.files,
      steps: { send: async () => true },
      whyEnded: async () => undefined,
      clock: () => new Date(now),
    });
    const run = () => step({ restore: RESTORE }, { messageId: `m-${stored}` }, now + 100_000);
    const every = Array.from({ length: 20 }, (_, at) => `e${at}`);
    const erased: string[] = [];

    for (let round = 0; (await jobs.read("default", RESTORE, soon()))?.state === "running"; round += 1) {
      expect(["continued", "ended"]).toContain((await run()).kind);
      // What the restore has brought back by then stays, and is erased elsewhere.
      const [last] = await db.ask<{ id: string }>("select max(id) as id from events");
      const ids = [last?.id ?? "", every[(round * 11) % 20] ?? ""];
      erased.push(...ids);
      await erase(open.objects, matchIds(ids).isErased);
      if (round > 50) throw new Error("The restore does not end.");
    }

    const receipt = await jobs.read("default", RESTORE, soon());
    expect(receipt).toMatchObject({ state: "done", present: 0, conflicts: 0, refused: 0 });
    const back = (await db.ask<{ id: string }>("select id from events")).map(({ id }) => id);
    expect(new Set(back).size).toBe(back.length);
    expect(receipt?.restored).toBe(back.length);
    expect(every.filter((id) => !erased.includes(id) && !back.includes(id))).toEqual([]);
    expect(await verify(open.files, {})).toMatchObject({ faults: [] });
    expect(await work.hold("rst_none", "m", 1, soon())).toEqual({ kind: "absent" });
  });

  it("moves the place of a restore within a part with the events before it", async () => {
    const open = await openObjects();
    await store(marked(5));
    const manifests = await archiveDay(open);
    const jobs = createRestoreJobs(db.database);
    await jobs.start(
      { id: RESTORE, tenant: "default", into: "live", retention: 0, request: {}, manifests, keyId: "k", planned: 5 },
      soon(),
    );
    await db.ask("update restores set line_at = 3");

    await erase(open.objects, matchIds(["e0", "e2", "e4"]).isErased);
    expect(await jobs.read("default", RESTORE, soon())).toMatchObject({ manifestAt: 0, partAt: 0, lineAt: 1 });
    await erase(open.objects, matchIds(["e3"]).isErased);
    expect(await jobs.read("default", RESTORE, soon())).toMatchObject({ manifestAt: 1, partAt: 0, lineAt: 0 });
  });

  it("waits for the step of a restore, and lets no other begin until it is written", async () => {
    const open = await openObjects();
    await store(marked(5));
    const manifests = await archiveDay(open);
    await createRestoreJobs(db.database).start(
      { id: RESTORE, tenant: "default", into: "live", retention: 0, request: {}, manifests, keyId: "k", planned: 5 },
      soon(),
    );
    const work = createRestoreWork(db.database);
    expect((await work.hold(RESTORE, "m-1", 60, soon())).kind).toBe("held");

    await expect(erase(open.objects, matchIds(["e1"]).isErased)).rejects.toThrow("A restore reads");
    await work.release(RESTORE, "m-1", soon());
    expect(await work.hold(RESTORE, "m-2", 60, soon())).toMatchObject({ kind: "leased", seconds: 1 });
    await erase(open.objects, matchIds(["e1"]).isErased);

    const held = await work.hold(RESTORE, "m-3", 60, soon());
    expect(held).toMatchObject({ kind: "held", job: { manifests: [[manifests[0]?.[0], expect.any(String)]] } });
    const sha256 = (await openManifest(open.files, manifests[0]?.[0] ?? "")).sha256;
    expect(held.kind === "held" && held.job.manifests[0]?.[1]).toBe(sha256);
    expect(sha256).not.toBe(manifests[0]?.[1]);
  });

  it("waits for a generation that is being written, and then reaches all of its parts; the generation ends as if nothing had happened", async () => {
    const open = await openObjects();
    await store(marked(20));
    await db.ask("update retention_days set state = 'due' where class = 30 and day = '2026-11-21'");
    let clock = 0;
    const step = createArchiveStep({
      source: createArchiveSource(db.database),
      files: open.files,
      clock: () => new Date((clock += 1)),
      partBytes: 1,
    });
    expect(await step(DAY, { stopAt: 2, deadline: soon() })).toMatchObject({ kind: "unfinished" });
    expect(await open.keys("archive/")).not.toEqual([]);

    await expect(erase(open.objects, matchIds(["e0"]).isErased)).rejects.toThrow("is being archived");
    // Its manifest is written, but the generation is not finished.
    while ((await manifestRows()).length === 0) await step(DAY, { stopAt: clock + 2, deadline: soon() });
    expect(await db.ask("select from archives where finished_at is null")).toHaveLength(1);
    await erase(open.objects, matchIds(["e0", "e19"]).isErased);

    expect(await step(DAY, { stopAt: Infinity, deadline: soon() })).toEqual({ kind: "archived" });
    expect(await db.ask("select rows::int, finished_at is not null as is_finished from archives")).toEqual([
      { rows: 18, is_finished: true },
    ]);
    expect(await verify(open.files, {})).toMatchObject({ faults: [], rows: 18 });
  });
});

describe("exports in an erasure", () => {
  const id = (number: number) => `exp_${String(number).padStart(32, "0")}`;
  const line = (of: string) => `${JSON.stringify({ specversion: "1.0", id: of, source: "/s", type: "t" })}\n`;

  /** An export that is done, with a file of these events each. */
  async function exported(
    { jobs, put }: Awaited<ReturnType<typeof openObjects>>,
    number: number,
    files: string[][],
    changes: Partial<ExportJob> = {},
  ): Promise<ExportJob> {
    const parts = files.map((ids, at) => ({
      name: `part-0000${at + 1}-1.ndjson.gz`,
      rows: ids.length,
      bytes: 1,
      sha256: "",
    }));
    const job = jobSample({
      tenant: "default",
      id: id(number),
      state: "done",
      finishedAt: new Date().toISOString(),
      manifest: "manifest-2.json",
      parts,
      ...changes,
    });
    await jobs.create(job);
    for (const [at, ids] of files.entries())
      await put(`${exportFolder(job)}${parts[at]?.name}`, gzipSync(ids.map(line).join("")));
    await put(`${exportFolder(job)}manifest-2.json`, "{}");
    return job;
  }

  it("lose their files where one of them has an erased event, and keep them where none has", async () => {
    const open = await openObjects();
    const [hit, other] = [await exported(open, 1, [["1", "2"], ["3"]]), await exported(open, 2, [["4"], ["5"]])];
    const theirs = await exported(open, 3, [["3"]], { tenant: "other" });

    expect((await open.objects.plan(SCOPE, soon())).exports).toBe(2);
    expect(await erase(open.objects, matchIds(["3"]).isErased)).toMatchObject({ exports: 1 });

    expect(await open.keys(exportFolder(hit))).toEqual([]);
    expect(await open.keys(exportFolder(other))).toHaveLength(3);
    expect(await open.keys(exportFolder(theirs))).toHaveLength(2);
    expect(await open.jobs.read("default", hit.id)).toMatchObject({ state: "done", erasedAt: expect.any(String) });
    expect((await open.jobs.read("default", other.id))?.erasedAt).toBeUndefined();
    expect((await open.objects.plan(SCOPE, soon())).exports).toBe(1);
    expect(await erase(open.objects, matchIds(["3"]).isErased)).toMatchObject({ exports: 0 });
  });

  it.each<[string, Partial<ExportJob>]>([
    ["is in CSV", { format: "csv" }],
    ["has selected members alone", { select: ["data"] }],
    ["was cancelled", { state: "cancelled", finishedAt: "2026-11-29T09:00:00.000Z" }],
    ["has failed", { state: "failed", reason: "crashed" }],
  ])("lose their files where nobody can say which events one has that %s", async (_why, changes) => {
    const open = await openObjects();
    const job = await exported(open, 1, [["1"]], changes);

    expect(await erase(open.objects, matchIds(["9"]).isErased)).toMatchObject({ exports: 1 });

    expect(await open.keys(exportFolder(job))).toEqual([]);
  });

  it("are ended while they run, and a file that a step writes meanwhile is deleted when its time is over", async () => {
    const open = await openObjects();
    const job = await exported(open, 1, [["1"]], {
      state: "running",
      manifest: undefined,
      finishedAt: undefined,
      cursor: '["2026-11-21","1","/s"]',
      leaseUntil: new Date(Date.now() + 60_000).toISOString(),
      leaseBy: "m",
    });

    await expect(erase(open.objects, matchIds([]).isErased)).rejects.toMatchObject({ name: "FilesError" });

    const ended = await open.jobs.read("default", job.id);
    expect(ended).toMatchObject({ state: "failed", reason: "erased" });
    expect(ended?.cursor).toBeUndefined();
    expect(await open.jobs.replace({ ...job, state: "done" })).toBeUndefined();
    await open.put(`${exportFolder(job)}part-00002-2.ndjson.gz`, gzipSync(line("1")));
    open.wait(61_000);
    expect(await erase(open.objects, matchIds([]).isErased)).toMatchObject({ exports: 1 });
    expect(await open.keys(exportFolder(job))).toEqual([]);
  });

  it("are searched page by page, and files that a job does not count are deleted", async () => {
    const open = await openObjects();
    const { isErased, asked } = matchIds(["b"]);
    const job = await exported(open, 1, [["1"], ["2"], ["3"]]);
    const last = await exported(open, 2, [["a"], ["b"]]);
    await open.put(`${exportFolder(job)}part-00002-9.ndjson.gz`, gzipSync(line("left")));

    const { pages, exports } = await erase(open.objects, isErased, { stopAt: 0 });

    expect(exports).toBe(1);
    expect(pages).toBeGreaterThan(5);
    expect(asked.toSorted()).toEqual(["1", "2", "3", "a", "b"]);
    expect(await open.keys(exportFolder(job))).toHaveLength(4);
    expect(await open.keys(exportFolder(last))).toEqual([]);
  });

  it("lose their files where one of them cannot be read", async () => {
    const open = await openObjects();
    const job = await exported(open, 1, [["1"]]);
    await open.put(`${exportFolder(job)}part-00001-1.ndjson.gz`, "no gzip");

    expect(await erase(open.objects, matchIds([]).isErased)).toMatchObject({ exports: 1 });
    expect(await open.keys(exportFolder(job))).toEqual([]);
  });
});

describe("samples of refusals in an erasure", () => {
  const groups = [
    {
      day: "2026-11-20",
      id: "a",
      samples: [refusalSample({ id: "1", source: "/s" }), refusalSample({ id: "2", source: "/s" })],
    },
    { day: "2026-11-21", id: "b", samples: [refusalSample({ id: "x".repeat(128), source: "/s" }), refusalSample()] },
  ];

  async function refused() {
    const open = await openObjects();
    for (const tenant of ["default", "other"])
      for (const { day, id, samples } of groups) {
        await open.refusals.admit(tenant, day, [id]);
        await open.refusals.change({ tenant, day, id }, () => storedRefusals({ count: 7, samples }));
      }
    const read = async (tenant: string) =>
      (await Promise.all(groups.map(({ day }) => open.refusals.readDay(tenant, day)))).flat();
    return { ...open, read };
  }

  it("are removed, all of the tenant, where an event of the erasure may have been refused, and the counts stay", async () => {
    const open = await refused();

    expect((await open.objects.plan(SCOPE, soon())).refusals).toBe(4);
    expect(await erase(open.objects, matchIds([]).isErased)).toMatchObject({ refusals: 4 });

    expect((await open.read("default")).map(({ count, samples }) => [count, samples])).toEqual([
      [7, []],
      [7, []],
    ]);
    expect((await open.read("other")).flatMap(({ samples }) => samples)).toHaveLength(4);
    expect(await open.refusals.readAdmitted("default", "2026-11-20")).toEqual(["a"]);
  });

  it("of listed events are removed by their id and source, and those that do not have them whole", async () => {
    const open = await refused();
    const scope = { ...SCOPE, isListed: true };

    expect(await erase(open.objects, matchIds(["2"]).isErased, { scope })).toMatchObject({ refusals: 3 });

    expect((await open.read("default")).map(({ samples }) => samples.map(({ id }) => id))).toEqual([["1"], []]);
  });
});
