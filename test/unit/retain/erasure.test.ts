import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../functions/core/access.ts";
import { schemas } from "../../../functions/core/answer.ts";
import type { ErasureJob, ErasureJobs, ErasureStep } from "../../../functions/core/erasure-job.ts";
import type { ErasedObjects } from "../../../functions/core/erasure-objects.ts";
import { RequestError } from "../../../functions/core/errors.ts";
import { FilesError } from "../../../functions/core/export-job.ts";
import { createErasure } from "../../../functions/retain/erasure.ts";
import { createErasureEndpoints } from "../../../functions/retain/erasure-endpoints.ts";

const NOW = "2026-12-01T10:00:00.000Z";
const ID = `ers_${"0".repeat(32)}`;
const FOUND = { events: 3, restored: 0, deadLetters: 1, deliveries: 2, isComplete: true };
const JOB: ErasureJob = {
  id: ID,
  tenant: "acme",
  state: "waiting",
  by: "subject",
  request: undefined,
  requestHash: "ab",
  why: "asked for",
  suppress: undefined,
  keyId: "k",
  planned: { ...FOUND, exports: 4, archive: 5, refusals: 6 },
  place: "rows",
  needsBarrier: true,
  isSettled: false,
  cursor: undefined,
  counts: {},
  horizonBefore: undefined,
  horizonAfter: undefined,
  eventsSha256: undefined,
  reason: undefined,
  detail: undefined,
  createdAt: NOW,
  startedAt: undefined,
  progressAt: NOW,
  finishedAt: undefined,
};

function underTest({ holdId, tenant = "acme" }: { holdId?: string; tenant?: string } = {}) {
  const jobs = new Map<string, ErasureJob>();
  const planned: unknown[] = [];
  const sent: ErasureStep[] = [];
  const log: Pick<AuditEntry, "action" | "details">[] = [];
  const world = { confirms: true, unfinished: 0, objects: undefined as Error | undefined };
  const store: ErasureJobs = {
    async plan(_tenant, selection) {
      planned.push(selection);
      return { ...FOUND, holdId };
    },
    async start({ selection, ...job }) {
      jobs.set(job.id, { ...JOB, ...job, by: selection.by });
      return { ...JOB, ...job, by: selection.by };
    },
    read: async (of, id) => [jobs.get(id)].find((job) => job?.tenant === of),
    list: async () => ({ items: [...jobs.values()], next: undefined }),
    countUnfinished: async () => world.unfinished,
    async cancel(_tenant, id) {
      const job = jobs.get(id);
      if (job?.state === "waiting") jobs.set(id, { ...job, state: "cancelled", finishedAt: NOW });
      return jobs.get(id);
    },
    dropRules: async () => undefined,
  };
  const objects: Pick<ErasedObjects, "plan"> = {
    async plan() {
      if (world.objects !== undefined) throw world.objects;
      return { exports: 4, archive: 5, refusals: 6 };
    },
  };
  const erasures = createErasure({
    jobs: store,
    objects,
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
    newId: () => ID,
  });
  const endpoints = createErasureEndpoints({ erasures, clock: () => new Date(NOW) });
  const request = (body: unknown, id = ID) =>
    ({
      body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
      headers: { "content-type": "application/json" },
      query: {},
      parameters: { id },
      principal: { tenant, keyId: "k" },
      requestId: "r",
      deadline: Date.parse(NOW) + 29_000,
    }) as never;
  const codeOf = (of: Promise<unknown>) =>
    of.then(
      () => "none",
      (error: unknown) => (error instanceof RequestError ? `${error.code}: ${error.message}` : String(error)),
    );
  return { endpoints, request, jobs, planned, sent, log, world, codeOf };
}

const parse = ({ body }: { body?: unknown }) => JSON.parse(String(body)) as Record<string, unknown>;
const SUBJECT = { subject: "mary-17", reason: "Request 4711" };

