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

/**
 * The name of a part that has some of the events of another one: in its place in the order, and another one for other events, so that
 * whoever writes it late overwrites nothing.
 */
export const rewrittenName = (name: string, textSha256: string): string =>
  `part-${String(placeInOrder(name)).padStart(5, "0")}${BigInt(`0x${textSha256.slice(0, 12)}`)
    .toString()
    .padStart(15, "0")}.ndjson.gz`;

/** The number of a part as it was written first. */
export function placeInOrder(name: string): number {
  const digits = /^part-(\d+)\./.exec(name)?.[1] ?? "";
  return Number(digits.length > REWRITTEN_DIGITS ? digits.slice(0, -REWRITTEN_DIGITS) : digits);
}

/** 48 bits. */
const REWRITTEN_DIGITS = 15;

/** The generation of a file in a tenant's folder of a class and day; undefined for any other key. */
export function fileIn(prefix: string, key: string): { generation: number; name: string } | undefined {
  const [generation = "", name, ...more] = key.startsWith(prefix) ? key.slice(prefix.length).split("/") : [];
  return /^[1-9]\d{0,8}$/.test(generation) && name !== undefined && more.length === 0
    ? { generation: Number(generation), name }
    : undefined;
}

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
