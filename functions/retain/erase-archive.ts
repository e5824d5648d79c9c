import type { ArchiveFiles } from "../core/archive-files.ts";
import {
  ARCHIVE_FOLDER,
  archiveKey,
  archivePrefix,
  fileIn,
  MANIFEST_NAME,
  placeInOrder,
  rewrittenName,
} from "../core/archive-keys.ts";
import {
  ArchiveError,
  type ArchiveManifest,
  type ArchivePart,
  sha256Of,
  writeManifest,
} from "../core/archive-manifest.ts";
import { packPart, unpackPart } from "../core/archive-part.ts";
import type { ArchiveRewrites, MovedRestore, RestoreAt, RewrittenManifest } from "../core/archive-rewrite.ts";
import { ERASURE_MATCH_MAX_EVENTS, type ErasureMatch, type ErasureScope } from "../core/erasure-objects.ts";
import { FilesError } from "../core/export-job.ts";
import { openManifest, readPart } from "../core/read-archive.ts";
import { RETENTION_DAYS, RETENTIONS, type Retention } from "../core/retention.ts";

export type EraseArchiveDeps = {
  files: ArchiveFiles;
  rewrites: ArchiveRewrites;
};

/** The place to go on at: a class and day, and in it behind the part of a generation. */
export type ArchiveCursor = { retention: string; day: string; generation?: number; part?: number };

/** More than any generation. */
const BEHIND_ALL = 1_000_000_000;

const isOver = ({ day, generation }: ArchiveCursor, of: string): boolean => of === day && generation === BEHIND_ALL;

type Budget = { stopAt: number; deadline: number; now: () => number };

type Page = { parts: number; cursor: ArchiveCursor | undefined };

/** A part in a page of a manifest: without events where it is as it was, and without `part` where nothing of it is left. */
type Rewritten = { part: ArchivePart | undefined; removed: number[] };

/**
 * Takes erased events out of the archive of a tenant. A part with some of them is written again under another name, and read back;
 * then the manifest, in one write; then files are deleted that no manifest names. So whatever ends it, each manifest names parts
 * that are as it says, and what is left over is deleted by the next call.
 */