describe("a request for an erasure", () => {
  it("starts a job that waits, and names the time until which it can be cancelled", async () => {
    const { endpoints, request, sent, jobs } = underTest();

    const answer = await endpoints.startErasure(request(SUBJECT));

    expect(answer).toMatchObject({ status: 202, headers: { location: `erasures/${ID}` } });
    expect(parse(answer)).toMatchObject({
      id: ID,
      state: "waiting",
      by: "subject",
      startsAt: "2026-12-01T10:00:10.000Z",
      planned: { events: 3, deadLetters: 1, deliveries: 2, exports: 4, archive: 5, refusals: 6, complete: true },
    });
    expect(schemas.Erasure.safeParse(parse(answer)).error).toBeUndefined();
    expect(sent).toEqual([{ erasure: ID }]);
    expect(jobs.size).toBe(1);
  });

  it("a dry run answers the plan, and starts nothing", async () => {
    const { endpoints, request, sent, jobs, log } = underTest();

    const answer = await endpoints.startErasure(request({ ...SUBJECT, dryRun: true }));

    expect(answer.status).toBe(200);
    expect(schemas.ErasurePlan.safeParse(parse(answer)).error).toBeUndefined();
    expect([sent, jobs.size, log]).toEqual([[], 0, []]);
  });

  it("the audit log has the reason and how events are named, and never which", async () => {
    const { endpoints, request, log } = underTest();

    await endpoints.startErasure(request(SUBJECT));
    await endpoints.startErasure(request({ ids: ["mary-1", { source: "/s", id: "mary-2" }], reason: "r" }));
    await endpoints.startErasure(request({ filter: { exact: { subject: "mary-17" } }, reason: "r" }));

    expect(log[0]).toMatchObject({ action: "erasure.start", details: { by: "subject", reason: "Request 4711" } });
    expect(log[1]).toMatchObject({ details: { by: "ids", ids: 2 } });
    expect(JSON.stringify(log)).not.toContain("mary");
  });

  it("a filter keeps the digits of its numbers, and an id without a source is that of every source", async () => {
    const { endpoints, request, planned } = underTest();

    await endpoints.startErasure(request('{"filter":{"data":{"n":[12345678901234567890]}},"reason":"r"}'));
    await endpoints.startErasure(request({ ids: ["a", { source: "/s", id: "b" }], reason: "r" }));

    expect(planned).toEqual([
      { by: "filter", filter: '{"data":{"n":[12345678901234567890]}}' },
      { by: "ids", ids: [{ id: "a" }, { source: "/s", id: "b" }] },
    ]);
  });

  it.each([
    [{ reason: "r" }, "needs one of"],
    [{ subject: "a", ids: ["b"], reason: "r" }, "needs one of"],
    [{ subject: "a" }, "reason"],
    [{ subject: "", reason: "r" }, "subject"],
    [{ subject: "a", reason: "" }, "reason"],
    [{ subject: "a", reason: "r".repeat(501) }, "reason"],
    [{ ids: [], reason: "r" }, "ids"],
    [{ ids: Array.from({ length: 5_001 }, String), reason: "r" }, "ids"],
    [{ ids: [{ id: "a" }], reason: "r" }, "ids.0: is neither an id"],
    [{ ids: ["a\0b"], reason: "r" }, "ids.0: has a character"],
    [{ ids: [{ source: "\0", id: "a" }], reason: "r" }, "ids.0.source: has a character"],
    [{ subject: "a\0b", reason: "r" }, "subject: has a character"],
    [{ subject: "\ud800", reason: "r" }, "subject: has a character"],
    [{ subject: "a", reason: "r\0" }, "reason: has a character"],
    [{ subject: "a", reason: "r", suppress: "7d" }, "suppress"],
    [{ subject: "a", reason: "r", more: 1 }, "more"],
  ])("%j is refused, and nothing starts", async (body, named) => {
    const { endpoints, request, sent, codeOf } = underTest();

    const error = await codeOf(Promise.resolve().then(() => endpoints.startErasure(request(body))));

    expect(error).toMatch(/^malformed_body: /);
    expect(error).toContain(named);
    expect(sent).toEqual([]);
  });

  it("as many ids as there may be are taken", async () => {
    const { endpoints, request } = underTest();

    const ids = Array.from({ length: 5_000 }, String);
    expect((await endpoints.startErasure(request({ ids, reason: "r" }))).status).toBe(202);
  });

  it("a hold that has one of the events is named, and nothing starts", async () => {
    const { endpoints, request, sent, jobs, codeOf } = underTest({ holdId: "hld_7" });

    expect(await codeOf(endpoints.startErasure(request(SUBJECT)))).toMatch(/^on_hold: The hold hld_7 has/);
    expect(await codeOf(endpoints.startErasure(request({ ...SUBJECT, dryRun: true })))).toMatch(/^on_hold/);
    expect([sent, jobs.size]).toEqual([[], 0]);
  });

  it("is refused without a tenant, with too many unfinished ones, and where a service does not answer", async () => {
    const { endpoints, request, world, jobs, codeOf } = underTest();
    const start = () => codeOf(endpoints.startErasure(request(SUBJECT)));
    const installation = underTest({ tenant: "*" });

    expect(await installation.codeOf(installation.endpoints.startErasure(installation.request(SUBJECT)))).toMatch(
      /^tenant_required/,
    );
    world.unfinished = 5;
    expect(await start()).toMatch(/^too_many_erasures: .*5/);
    world.unfinished = 4;
    world.objects = new FilesError("down");
    expect(await start()).toMatch(/^archive_unavailable/);
    world.objects = undefined;
    world.confirms = false;
    expect(await start()).toMatch(/^queue_unavailable/);
    expect(jobs.size).toBe(0);
    world.confirms = true;
    expect(await start()).toBe("none");
  });
});

