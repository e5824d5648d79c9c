import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../functions/core/access.ts";
import type { ArchiveFiles } from "../../../functions/core/archive-files.ts";
import { RequestError } from "../../../functions/core/errors.ts";
import { FilesError } from "../../../functions/core/export-job.ts";
import { openManifest } from "../../../functions/core/read-archive.ts";
import type { RestoreJob, RestoreJobs, RestoreStep } from "../../../functions/core/restore-job.ts";
import { createRestore, type RestoreWanted } from "../../../functions/retain/restore.ts";
import { lineOf, memoryArchive, PLACE, writeArchive } from "./archive-support.ts";
import { NOW, restoreSample } from "./restore-support.ts";

const CALLER = { tenant: "acme", keyId: "keyOfRestore", requestId: "r-1" };

function underTest(files: ArchiveFiles) {
  const jobs = new Map<string, RestoreJob>();
  const known = new Map<string, string>();
  const sent: RestoreStep[] = [];
  const log: Pick<AuditEntry, "action" | "details">[] = [];
  const world = { confirms: true };
  const store: RestoreJobs = {
    knownManifests: async (_tenant, keys) => new Map([...known].filter(([key]) => keys.includes(key))),
    async start(job) {
      jobs.set(job.id, restoreSample(job));
      return restoreSample(job);
    },
    read: async (tenant, id) => [jobs.get(id)].find((job) => job?.tenant === tenant),
    list: async () => ({ items: [...jobs.values()], next: undefined }),
    countUnfinished: async () => [...jobs.values()].filter(({ state }) => state === "running").length,
    async cancel(_tenant, id) {
      const job = { ...restoreSample(jobs.get(id)), isCancelling: true };
      jobs.set(id, job);
      return job;
    },
    dropEnded: async () => 0,
    readEvents: async () => ({ events: ["{}"], next: undefined }),
  };
  let ids = 0;
  const restores = createRestore({
    jobs: store,
    files,
    steps: {
      send: async (step) => {
        sent.push(step);
        return world.confirms;
      },
    },
    audit: {
      append: async (entry) => {
        log.push({ action: entry.action, details: entry.details });
        return entry as AuditEntry;
      },
    },
    clock: () => new Date(NOW),
    newId: () => `rst_${(ids += 1)}`,
  });
  const codeOf = (of: Promise<unknown>) =>
    of.then(
      () => "none",
      (error: unknown) => (error instanceof RequestError ? `${error.code}: ${error.message}` : String(error)),
    );
  return { restores, jobs, known, sent, log, world, codeOf };
}

const wanted = (changes: Partial<RestoreWanted> = {}): RestoreWanted => ({
  into: "live",
  filter: undefined,
  ...changes,
});

async function archive() {
  const { files, stored } = memoryArchive();
  const key = await writeArchive(files, [[lineOf("1"), lineOf("2")], [lineOf("3")]]);
  const later = await writeArchive(files, [[lineOf("4")]], { ...PLACE, day: "2026-11-03", retention: "90d" });
  await writeArchive(files, [[lineOf("5")]], { ...PLACE, tenant: "other" });
  return { files, stored, key, later };
}