export function createEraseArchive({ files, rewrites }: EraseArchiveDeps) {
  return {
    /** The manifests of the tenant in the days of the scope. @throws FilesError */
    async count(scope: ErasureScope): Promise<number> {
      let count = 0;
      for await (const { prefix } of days(scope))
        for await (const key of files.list(prefix)) if (key.endsWith(`/${MANIFEST_NAME}`)) count += 1;
      return count;
    },

    /**
     * Rewrites some parts; at least one day or part is done.
     * @throws FilesError, also while events may be on their way into the archive or a restore reads it; ArchiveError that names a
     * file which is not what was written; DatabaseError; what `isErased` throws
     */
    async erase(
      scope: ErasureScope,
      isErased: ErasureMatch,
      from: ArchiveCursor | undefined,
      budget: Budget,
    ): Promise<Page> {
      if (from === undefined) await refuseUnderWay(scope, budget.deadline);
      let parts = 0;
      for await (const { retention, day, prefix } of days(scope, from)) {
        const isFirst = from !== undefined && from.retention === retention && from.day === day;
        const page = await eraseDay(
          { retention, day, prefix },
          { scope, isErased, budget, from: isFirst ? from : undefined },
        );
        parts += page.parts;
        if (page.cursor !== undefined) return { parts, cursor: page.cursor };
        if (budget.now() >= budget.stopAt) return { parts, cursor: { retention, day, generation: BEHIND_ALL } };
      }
      return { parts, cursor: undefined };
    },
  };

  /** The folders of the tenant that may hold an event, from a place on. */
  async function* days({ tenant }: ErasureScope, from?: ArchiveCursor) {
    for (const retention of RETENTIONS.toSorted()) {
      if (from !== undefined && retention < from.retention) continue;
      for await (const folder of files.folders(`${ARCHIVE_FOLDER}${retention}/`)) {
        const day = folder.split("/").at(-2) ?? "";
        if (from !== undefined && retention === from.retention && (day < from.day || isOver(from, day))) continue;
        yield { retention, day, prefix: archivePrefix({ retention, day, tenant }) };
      }
    }
  }

  async function refuseUnderWay({ tenant }: ErasureScope, deadline: number): Promise<void> {
    if (await rewrites.isUnderWay(tenant, deadline))
      throw new FilesError("A day of the tenant is being archived. The erasure goes on when its files are written.");
  }

  type Work = { scope: ErasureScope; isErased: ErasureMatch; budget: Budget; from: ArchiveCursor | undefined };

  async function eraseDay(
    { retention, day, prefix }: { retention: Retention; day: string; prefix: string },
    { scope, isErased, budget, from }: Work,
  ): Promise<Page> {
    const keys: string[] = [];
    for await (const key of files.list(prefix)) keys.push(key);
    const byGeneration = Map.groupBy(keys, (key) => fileIn(prefix, key)?.generation);
    let parts = 0;
    for (const [generation, ofGeneration] of [...byGeneration].toSorted(([a = 0], [b = 0]) => a - b)) {
      if (generation === undefined || (from?.generation !== undefined && generation < from.generation)) continue;
      const manifest: RewrittenManifest = {
        key: archiveKey({ retention, day, tenant: scope.tenant, generation }, MANIFEST_NAME),
        tenant: scope.tenant,
        day,
        retention: RETENTION_DAYS[retention],
        generation,
      };
      const behind = from?.generation === generation ? (from.part ?? 0) : 0;
      if (!ofGeneration.includes(manifest.key)) {
        await deleteParts(ofGeneration, manifest, budget.deadline);
        continue;
      }
      const page = await eraseManifest(manifest, { scope, isErased, budget, behind });
      parts += page.parts;
      await deleteUnnamed(prefix, manifest, page.named);
      if (page.next !== undefined) return { parts, cursor: { retention, day, generation, part: page.next } };
    }
    return { parts, cursor: undefined };
  }

  /** Files of a tenant without a manifest are none of the archive, unless a step writes them now. */
  async function deleteParts(keys: string[], { retention, day, generation }: RewrittenManifest, deadline: number) {
    if ((await rewrites.unfinished(retention, day, deadline)).includes(generation)) return;
    for (const key of keys) await files.delete(key);
  }

  async function deleteUnnamed(prefix: string, { generation }: RewrittenManifest, named: ReadonlySet<string>) {
    for await (const key of files.list(`${prefix}${generation}/`)) {
      const name = fileIn(prefix, key)?.name ?? MANIFEST_NAME;
      if (name !== MANIFEST_NAME && !named.has(name)) await files.delete(key);
    }
  }

  /** Rewrites the parts of a manifest behind one, as far as the time goes, and the manifest where one of them has changed. */
  async function eraseManifest(
    of: RewrittenManifest,
    { scope, isErased, budget, behind }: Omit<Work, "from"> & { behind: number },
  ): Promise<{ parts: number; named: Set<string>; next: number | undefined }> {
    const { deadline } = budget;
    const { manifest, sha256 } = await readCurrent(of, scope.erasureId, deadline);
    const rewritten: Rewritten[] = manifest.parts.map((part) => ({ part, removed: [] }));
    let next: number | undefined;
    let changed = 0;
    for (const [at, part] of manifest.parts.entries()) {
      const place = placeInOrder(part.name);
      if (place <= behind) continue;
      const found = await rewritePart(manifest, part, isErased, deadline);
      if (found !== undefined) {
        rewritten[at] = found;
        changed += 1;
      }
      if (budget.now() >= budget.stopAt && at + 1 < manifest.parts.length) {
        next = place;
        break;
      }
    }
    const parts = rewritten.flatMap(({ part }) => part ?? []);
    if (changed > 0) await writeAgain(of, { manifest, sha256, rewritten, parts }, scope.erasureId, deadline);
    return { parts: changed, named: new Set(parts.map(({ name }) => name)), next };
  }

  /** The manifest as it is, after the rewrite of it that was begun before is ended. */
  async function readCurrent(
    of: RewrittenManifest,
    erasureId: string,
    deadline: number,
  ): Promise<{ manifest: ArchiveManifest; sha256: string }> {
    let { known, pending } = await rewrites.read(of, deadline);
    if (pending !== undefined) {
      const bytes = await files.get(of.key);
      const found = bytes && sha256Of(bytes);
      if (found === pending.sha256) {
        await rewrites.finish(of, pending.sha256, deadline);
        known = pending.sha256;
      } else if (pending.erasureId !== erasureId && !pending.isStale) {
        throw new FilesError(`Another erasure writes ${of.key}. This one goes on behind it.`);
      } else {
        // It was not written, and restores need not wait for it any more should the erasure end here.
        await rewrites.begin(of, { erasureId, previous: pending.previous }, deadline);
      }
    }
    return openManifest(files, of.key, known);
  }

  /** Undefined where no event of the part is erased. */
  async function rewritePart(
    manifest: ArchiveManifest,
    part: ArchivePart,
    isErased: ErasureMatch,
    deadline: number,
  ): Promise<Rewritten | undefined> {
    const lines = await readPart(files, manifest, part);
    const removed: number[] = [];
    for (let start = 0; start < lines.length; start += ERASURE_MATCH_MAX_EVENTS) {
      const events = lines.slice(start, start + ERASURE_MATCH_MAX_EVENTS).map((json) => ({ ...keyOf(json), json }));
      const erased = await isErased("archive", events, deadline);
      erased.forEach((is, index) => is && removed.push(start + index));
    }
    if (removed.length === 0) return undefined;
    const without = new Set(removed);
    const kept = lines.filter((_line, index) => !without.has(index));
    if (kept.length === 0) return { part: undefined, removed };
    const text = Buffer.from(kept.map((line) => `${line}\n`).join(""));
    const name = rewrittenName(part.name, sha256Of(text));
    const packed = await packPart(name, text, kept.length);
    const key = archiveKey(manifest, name);
    await files.put(key, packed.bytes, "application/gzip");
    await unpackPart(key, await files.get(key), packed.part);
    return { part: packed.part, removed };
  }

  async function writeAgain(
    of: RewrittenManifest,
    {
      manifest,
      sha256,
      rewritten,
      parts,
    }: { manifest: ArchiveManifest; sha256: string; rewritten: Rewritten[]; parts: ArchivePart[] },
    erasureId: string,
    deadline: number,
  ): Promise<void> {
    const begun = await rewrites.begin(of, { erasureId, previous: sha256 }, deadline);
    if (begun.kind === "busy") throw new FilesError(`A restore reads ${of.key}. The erasure goes on behind its step.`);
    if (begun.kind === "changed") throw new FilesError(`Another erasure writes ${of.key}. This one goes on behind it.`);
    const erased = rewritten.reduce((sum, { removed }) => sum + removed.length, manifest.erased ?? 0);
    const sums = { rows: sum(parts, "rows"), bytes: sum(parts, "bytes"), textBytes: sum(parts, "textBytes") };
    const text = writeManifest({ ...manifest, ...sums, parts, erased });
    const written = sha256Of(text);
    const restores = begun.restores.map((restore) => moveRestore(restore, rewritten));
    const intended = { erasureId, sha256: written, ...sums, parts: parts.length, restores };
    if (!(await rewrites.intend(of, intended, deadline)))
      throw new FilesError(`Another erasure writes ${of.key}, or a hold was made meanwhile. This one begins it again.`);
    await files.put(of.key, Buffer.from(text), "application/json");
    const back = await files.get(of.key);
    if (back === undefined || sha256Of(back) !== written)
      throw new ArchiveError(of.key, "does not come back as it was written");
    await rewrites.finish(of, written, deadline);
  }
}

/** The place behind the same events in the parts as they are now. */
export function moveRestore({ id, partAt, lineAt }: RestoreAt, rewritten: readonly Rewritten[]): MovedRestore {
  const before = rewritten.slice(0, partAt).filter(({ part }) => part !== undefined).length;
  const total = rewritten.filter(({ part }) => part !== undefined).length;
  const { part, removed } = rewritten[partAt] ?? { part: undefined, removed: [] };
  const line = lineAt - removed.filter((index) => index < lineAt).length;
  const isBehind = part !== undefined && line >= part.rows;
  const to = { partAt: before + (isBehind ? 1 : 0), lineAt: part === undefined || isBehind ? 0 : line };
  // Without any part left the step itself goes on with the next manifest.
  return to.partAt >= total && total > 0
    ? { id, manifestsFurther: 1, partAt: 0, lineAt: 0 }
    : { id, manifestsFurther: 0, ...to };
}

function keyOf(json: string): { source: string; id: string } {
  const { source, id } = JSON.parse(json) as { source: string; id: string };
  return { source, id };
}

const sum = (parts: readonly ArchivePart[], name: "rows" | "bytes" | "textBytes"): number =>
  parts.reduce((total, part) => total + part[name], 0);
