import type { ArchiveFiles } from "../../../functions/core/archive-files.ts";
import type { ArchiveJob, ArchiveSource, CountedPart } from "../../../functions/core/archive-job.ts";
import { archiveKey, type ArchivePlace, MANIFEST_NAME } from "../../../functions/core/archive-keys.ts";
import { type ArchivePart, writeManifest } from "../../../functions/core/archive-manifest.ts";
import { packPart } from "../../../functions/core/archive-part.ts";

export const PLACE: ArchivePlace = { retention: "30d", day: "2026-11-01", tenant: "acme", generation: 1 };

/** An archive in memory, with the contract of the bucket. */
export function memoryArchive() {
  const stored = new Map<string, Uint8Array>();
  const files: ArchiveFiles = {
    put: async (key, bytes) => void stored.set(key, Uint8Array.from(bytes)),
    get: async (key) => stored.get(key),
    async *list(prefix) {
      for (const key of [...stored.keys()].toSorted()) if (key.startsWith(prefix)) yield key;
    },
    async *folders(folder) {
      const inside = [...stored.keys()].filter((key) => key.startsWith(folder)).map((key) => key.slice(folder.length));
      yield* new Set(
        inside
          .filter((key) => key.includes("/"))
          .map((key) => `${folder}${key.split("/")[0]}/`)
          .toSorted(),
      );
    },
    delete: async (key) => void stored.delete(key),
  };
  return { files, stored };
}

export const lineOf = (id: string, { tenant = "acme", data = { n: 1 } }: { tenant?: string; data?: unknown } = {}) =>
  JSON.stringify({
    specversion: "1.0",
    id,
    source: "/s",
    type: "com.example.sample",
    time: "2026-11-01T09:29:59.123Z",
    tenant,
    receivedat: "2026-11-01T09:30:00.000Z",
    data,
    storedat: "2026-11-01T09:30:01.123456Z",
  });

/** Writes parts and their manifest as a step does. */
export async function writeArchive(files: ArchiveFiles, parts: string[][], place = PLACE): Promise<string> {
  const written: ArchivePart[] = [];
  for (const [index, lines] of parts.entries()) {
    const name = `part-${String(index + 1).padStart(5, "0")}.ndjson.gz`;
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    const { part, bytes } = await packPart(name, text, lines.length);
    await files.put(archiveKey(place, name), bytes, "application/gzip");
    written.push(part);
  }
  const sum = (member: "rows" | "bytes" | "textBytes") => written.reduce((total, part) => total + part[member], 0);
  const key = archiveKey(place, MANIFEST_NAME);
  const text = writeManifest({
    version: 1,
    ...place,
    incarnation: "01978d5c-0f3a-7c0c-8f1d-2b3a4c5d6e7f",
    horizon: "1000",
    archivedAt: "2026-12-01T00:00:00.000Z",
    rows: sum("rows"),
    bytes: sum("bytes"),
    textBytes: sum("textBytes"),
    first: "1",
    last: "999",
    parts: written,
  });
  await files.put(key, Buffer.from(text), "application/json");
  return key;
}

/** A day in memory: the lines of each tenant with the numbers of their transactions, and the horizon. */
export type MemoryDay = { rows: { tenant: string; id: string; number: number }[]; horizon: number };

/** The generations of one day in memory, with the contract of the table; pages of at most `perPage` rows. */
export function memorySource(day: MemoryDay, perPage = 3) {
  const jobs: { job: ArchiveJob; from: number; isFinished: boolean }[] = [];
  const parts: (CountedPart & { tenant: string })[] = [];
  const manifests: { tenant: string; sha256: string; rows: number }[] = [];

  function change(of: ArchiveJob, changes: (job: ArchiveJob) => Partial<ArchiveJob>): ArchiveJob | undefined {
    const entry = jobs.find(({ job }) => job.generation === of.generation);
    if (entry === undefined || entry.isFinished || entry.job.version !== of.version) return undefined;
    entry.job = { ...entry.job, ...changes(entry.job), version: entry.job.version + 1 };
    entry.job.parts = parts.filter(({ tenant }) => tenant === entry.job.tenant).length;
    return structuredClone(entry.job);
  }

  const source: ArchiveSource = {
    async open({ retention, day: name, isDetached }) {
      const last = jobs.at(-1);
      if (last !== undefined && !last.isFinished) return structuredClone(last.job);
      const from = Number(last?.job.horizon ?? 0);
      const until = isDetached ? 1 + Math.max(...day.rows.map(({ number }) => number)) : day.horizon;
      if (!day.rows.some(({ number }) => number >= from && number < until)) return undefined;
      const job = {
        retention,
        day: name,
        generation: jobs.length + 1,
        horizon: String(until),
        incarnation: "memory",
        openedAt: "2026-12-01T00:00:00.000Z",
        tenant: undefined,
        isTenantRead: false,
        parts: 0,
        after: undefined,
        tenants: 0,
        rows: 0,
        bytes: 0,
        textBytes: 0,
        version: 1,
      };
      jobs.push({ job, from, isFinished: false });
      return structuredClone(job);
    },

    async readPage(job, { tenant, isTenantRead, after }) {
      const from = jobs[job.generation - 1]?.from ?? 0;
      const all = day.rows
        .filter(({ number }) => number >= from && number < Number(job.horizon))
        .toSorted((a, b) => (a.tenant + a.id < b.tenant + b.id ? -1 : 1));
      const isNext = tenant === undefined || isTenantRead;
      const of = isNext ? all.find((row) => tenant === undefined || row.tenant > tenant)?.tenant : tenant;
      const rest = all.filter((row) => row.tenant === of && (isNext || after === undefined || row.id > after[1]));
      const page = rest.slice(0, perPage);
      const numbers = page.map(({ number }) => number);
      return {
        tenant: of,
        text: page.map((row) => `${lineOf(row.id, { tenant: row.tenant })}\n`).join(""),
        rows: page.length,
        first: String(Math.min(...numbers, Infinity)),
        last: String(Math.max(...numbers, 0)),
        next: rest.length > perPage ? ["2026-11-01", page.at(-1)?.id ?? "", "/s"] : undefined,
      };
    },

    async countPart(job, { tenant, part, next }) {
      const current = jobs.find((each) => each.job.generation === job.generation)?.job;
      if (current?.version !== job.version) return undefined;
      if (part !== undefined) parts.push({ ...part, tenant });
      return change(job, ({ rows, bytes, textBytes }) => ({
        tenant,
        isTenantRead: next === undefined,
        after: next,
        rows: rows + (part?.part.rows ?? 0),
        bytes: bytes + (part?.part.bytes ?? 0),
        textBytes: textBytes + (part?.part.textBytes ?? 0),
      }));
    },

    readParts: async (job) => parts.filter(({ tenant }) => tenant === job.tenant),

    async finishTenant(job, { sha256, rows }) {
      const found = jobs.find((each) => each.job.generation === job.generation)?.job;
      if (found?.version !== job.version) return undefined;
      manifests.push({ tenant: job.tenant ?? "", sha256, rows });
      for (let at = parts.length - 1; at >= 0; at -= 1) if (parts[at]?.tenant === job.tenant) parts.splice(at, 1);
      return change(job, ({ tenants }) => ({ tenants: tenants + 1 }));
    },

    async finish(job) {
      const changed = change(job, () => ({}));
      const entry = jobs.find((each) => each.job.generation === job.generation);
      if (changed !== undefined && entry !== undefined) entry.isFinished = true;
      return changed;
    },
  };
  return { source, jobs, manifests };
}
