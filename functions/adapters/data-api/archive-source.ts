import { ARCHIVE_PAGE_MAX_BYTES } from "../../core/archive-limits.ts";
import type { ArchiveJob, ArchivePosition, ArchiveSource, CountedPart } from "../../core/archive-job.ts";
import type { ArchivePart } from "../../core/archive-manifest.ts";
import { RESULT_PIECE_CHARACTERS } from "../../core/database-limits.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import { exchangeQuotes } from "./exchange-quotes.ts";

/** The archive of days in PostgreSQL, as the owner; the functions are documented in functions/sql/0012_archive.sql. */
export function createArchiveSource(database: Pick<SqlDatabase, "execute">): ArchiveSource {
  const change = async (call: string, parameters: Record<string, string | null>, deadline: number) => {
    const { rows } = await database.execute(`select ${call}`, parameters, deadline);
    const json = rows[0]?.[0];
    return typeof json === "string" ? toJob(json) : undefined;
  };

  return {
    open: ({ retention, day, isDetached }, deadline) =>
      change(
        "open_archive(cast(:retention as integer), cast(:day as date), cast(:is_detached as boolean))",
        { retention: String(retention), day, is_detached: String(isDetached) },
        deadline,
      ),

    async readPage(job, { tenant = null, isTenantRead, after }, deadline) {
      const parameters = { ...keyOf(job), tenant, is_read: String(isTenantRead), ...toParameters(after) };
      const { rows } = await database.execute(PAGE, parameters, deadline);
      const facts = JSON.parse(String(rows.at(-1)?.[0])) as PageFacts;
      const text = rows.slice(0, -1).map(([piece]) => exchangeQuotes(String(piece)));
      return {
        tenant: facts.tenant ?? undefined,
        text: text.join(""),
        rows: facts.rows,
        first: facts.first ?? "0",
        last: facts.last ?? "0",
        next: facts.next ?? undefined,
      };
    },

    countPart: (job, { tenant, part, next }, deadline) =>
      change(
        COUNT,
        {
          ...versionOf(job),
          tenant,
          part: part === undefined ? null : JSON.stringify(part.part),
          first: part?.first ?? null,
          last: part?.last ?? null,
          ...toParameters(next),
        },
        deadline,
      ),

    async readParts(job, deadline) {
      const parts: CountedPart[] = [];
      for (;;) {
        const parameters = { ...keyOf(job), tenant: job.tenant ?? null, after: String(parts.length) };
        const { rows } = await database.execute(PARTS, parameters, deadline);
        for (const [, part, first, last] of rows) {
          parts.push({ part: JSON.parse(String(part)) as ArchivePart, first: String(first), last: String(last) });
        }
        if (rows.length < PARTS_AT_ONCE) return parts;
      }
    },

    finishTenant: (job, { sha256, ...facts }, deadline) =>
      change(
        `finish_archive_tenant(${KEY}, cast(:version as integer), :sha256, cast(:facts as jsonb))`,
        { ...versionOf(job), sha256, facts: JSON.stringify(facts) },
        deadline,
      ),

    finish: (job, deadline) => change(`finish_archive(${KEY}, cast(:version as integer))`, versionOf(job), deadline),
  };
}

type PageFacts = {
  tenant: string | null;
  rows: number;
  first: string | null;
  last: string | null;
  next: ArchivePosition | null;
};

const KEY = "cast(:retention as integer), cast(:day as date), cast(:generation as integer)";
const POSITION = "cast(:after_received_at as timestamptz), :after_id, :after_source";
const PAGE = `select piece from archive_page(
    ${KEY}, :tenant, cast(:is_read as boolean), ${POSITION}, ${ARCHIVE_PAGE_MAX_BYTES}, ${RESULT_PIECE_CHARACTERS}
  )`;
const COUNT = `count_archive_part(
    ${KEY}, cast(:version as integer), :tenant, cast(:part as jsonb), cast(:first as bigint), cast(:last as bigint), ${POSITION}
  )`;

/** Some 300 bytes each. */
const PARTS_AT_ONCE = 1_000;
const PARTS = `select number, part, first_number, last_number
  from read_archive_parts(${KEY}, :tenant, cast(:after as integer), ${PARTS_AT_ONCE})`;

const keyOf = ({ retention, day, generation }: ArchiveJob) => ({
  retention: String(retention),
  day,
  generation: String(generation),
});

const versionOf = (job: ArchiveJob) => ({ ...keyOf(job), version: String(job.version) });

const toParameters = ([receivedAt, id, source]: ArchivePosition | [] = []) => ({
  after_received_at: receivedAt ?? null,
  after_id: id ?? null,
  after_source: source ?? null,
});

type Row = { [Name in keyof ArchiveJob]: ArchiveJob[Name] | (undefined extends ArchiveJob[Name] ? null : never) };

function toJob(json: string): ArchiveJob {
  const { tenant, after, ...job } = JSON.parse(json) as Row;
  return { ...job, tenant: tenant ?? undefined, after: after ?? undefined };
}
