import type { ArchiveFiles } from "./archive-files.ts";
import { ARCHIVE_FOLDER, archiveKey, archivePrefix, placeOf } from "./archive-keys.ts";
import { ArchiveError, type ArchiveManifest, type ArchivePart, readManifest, sha256Of } from "./archive-manifest.ts";
import { unpackPart } from "./archive-part.ts";
import { forEachConcurrently } from "./for-each-concurrently.ts";

/** A part of an archive; without a member, all of it. */
export type ArchiveScope = {
  tenant?: string | undefined;
  retention?: string | undefined;
  /** UTC days; both are in it. */
  from?: string | undefined;
  to?: string | undefined;
};

type Files = Pick<ArchiveFiles, "get" | "list">;

/** The keys of the manifests in a scope, in their order. A part without a manifest is none of the archive. */
export async function* listManifests(files: Pick<Files, "list">, scope: ArchiveScope = {}): AsyncGenerator<string> {
  const { tenant, retention, from = "", to = "9999-12-31" } = scope;
  for await (const key of files.list(retention === undefined ? ARCHIVE_FOLDER : `${ARCHIVE_FOLDER}${retention}/`)) {
    const place = placeOf(key);
    if (place === undefined || (tenant !== undefined && place.tenant !== tenant)) continue;
    if (place.day >= from && place.day <= to) yield key;
  }
}

/** The same of one tenant and some days, without a look at the files of others. */
export async function listTenant(
  files: Pick<Files, "list">,
  {
    tenant,
    classes,
    days,
    calls,
  }: { tenant: string; classes: readonly string[]; days: readonly string[]; calls: number },
): Promise<string[]> {
  const keys: string[] = [];
  const places = days.flatMap((day) => classes.map((retention) => ({ retention, day, tenant })));
  await forEachConcurrently(places, calls, async (place) => {
    for await (const key of files.list(archivePrefix(place))) if (placeOf(key) !== undefined) keys.push(key);
  });
  return keys.toSorted();
}

/**
 * Reads the manifest of a key.
 * @param sha256 of its file, where somebody knows it @throws ArchiveError; FilesError
 */
export async function findManifest(files: Pick<Files, "get">, key: string, sha256?: string): Promise<ArchiveManifest> {
  return (await openManifest(files, key, sha256)).manifest;
}

/** The same with the SHA-256 of its file. */
export async function openManifest(
  files: Pick<Files, "get">,
  key: string,
  sha256?: string,
): Promise<{ manifest: ArchiveManifest; sha256: string }> {
  if (placeOf(key) === undefined) {
    throw new ArchiveError(key, "is no key of a manifest, such as archive/30d/2026-11-29/acme/1/_manifest.json");
  }
  const bytes = await files.get(key);
  if (bytes === undefined) throw new ArchiveError(key, "is missing");
  const found = sha256Of(bytes);
  const manifest = readManifest(key, bytes);
  if (sha256 !== undefined && found !== sha256) {
    throw new ArchiveError(key, `was changed: it has the SHA-256 ${found}, and ${sha256} was written`);
  }
  return { manifest, sha256: found };
}

/** The events of a part as JSON texts, after all of it was compared with its manifest. @throws ArchiveError; FilesError */
export async function readPart(
  files: Pick<Files, "get">,
  manifest: ArchiveManifest,
  part: ArchivePart,
): Promise<string[]> {
  const key = archiveKey(manifest, part.name);
  return unpackPart(key, await files.get(key), part);
}