describe("a restore", () => {
  it("a plan has the manifests of the days and their events, and starts nothing", async () => {
    const { files, key, later } = await archive();
    const { restores, sent, known } = underTest(files);
    known.set(key, (await openManifest(files, key)).sha256);

    const plan = await restores.plan(CALLER, wanted({ from: "2026-11-01", to: "2026-11-30" }), 0);

    expect(plan.map((each) => [each.key, each.manifest.rows, each.isKnown])).toEqual([
      [key, 3, true],
      [later, 1, false],
    ]);
    expect((await restores.plan(CALLER, wanted({ from: "2026-11-03" }), 0)).map((each) => each.key)).toEqual([later]);
    expect((await restores.plan(CALLER, wanted({ manifests: [later] }), 0)).map((each) => each.key)).toEqual([later]);
    expect(sent).toEqual([]);
  });

  it("a start has the SHA-256 of each manifest, the class that was asked for or keep, and an audit entry before it", async () => {
    const { files, key } = await archive();
    const { restores, jobs, sent, log } = underTest(files);
    const { sha256 } = await openManifest(files, key);

    const job = await restores.start(CALLER, wanted({ manifests: [key], filter: '{"exact":{"type":"a"}}' }), 0);
    await restores.start(CALLER, wanted({ manifests: [key], retention: "400d" }), 0);
    await restores.start(CALLER, wanted({ manifests: [key], into: "beside" }), 0);

    expect(job).toMatchObject({
      planned: 3,
      manifests: [[key, sha256]],
      request: { filter: '{"exact":{"type":"a"}}' },
    });
    expect([...jobs.values()].map(({ retention }) => retention)).toEqual([0, 400, undefined]);
    expect(sent[0]).toEqual({ restore: "rst_1" });
    expect(log[0]).toMatchObject({ action: "restore.start", details: { manifests: [key], into: "live" } });
  });

  it("a manifest that was changed, and one that is another than the database knows, are refused by their name", async () => {
    const { files, stored, key } = await archive();
    const { restores, known, codeOf, sent } = underTest(files);
    known.set(key, "a".repeat(64));

    expect(await codeOf(restores.start(CALLER, wanted({ manifests: [key] }), 0))).toMatch(
      `archive_changed: ${key} was changed`,
    );
    known.clear();
    stored.set(key, Buffer.from(String(Buffer.from(stored.get(key) ?? [])).replace('"rows": 3', '"rows": 4')));
    expect(await codeOf(restores.start(CALLER, wanted({ from: "2026-11-01" }), 0))).toMatch(
      `archive_changed: ${key} was changed`,
    );
    expect(sent).toEqual([]);
  });

  it("another tenant's manifest is as an absent one, and days without an archive have none", async () => {
    const { files } = await archive();
    const { restores, codeOf } = underTest(files);

    for (const tenant of ["other", "none"]) {
      const key = `archive/30d/2026-11-01/${tenant}/1/_manifest.json`;
      expect(await codeOf(restores.plan(CALLER, wanted({ manifests: [key] }), 0))).toBe(
        `no_such_archive: ${key} is missing.`,
      );
    }
    expect(await codeOf(restores.plan(CALLER, wanted({ from: "2026-11-02" }), 0))).toMatch("no_such_archive");
  });

  it.each([
    [{ manifests: ["archive/30d/2026-11-01/acme/1/_manifest.json"], from: "2026-11-01" }, "names the files already"],
    [{}, "neither `manifests` nor `from`"],
    [{ from: "2026-11-02", to: "2026-11-01" }, "to: is before from"],
    [{ from: "2025-10-01", to: "2026-11-05" }, "more than 400 days"],
    [
      { from: "2026-11-01", into: "beside" as const, retention: "30d" as const },
      "retention: is for events among the live",
    ],
    [{ from: "2026-11-01", retention: "30d" as const }, "would be dropped again at 2026-12-02T00:00:00.000Z"],
  ])("a body %j is refused, and the fault says what to do", async (changes, fault) => {
    const { files } = await archive();
    const { restores, codeOf } = underTest(files);

    expect(await codeOf(restores.plan(CALLER, wanted(changes), 0))).toMatch(`malformed_body: The body is not valid: `);
    expect(await codeOf(restores.plan(CALLER, wanted(changes), 0))).toContain(fault);
  });

  it("an outage of the files or the queue starts nothing, and says to ask again", async () => {
    const { files, key } = await archive();
    const { restores, codeOf, world, jobs } = underTest(files);
    world.confirms = false;
    expect(await codeOf(restores.start(CALLER, wanted({ manifests: [key] }), 0))).toMatch("queue_unavailable");
    files.get = async () => Promise.reject(new FilesError("S3 is down"));
    expect(await codeOf(restores.start(CALLER, wanted({ manifests: [key] }), 0))).toMatch("archive_unavailable");
    expect(jobs.size).toBe(0);
  });

  it("a key of the installation has to name the tenant whose events are restored", async () => {
    const { files, key } = await archive();
    const { restores, codeOf } = underTest(files);

    const caller = { ...CALLER, tenant: "*" };
    expect(await codeOf(restores.start(caller, wanted({ manifests: [key] }), 0))).toMatch("tenant_required");
  });

  it("a tenant has five unfinished restores at most", async () => {
    const { files, key } = await archive();
    const { restores, codeOf, jobs } = underTest(files);
    for (let at = 0; at < 5; at += 1) await restores.start(CALLER, wanted({ manifests: [key] }), 0);

    expect(await codeOf(restores.start(CALLER, wanted({ manifests: [key] }), 0))).toMatch("too_many_restores");
    expect(jobs.size).toBe(5);
  });

  it("a running restore is asked to end once, and a finished one is not", async () => {
    const { files, key } = await archive();
    const { restores, codeOf, jobs, log, sent } = underTest(files);
    const { id } = await restores.start(CALLER, wanted({ manifests: [key] }), 0);

    expect(await restores.cancel(CALLER, id, 0)).toMatchObject({ isCancelling: true });
    await restores.cancel(CALLER, id, 0);
    expect(log.map(({ action }) => action)).toEqual(["restore.start", "restore.cancel"]);
    expect(sent).toHaveLength(3);
    jobs.set(id, { ...restoreSample({ id }), state: "done" });
    expect(await codeOf(restores.cancel(CALLER, id, 0))).toMatch("restore_finished: It is done already");
    expect(await codeOf(restores.cancel({ ...CALLER, tenant: "other" }, id, 0))).toMatch("no_such_restore");
  });

  it("events beside the live ones are read while they are kept, and those among the live ones are not read here", async () => {
    const { files, key } = await archive();
    const { restores, codeOf, jobs } = underTest(files);
    const { id } = await restores.start(CALLER, wanted({ manifests: [key], into: "beside" }), 0);
    const page = { after: undefined, limit: 1 };

    expect(await restores.readEvents(CALLER, id, page, 0)).toEqual({ events: ["{}"], next: undefined });
    jobs.set(id, { ...restoreSample({ id, into: "beside", droppedAt: NOW }) });
    expect(await codeOf(restores.readEvents(CALLER, id, page, 0))).toMatch("no_such_restore: Its events were deleted");
    jobs.set(id, restoreSample({ id }));
    expect(await codeOf(restores.readEvents(CALLER, id, page, 0))).toMatch(
      "no_such_restore: Its events are among the live",
    );
  });
});