describe("an erasure that is there", () => {
  it("is cancelled while it waits, also twice, and not when it has started", async () => {
    const { endpoints, request, jobs, log, codeOf } = underTest();
    await endpoints.startErasure(request(SUBJECT));

    expect(parse(await endpoints.cancelErasure(request("")))).toMatchObject({ state: "cancelled" });
    expect(parse(await endpoints.cancelErasure(request("")))).toMatchObject({ state: "cancelled" });
    expect(log.filter(({ action }) => action === "erasure.cancel")).toHaveLength(1);
    jobs.set(ID, { ...JOB, state: "running" });
    expect(await codeOf(endpoints.cancelErasure(request("")))).toMatch(/^erasure_started: It is running/);
    expect(log.filter(({ action }) => action === "erasure.cancel")).toHaveLength(1);
  });

  it("has its receipt when it has ended, with every place", async () => {
    const { endpoints, request, jobs } = underTest();
    jobs.set(ID, {
      ...JOB,
      state: "done",
      startedAt: NOW,
      finishedAt: NOW,
      eventsSha256: "cd",
      horizonBefore: "7",
      horizonAfter: "9",
      counts: { events: 3, keys: 4, rollups: 3, exports: 1 },
    });

    const answer = parse(await endpoints.readErasure(request("")));

    expect(schemas.Erasure.safeParse(answer).error).toBeUndefined();
    expect(answer["receipt"]).toEqual({
      id: ID,
      by: "k",
      at: NOW,
      filterHash: "ab",
      counts: {
        events: 3,
        restored: 0,
        deadLetters: 0,
        deliveries: 0,
        attempts: 0,
        exports: 1,
        archive: 0,
        refusals: 0,
        keys: 4,
      },
      horizonBefore: "7",
      horizonAfter: "9",
      rollupDeltas: 3,
      backupsExpireAt: "2027-01-05T10:00:00.000Z",
      sha256: "cd",
    });
    expect(parse(await endpoints.listErasures(request("")))["erasures"]).toHaveLength(1);
  });

  it("of another tenant is none", async () => {
    const { endpoints, request, jobs, codeOf } = underTest();
    jobs.set(ID, { ...JOB, tenant: "b" });

    expect(await codeOf(endpoints.readErasure(request("")))).toMatch(/^no_such_erasure/);
    expect(await codeOf(endpoints.cancelErasure(request("")))).toMatch(/^no_such_erasure/);
  });
});
