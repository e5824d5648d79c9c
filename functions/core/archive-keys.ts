/** The keys of the archive's files. */

/** The place of a manifest and its parts. */
export type ArchivePlace = {
  /** The retention class, for example `30d`. */
  retention: string;
  /** The UTC day of the receipt. */
  day: string;
  tenant: string;
  /** From 1 on. */
  generation: number;
};

export const ARCHIVE_FOLDER = "archive/";
/**
 * Athena, Spark and Trino take no file for data whose name begins so.
 * @see https://docs.aws.amazon.com/athena/latest/ug/tables-location-format.html
 */
export const MANIFEST_NAME = "_manifest.json";

export const partNameOf = (number: number): string => `part-${String(number).padStart(5, "0")}.ndjson.gz`;

/** The key of a file, for example `archive/30d/2026-11-29/acme/1/_manifest.json`. */
export const archiveKey = ({ retention, day, tenant, generation }: ArchivePlace, name: string): string =>
  `${ARCHIVE_FOLDER}${retention}/${day}/${folderOf(tenant)}/${generation}/${name}`;

/** The beginning of the keys of a tenant's files of a class and day. */
export const archivePrefix = ({ retention, day, tenant }: Omit<ArchivePlace, "generation">): string =>
  `${ARCHIVE_FOLDER}${retention}/${day}/${folderOf(tenant)}/`;

/** A message of somebody else may name a tenant as no key is named: each name is one step of a path. */
const folderOf = (tenant: string): string => encodeURIComponent(tenant).replace(/^\./, "%2E");

/** The place that the key of a manifest names; undefined for any other key. */
export function placeOf(key: string): ArchivePlace | undefined {
  const [, retention = "", day = "", folder = "", generation] = MANIFEST_KEY.exec(key) ?? [];
  if (generation === undefined) return undefined;
  return { retention, day, tenant: decodeURIComponent(folder), generation: Number(generation) };
}

const MANIFEST_KEY =
  /^archive\/((?:[1-9]\d{0,4}d|keep))\/(\d{4}-\d\d-\d\d)\/((?:[^/%]|%[0-9A-F]{2})+)\/([1-9]\d{0,8})\/_manifest\.json$/;
