import type { ArchiveFiles } from "../core/archive-files.ts";
import type {
  ArchivedDay,
  ArchiveFrom,
  ArchiveJob,
  ArchivePage,
  ArchiveSource,
  CountedPart,
} from "../core/archive-job.ts";
import { ARCHIVE_PART_MAX_BYTES } from "../core/archive-limits.ts";
import { archiveKey, type ArchivePlace, MANIFEST_NAME, partNameOf } from "../core/archive-keys.ts";
import { ArchiveError, sha256Of, writeManifest } from "../core/archive-manifest.ts";
import { packPart, unpackPart } from "../core/archive-part.ts";
import type { Clock } from "../core/ports.ts";
import { retentionName } from "../core/retention.ts";

export type ArchiveDeps = {
  source: ArchiveSource;
  files: Pick<ArchiveFiles, "put" | "get">;
  clock: Clock;
  /** The text from which a part is full. @default ARCHIVE_PART_MAX_BYTES */
  partBytes?: number;
};

/** `superseded`: another step goes on with the same day. */
export type ArchiveOutcome =
  | { kind: "archived" }
  | { kind: "unfinished"; rows: number; bytes: number }
  | { kind: "superseded" };

/**
 * Archives the events of a day that are in no generation yet: part by part, and the manifest of each tenant behind its parts. A
 * part is counted after it was read back and found equal, so whatever ends a step leaves whole parts, of which the next one
 * writes at most the last again, with the same bytes under the same name.
 */
export function createArchiveStep({ source, files, clock, partBytes = ARCHIVE_PART_MAX_BYTES }: ArchiveDeps) {
  /**
   * @param stopAt no part begins later @param deadline of the calls
   * @throws DatabaseError; FilesError; ArchiveError where the store of files does not give back what was written
   */
  return async function archive(
    day: ArchivedDay,
    { stopAt, deadline }: { stopAt: number; deadline: number },
  ): Promise<ArchiveOutcome> {
    const opened = await source.open(day, deadline);
    if (opened === undefined) return { kind: "archived" };
    let job: ArchiveJob | undefined = opened;
    while (clock().getTime() < stopAt) {
      const next: ArchiveJob | "finished" | undefined = await advance(job, deadline);
      if (next === undefined) return { kind: "superseded" };
      // Events that were stored since it was opened are in the next generation.
      if (next === "finished") return archive(day, { stopAt, deadline });
      job = next;
    }
    return { kind: "unfinished", rows: job.rows, bytes: job.bytes };
  };

  async function advance(job: ArchiveJob, deadline: number): Promise<ArchiveJob | "finished" | undefined> {
    if (job.isTenantRead && job.parts > 0) return writeTenant(job, deadline);
    const { tenant, pages } = await readPages(job, deadline);
    if (tenant === undefined) return (await source.finish(job, deadline)) && "finished";
    const part = pages.rows === 0 ? undefined : await writePart(job, tenant, pages);
    return source.countPart(job, { tenant, part, next: pages.next }, deadline);
  }

  /** The pages of one part, of one tenant. */
  async function readPages(job: ArchiveJob, deadline: number) {
    const texts: Buffer[] = [];
    let bytes = 0;
    let from: ArchiveFrom = job;
    const pages: ArchivePage[] = [];
    for (;;) {
      const page = await source.readPage(job, from, deadline);
      if (page.rows > 0) {
        const text = Buffer.from(page.text);
        texts.push(text);
        bytes += text.byteLength;
        pages.push({ ...page, text: "" });
      }
      const { tenant, next } = page;
      if (next === undefined || bytes >= partBytes) {
        const rows = sum(pages, "rows");
        const bounds = { first: least(pages.map(({ first }) => first)), last: greatest(pages.map(({ last }) => last)) };
        return { tenant, pages: { text: Buffer.concat(texts), rows, ...bounds, next } };
      }
      from = { tenant, isTenantRead: false, after: next };
    }
  }

  async function writePart(
    job: ArchiveJob,
    tenant: string,
    { rows, text, first, last }: { rows: number; text: Uint8Array; first: string; last: string },
  ): Promise<CountedPart> {
    // The parts of the job are those of the tenant before, where this is the first of another one.
    const number = job.tenant === tenant && !job.isTenantRead ? job.parts + 1 : 1;
    const { part, bytes } = await packPart(partNameOf(number), text, rows);
    const key = archiveKey(placeOfJob(job, tenant), part.name);
    await files.put(key, bytes, "application/gzip");
    await unpackPart(key, await files.get(key), part);
    return { part, first, last };
  }

  /** Writes the manifest of the tenant whose parts are all counted. */
  async function writeTenant(job: ArchiveJob, deadline: number): Promise<ArchiveJob | undefined> {
    const counted = await source.readParts(job, deadline);
    const parts = counted.map(({ part }) => part);
    const place = placeOfJob(job, job.tenant ?? "");
    const sums = { rows: sum(parts, "rows"), bytes: sum(parts, "bytes"), textBytes: sum(parts, "textBytes") };
    const text = writeManifest({
      version: 1,
      ...place,
      incarnation: job.incarnation,
      horizon: job.horizon,
      archivedAt: job.openedAt,
      ...sums,
      first: least(counted.map(({ first }) => first)),
      last: greatest(counted.map(({ last }) => last)),
      parts,
    });
    const key = archiveKey(place, MANIFEST_NAME);
    const sha256 = sha256Of(text);
    await files.put(key, Buffer.from(text), "application/json");
    const kept = await files.get(key);
    if (kept === undefined || sha256Of(kept) !== sha256)
      throw new ArchiveError(key, "does not come back as it was written");
    return source.finishTenant(job, { sha256, ...sums, parts: parts.length }, deadline);
  }
}

const placeOfJob = ({ retention, day, generation }: ArchiveJob, tenant: string): ArchivePlace => ({
  retention: retentionName(retention),
  day,
  tenant,
  generation,
});

/** Numbers have more digits than a double keeps. */
const least = (numbers: readonly string[]): string =>
  numbers.reduce((a, b) => (BigInt(a) <= BigInt(b) ? a : b), numbers[0] ?? "0");
const greatest = (numbers: readonly string[]): string =>
  numbers.reduce((a, b) => (BigInt(a) >= BigInt(b) ? a : b), numbers[0] ?? "0");

const sum = <Name extends string>(all: readonly Record<Name, number>[], name: Name): number =>
  all.reduce((total, each) => total + each[name], 0);
