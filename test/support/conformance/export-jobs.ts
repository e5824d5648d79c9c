import { describe, expect, it } from "vitest";
import type { ExportJob, ExportJobs, ExportStart } from "../../../functions/core/export-job.ts";
import { jobSample } from "../../unit/export/support.ts";

const idOf = (number: number): string => `exp_${String(number).padStart(32, "0")}`;

const startSample = (changes: Partial<ExportStart> = {}): ExportStart => ({
  tenant: "acme",
  id: "start_1",
  job: idOf(1),
  request: "hash",
  startedAt: "2026-11-29T10:00:00.000Z",
  ...changes,
});

/** The contract of every store of export jobs; `open` gives one that is empty. */
export function describeExportJobs(name: string, open: () => Promise<{ jobs: ExportJobs }>): void {
  describe(`the jobs of exports ${name}`, () => {
    it("a job is read as it was written, with everything in it", async () => {
      const { jobs } = await open();
      const whole: ExportJob = jobSample({
        state: "failed",
        filter: '{"data":{"n":[12345678901234567890]}}',
        from: "2026-11-01T00:00:00Z",
        to: "2026-11-02T00:00:00Z",
        select: ["id", "data.total"],
        types: ["com.example.*"],
        sources: [],
        finishedAt: "2026-11-29T10:00:00.000Z",
        horizon: "123",
        cursor: '["2026-11-29T10:00:00.000000Z","a","b"]',
        rows: 1,
        parts: [{ name: "part", rows: 1, bytes: 2, sha256: "ab" }],
        manifest: "manifest",
        leaseUntil: "2026-11-29T10:00:00.000Z",
        leaseBy: "m-1",
        reason: "refused",
        detail: "why",
      });

      expect(await jobs.create(whole)).toBe(true);

      expect(await jobs.read("acme", whole.id)).toEqual(whole);
      expect(await jobs.read("other", whole.id)).toBeUndefined();
    });

    it("a job is created once", async () => {
      const { jobs } = await open();
      await jobs.create(jobSample());

      expect(await jobs.create(jobSample({ format: "csv" }))).toBe(false);
      expect(await jobs.read("acme", jobSample().id)).toEqual(jobSample());
    });

    it("a job is replaced under the version that was read, and by nobody who read an older one", async () => {
      const { jobs } = await open();
      const first = jobSample();
      await jobs.create(first);

      const second = await jobs.replace({ ...first, rows: 1 });
      const late = await jobs.replace({ ...first, rows: 2 });

      expect(second).toMatchObject({ rows: 1, version: 2 });
      expect(late).toBeUndefined();
      expect(await jobs.read("acme", first.id)).toEqual(second);
    });

    it("one of many writers of one version succeeds", async () => {
      const { jobs } = await open();
      const job = jobSample();
      await jobs.create(job);

      const written = await Promise.all(Array.from({ length: 10 }, (_, rows) => jobs.replace({ ...job, rows })));

      expect(written.filter((each) => each !== undefined)).toHaveLength(1);
    });

    it("a member that a job no longer has is no longer there", async () => {
      const { jobs } = await open();
      const job = jobSample({ leaseBy: "m-1", cursor: "a" });
      await jobs.create(job);
      const { leaseBy: _by, cursor: _cursor, ...rest } = job;

      await jobs.replace(rest);

      expect(await jobs.read("acme", job.id)).toEqual({ ...rest, version: 2 });
    });

    it("a start is kept once under its id, of many at once too, and by each tenant", async () => {
      const { jobs } = await open();
      const starts = Array.from({ length: 10 }, (_, number) => startSample({ job: idOf(number) }));

      const kept = await Promise.all(starts.map((start) => jobs.keepStart(start)));
      const later = await jobs.keepStart(startSample({ job: idOf(11), request: "other" }));
      const other = startSample({ tenant: "other", job: idOf(12) });

      expect(starts).toContainEqual(later);
      expect(new Set(kept.map(({ job }) => job))).toEqual(new Set([later.job]));
      expect(await jobs.keepStart(other)).toEqual(other);
      expect((await jobs.list("acme", { after: undefined, limit: 3 })).items).toEqual([]);
    });

    it("a start is kept for 24 hours, and then another one takes its place", async () => {
      const { jobs } = await open();
      const first = startSample();
      await jobs.keepStart(first);

      const at = (startedAt: string) => jobs.keepStart(startSample({ job: idOf(2), startedAt }));

      expect(await at("2026-11-30T09:59:59.999Z")).toEqual(first);
      expect(await at("2026-11-30T10:00:00.000Z")).toMatchObject({ job: idOf(2) });
      expect(await at("2026-11-30T11:00:00.000Z")).toMatchObject({ startedAt: "2026-11-30T10:00:00.000Z" });
    });

    it("a tenant's jobs are listed latest first, in parts, without those of others and without their parts", async () => {
      const { jobs } = await open();
      for (const number of [1, 2, 3, 4]) {
        const part = { name: "part", rows: 1, bytes: 1, sha256: "" };
        await jobs.create(jobSample({ id: idOf(number), parts: [part] }));
      }
      await jobs.create(jobSample({ id: idOf(5), tenant: "other" }));

      const first = await jobs.list("acme", { after: undefined, limit: 3 });
      const rest = await jobs.list("acme", { after: first.next, limit: 3 });

      expect(first.items.map(({ id }) => id)).toEqual([4, 3, 2].map(idOf));
      expect(rest.items.map(({ id }) => id)).toEqual([1].map(idOf));
      expect(rest.next).toBeUndefined();
      expect(first.items[0]).toEqual(jobSample({ id: idOf(4) }));
    });
  });
}
