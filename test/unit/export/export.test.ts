import { describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import { RequestError } from "../../../functions/core/errors.ts";
import type { EventPages } from "../../../functions/core/event-pages.ts";
import type { ExportStep } from "../../../functions/core/export-job.ts";
import { EXPORT_MAX_UNFINISHED } from "../../../functions/core/export-limits.ts";
import { type Caller, createExport, type ExportRequest } from "../../../functions/export/export.ts";
import { memoryAuditLog } from "../access/support.ts";
import { jobSample, memoryJobs, NOW } from "./support.ts";

const caller: Caller = {
  tenant: "acme",
  keyId: "keyOfExport0",
  types: ["com.example.*"],
  sources: undefined,
  requestId: "r-1",
};
const request: ExportRequest = { filter: '{"exact":{"type":"a"}}', format: "csv", select: ["id"], from: NOW };

function underTest() {
  const jobs = memoryJobs();
  const audit = memoryAuditLog();
  const sent: { step: ExportStep; seconds: number; jobWasThere: boolean }[] = [];
  const asked: unknown[] = [];
  const world = { confirms: true };
  let made = 0;
  const pages: Pick<EventPages, "plan"> = {
    async plan(events, sample) {
      asked.push({ events, sample });
      return { rows: 2, relation: "exact", sample: ['{"id":"1"}', '{"id":"2"}'] };
    },
  };
  const exports = createExport({
    jobs,
    pages,
    audit: audit.log,
    steps: {
      async send(step, seconds) {
        const jobWasThere = (await jobs.read(step.tenant, step.id)) !== undefined;
        if (world.confirms) sent.push({ step, seconds, jobWasThere });
        return world.confirms;
      },
    },
    clock: () => new Date(NOW),
    newId: () => `exp_${String((made += 1)).padStart(32, "0")}`,
  });
  const entries = async () =>
    (await audit.log.read("acme", 0, 100)).entries.map(({ who, action, target, details }) => [
      who,
      action,
      target,
      details,
    ]);
  return { jobs, exports, sent, asked, world, entries, audit };
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: unknown) => (error instanceof RequestError ? error.code : String(error)),
  );

describe("the start of an export", () => {
  it("an export is queued with everything that its steps need, also the rights of the key", async () => {
    const { exports, jobs } = underTest();

    const job = await exports.start(caller, request, 0);

    expect(await jobs.read("acme", job.id)).toEqual(job);
    expect(job).toMatchObject({ ...request, state: "queued", keyId: caller.keyId, types: caller.types, rows: 0 });
  });

  it("the audit log has an export before it starts, and it does not start where the log fails", async () => {
    const { exports, entries, audit, sent } = underTest();
    const { id } = await exports.start(caller, request, 0);
    expect(await entries()).toEqual([[caller.keyId, "export.start", id, { ...request, to: undefined }]]);

    audit.outage();

    await expect(exports.start(caller, request, 0)).rejects.toThrow(AccessError);
    expect(sent).toHaveLength(1);
  });

  it("the message of the first step is sent before the job is written, so that no job waits for ever", async () => {
    const { exports, sent, jobs, world } = underTest();
    await exports.start(caller, request, 0);
    expect(sent).toMatchObject([{ jobWasThere: false, seconds: 1 }]);

    world.confirms = false;

    expect(await codeOf(exports.start(caller, request, 0))).toBe("queue_unavailable");
    expect((await jobs.list("acme", { after: undefined, limit: 9 })).items).toHaveLength(1);
  });

  it("a tenant has so many unfinished exports and no more; finished ones do not count", async () => {
    const { exports } = underTest();
    const ids: string[] = [];
    for (let i = 0; i < EXPORT_MAX_UNFINISHED; i++) ids.push((await exports.start(caller, request, 0)).id);

    expect(await codeOf(exports.start(caller, request, 0))).toBe("too_many_exports");
    await exports.cancel(caller, ids[0] ?? "");
    expect(await codeOf(exports.start(caller, request, 0))).toBe("no error");
  });
});

describe("the plan of an export", () => {
  it("a plan says how many events there are and shows some, within the rights of the key; nothing starts", async () => {
    const { exports, asked, sent, entries } = underTest();

    const plan = await exports.plan(caller, request, 0);

    expect(plan).toEqual({ rows: 2, relation: "exact", sample: ['{"id":"1"}', '{"id":"2"}'] });
    expect(asked).toMatchObject([
      { events: { tenant: "acme", filter: request.filter, allowed: { types: caller.types } }, sample: 5 },
    ]);
    expect([sent, await entries()]).toEqual([[], []]);
  });
});

describe("the end of an export by its tenant", () => {
  it("an export is cancelled once, in the audit log too", async () => {
    const { exports, entries } = underTest();
    const { id } = await exports.start(caller, request, 0);

    expect(await exports.cancel(caller, id)).toMatchObject({ state: "cancelled", finishedAt: NOW });
    expect(await exports.cancel(caller, id)).toMatchObject({ state: "cancelled" });
    expect((await entries()).map(([, action]) => action)).toEqual(["export.start", "export.cancel"]);
  });

  it("a cancellation that meets a step holds, whichever writes first", async () => {
    const { exports, jobs } = underTest();
    const { id } = await exports.start(caller, request, 0);
    const { replace } = jobs;
    let isFirst = true;
    jobs.replace = async (job) => {
      const found = await jobs.read("acme", id);
      if (isFirst && found !== undefined) {
        isFirst = false;
        await replace({ ...found, rows: 7 });
      }
      return replace(job);
    };

    expect(await exports.cancel(caller, id)).toMatchObject({ state: "cancelled", rows: 7 });
  });

  it.each(["done", "failed"] as const)("an export that is %s cannot be cancelled", async (state) => {
    const { exports, jobs, entries } = underTest();
    const job = jobSample({ state });
    await jobs.create(job);

    expect(await codeOf(exports.cancel(caller, job.id))).toBe("export_finished");
    expect(await entries()).toEqual([]);
  });

  it("the export of another tenant is as one that does not exist", async () => {
    const { exports, jobs } = underTest();
    const job = jobSample({ tenant: "other" });
    await jobs.create(job);

    expect(await codeOf(exports.read(caller, job.id))).toBe("no_such_export");
    expect(await codeOf(exports.cancel(caller, job.id))).toBe("no_such_export");
    expect((await exports.list(caller, { after: undefined, limit: 10 })).items).toEqual([]);
  });
});
