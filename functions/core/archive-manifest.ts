import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { archiveKey, MANIFEST_NAME, placeOf } from "./archive-keys.ts";
import { ARCHIVE_MANIFEST_MAX_BYTES } from "./archive-limits.ts";

/**
 * The files of the archive: for each retention class, day, tenant and generation some parts, and a manifest that is written
 * last. A reader believes a manifest and the parts that it names, and nothing else.
 */

/** A file of the archive that is not what it should be. The message names it. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
  readonly key: string;

  constructor(key: string, fault: string) {
    super(`${key} ${fault}`);
    this.key = key;
  }
}

const count = z.int().check(z.nonnegative());
const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
/** A number of a transaction; more digits than a double keeps. */
const number = z.string().check(z.regex(/^-?\d{1,19}$/));

const archivePart = z.strictObject({
  /** For example `part-00001.ndjson.gz`. */
  name: z.string().check(z.regex(/^part-\d{5,}\.ndjson\.gz$/)),
  /** Events in it, one a line. */
  rows: z.int().check(z.positive()),
  /** Its size, compressed. */
  bytes: z.int().check(z.positive()),
  sha256,
  /** The size of its lines. */
  textBytes: z.int().check(z.positive()),
  textSha256: sha256,
});

export type ArchivePart = z.output<typeof archivePart>;

const place = {
  /** The retention class, for example `30d`. */
  retention: z.string().check(z.regex(/^(?:[1-9]\d{0,4}d|keep)$/)),
  /** The UTC day of the receipt. */
  day: z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/)),
  tenant: z.string().check(z.minLength(1)),
  /** From 1 on. Events that were stored behind the archive of their day are in a later one. */
  generation: z.int().check(z.positive()),
};

const members = z.strictObject({
  version: z.literal(1),
  ...place,
  /** The database, and the number below which all transactions had ended: the events are those of these transactions. */
  incarnation: z.string(),
  horizon: number,
  archivedAt: z.iso.datetime(),
  rows: count,
  bytes: count,
  textBytes: count,
  /** The lowest and the highest number of a transaction of its events. */
  first: number,
  last: number,
  parts: z.array(archivePart),
  /** Events that erasures have taken out; missing where there are none. */
  erased: z.optional(z.int().check(z.positive())),
});

const manifest = z.strictObject({
  ...members.shape,
  /** Of the other members, as compact JSON in this order. */
  sha256,
});

export type ArchiveManifest = z.output<typeof members>;

/** The text of a manifest; the same for the same members. */
export function writeManifest(value: ArchiveManifest): string {
  const checked = members.parse(value);
  return `${JSON.stringify({ ...checked, sha256: hashOf(checked) }, undefined, 1)}\n`;
}

/**
 * Reads a manifest.
 * @throws ArchiveError where it is no manifest, was changed, or is not the one of its place
 */
export function readManifest(key: string, bytes: Uint8Array): ArchiveManifest {
  if (bytes.byteLength > ARCHIVE_MANIFEST_MAX_BYTES) throw new ArchiveError(key, "is larger than any manifest");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ArchiveError(key, "is not JSON, as a manifest is");
  }
  const read = manifest.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new ArchiveError(key, `is no manifest: ${issue?.path.join(".") || "it"} ${issue?.message}`);
  }
  const { sha256: given, ...found } = read.data;
  if (hashOf(found) !== given) throw new ArchiveError(key, "was changed: its SHA-256 is not that of its members");
  const known = placeOf(key);
  for (const name of ["retention", "day", "tenant", "generation"] as const) {
    if (known === undefined || known[name] !== found[name]) {
      throw new ArchiveError(key, `is the manifest of ${archiveKey(found, MANIFEST_NAME)}, so it was moved or renamed`);
    }
  }
  if (found.parts.length === 0 && found.erased === undefined)
    throw new ArchiveError(key, "is no manifest: it has no parts");
  for (const name of ["rows", "bytes", "textBytes"] as const) {
    const sum = found.parts.reduce((total, part) => total + part[name], 0);
    if (sum !== found[name]) throw new ArchiveError(key, `has parts with ${sum} ${name} and says ${found[name]}`);
  }
  return found;
}

function hashOf(value: ArchiveManifest): string {
  // In the order of the schema, whatever the order of the file.
  const ordered = Object.fromEntries(
    Object.keys(members.shape).map((name) => [name, value[name as keyof ArchiveManifest]]),
  );
  const parts = value.parts.map(({ name, rows, bytes, sha256: hash, textBytes, textSha256 }) => ({
    name,
    rows,
    bytes,
    sha256: hash,
    textBytes,
    textSha256,
  }));
  return sha256Of(JSON.stringify({ ...ordered, parts }));
}

export const sha256Of = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
