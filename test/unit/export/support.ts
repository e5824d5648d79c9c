import { gunzipSync } from "node:zlib";
import type { AccessReader, KeyRecord, TenantRecord } from "../../../functions/core/access.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { EventPages } from "../../../functions/core/event-pages.ts";
import type { ExportFiles, ExportJob, ExportJobs, ExportStep } from "../../../functions/core/export-job.ts";
import { FilesError, type ExportStart } from "../../../functions/core/export-job.ts";
import { IDEMPOTENCY_HOURS } from "../../../functions/core/idempotency.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { createWorkCheck } from "../../../functions/core/work-allowed.ts";
import { createExportStep } from "../../../functions/export/step.ts";

export const NOW = "2026-11-29T10:00:00.000Z";

/** Jobs in memory, with the contract of the table. */
export function memoryJobs(): ExportJobs {
  const jobs = new Map<string, ExportJob>();
  const starts = new Map<string, ExportStart>();
  const keyOf = ({ tenant, id }: ExportStep) => `${tenant}/${id}`;
  return {
    async create(job) {
      if (jobs.has(keyOf(job))) return false;
      jobs.set(keyOf(job), structuredClone(job));
      return true;
    },
    read: async (tenant, id) => structuredClone(jobs.get(keyOf({ tenant, id }))),
    async replace(job) {
      if (jobs.get(keyOf(job))?.version !== job.version) return undefined;
      const next = { ...job, version: job.version + 1 };
      jobs.set(keyOf(job), structuredClone(next));
      return next;
    },
    async keepStart(start) {
      const kept = starts.get(keyOf(start));
      const end = Date.parse(kept?.startedAt ?? "") + IDEMPOTENCY_HOURS * 3_600_000;
      if (kept !== undefined && end > Date.parse(start.startedAt)) return kept;
      starts.set(keyOf(start), start);
      return start;
    },
    async list(tenant, { after, limit }) {
      const all = [...jobs.values()]
        .filter((job) => job.tenant === tenant && (after === undefined || job.id < after))
        .toSorted((a, b) => (a.id < b.id ? 1 : -1));
      const items = all.slice(0, limit).map((job) => ({ ...structuredClone(job), parts: [] }));
      return { items, next: all.length > limit ? items.at(-1)?.id : undefined };
    },
  };
}

/** Files in memory, with the contract of the bucket. */
export function memoryFiles() {
  const stored = new Map<string, Buffer>();
  const unfinished = new Set<object>();
  const files: ExportFiles = {
    upload(key) {
      const pieces: Uint8Array[] = [];
      unfinished.add(pieces);
      return {
        write: async (bytes) => void pieces.push(Buffer.from(bytes)),
        complete: async () => {
          stored.set(key, Buffer.concat(pieces));
          unfinished.delete(pieces);
        },
        abort: async () => void unfinished.delete(pieces),
      };
    },
    link: async (key, seconds) => `https://files.example/${key}?expires=${seconds}`,
  };
  return { files, stored, unfinished };
}

/** Events in memory, by pages of at most `perPage`; the number of an event is its cursor. */
export function memoryPages(events: readonly string[], perPage = 10) {
  const pages: Pick<EventPages, "read"> = {
    async read({ horizon, after, limit }) {
      const set = Number(horizon ?? events.length);
      const start = Number(after ?? 0);
      const end = Math.min(start + Math.min(perPage, limit), set);
      return {
        events: events.slice(start, end),
        horizon: String(set),
        next: end < set ? String(end) : undefined,
        scanned: end - start,
      };
    },
  };
  return pages;
}

export const outage = () =>
  new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "it is down" });

/** A failure of the machine at a place: nothing behind it happens. */
export class Killed extends Error {}

export type Place = "read" | "upload" | "completing" | "complete" | "replace" | "replaced" | "send" | "sent";

const key: KeyRecord = {
  id: "keyOfExport0",
  hash: "",
  tenant: "acme",
  role: "reader",
  createdBy: "deployer",
  createdAt: NOW,
};
const tenant: TenantRecord = { tenant: "acme", state: "active", createdAt: NOW };

export function jobSample(changes: Partial<ExportJob> = {}): ExportJob {
  return {
    tenant: "acme",
    id: `exp_${"0".repeat(32)}`,
    state: "queued",
    format: "ndjson",
    keyId: key.id,
    createdAt: NOW,
    progressAt: NOW,
    rows: 0,
    scanned: 0,
    bytes: 0,
    parts: [],
    attempts: 0,
    version: 1,
    ...changes,
  };
}

/** The step over fakes, a clock that a test moves, and a queue that delivers by hand. */
export function stepUnderTest(
  pages: Pick<EventPages, "read">,
  { partBytes = 50_000, at = async () => undefined }: { partBytes?: number; at?: (place: Place) => Promise<void> } = {},
) {
  const jobs = memoryJobs();
  const { files, stored, unfinished } = memoryFiles();
  const sent: { step: ExportStep; seconds: number }[] = [];
  const access: { key: KeyRecord | undefined; tenant: TenantRecord | undefined } = { key: { ...key }, tenant };
  const reader: AccessReader = { key: async () => access.key, tenant: async () => access.tenant };
  let now = Date.parse(NOW);
  const clock = () => new Date(now);
  const world = { confirms: true };
  const run = createExportStep({
    jobs: {
      ...jobs,
      replace: async (job) => {
        await at("replace");
        const replaced = await jobs.replace(job);
        await at("replaced");
        return replaced;
      },
    },
    files: {
      ...files,
      upload: (name, type) => {
        const upload = files.upload(name, type);
        return {
          ...upload,
          write: async (bytes) => {
            await at("upload");
            await upload.write(bytes);
          },
          complete: async () => {
            await at("completing");
            await upload.complete();
            await at("complete");
          },
        };
      },
    },
    steps: {
      send: async (step, seconds) => {
        await at("send");
        if (!world.confirms) return false;
        sent.push({ step, seconds });
        await at("sent");
        return true;
      },
    },
    pages: {
      read: async (request, deadline) => {
        await at("read");
        return pages.read(request, deadline);
      },
    },
    whyEnded: createWorkCheck({ reader, clock }),
    clock,
    partBytes,
  });
  const message = (changes: Partial<ReceivedMessage> = {}): ReceivedMessage => ({
    messageId: "m-1",
    body: "",
    receiptHandle: "",
    receiveCount: 1,
    attempts: 1,
    replays: 0,
    deadLetterId: undefined,
    group: "acme",
    firstSentAt: now,
    ...changes,
  });
  return {
    jobs,
    stored,
    unfinished,
    sent,
    access,
    world,
    pass: (milliseconds: number) => void (now += milliseconds),
    step: (job: ExportStep, changes: Partial<ReceivedMessage> = {}, milliseconds = 60_000) =>
      run({ tenant: job.tenant, id: job.id }, message(changes), now + milliseconds),
    /** The lines of all parts of a job, in their order. */
    async lines(job: ExportJob): Promise<string[]> {
      const { parts = [] } = (await jobs.read(job.tenant, job.id)) ?? {};
      return parts.flatMap(({ name }) => {
        const bytes = stored.get(`exports/${job.tenant}/${job.id}/${name}`);
        return gunzipSync(bytes ?? Buffer.alloc(0))
          .toString("utf8")
          .split("\n")
          .slice(0, -1);
      });
    },
  };
}

export const filesOutage = () => new FilesError("S3 did not answer a call: TimeoutError.");
