import type { ArchiveRewrites, RestoreAt, RewrittenManifest } from "../../core/archive-rewrite.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import { failpoint } from "../lambda/failpoint.ts";

/** The rewrites of archives in PostgreSQL, as the owner; the functions are documented in functions/sql/0015_archive_rewrites.sql. */
export function createArchiveRewrites(database: Pick<SqlDatabase, "execute">): ArchiveRewrites {
  const first = async (sql: string, parameters: Record<string, string | null>, deadline: number) =>
    (await database.execute(`select ${sql}`, parameters, deadline)).rows[0]?.[0];

  return {
    isUnderWay: async (tenant, deadline) =>
      (await first("is_archive_under_way(:tenant)", { tenant }, deadline)) === true,

    async unfinished(retention, day, deadline) {
      const { rows } = await database.execute(UNFINISHED, { retention: String(retention), day }, deadline);
      return rows.map(([generation]) => Number(generation));
    },

    async read(manifest, deadline) {
      const { known, pending } = JSON.parse(
        String(await first(`read_archive_rewrite(${KEY})`, keyOf(manifest), deadline)),
      ) as {
        known: string | null;
        pending: Exclude<Awaited<ReturnType<ArchiveRewrites["read"]>>["pending"], undefined> | null;
      };
      return { known: known ?? undefined, pending: pending ?? undefined };
    },

    async begin(manifest, { erasureId, previous }, deadline) {
      const parameters = { ...keyOf(manifest), key: manifest.key, erasure: erasureId, previous };
      const answer = JSON.parse(
        String(await first(`begin_archive_rewrite(${KEY}, :key, :erasure, :previous)`, parameters, deadline)),
      ) as "busy" | "changed" | [string, number, number][];
      if (typeof answer === "string") return { kind: answer };
      return { kind: "begun", restores: answer.map(([id, partAt, lineAt]): RestoreAt => ({ id, partAt, lineAt })) };
    },

    async intend(manifest, { erasureId, sha256, rows, bytes, textBytes, parts, restores }, deadline) {
      const isNoted = await first(
        `intend_archive_rewrite(${KEY}, :erasure, :sha256, cast(:facts as jsonb), cast(:places as jsonb))`,
        {
          ...keyOf(manifest),
          erasure: erasureId,
          sha256,
          facts: JSON.stringify({ rows, bytes, text_bytes: textBytes, parts }),
          places: JSON.stringify(restores.map((each) => [each.id, each.manifestsFurther, each.partAt, each.lineAt])),
        },
        deadline,
      );
      return isNoted === true;
    },

    async finish(manifest, sha256, deadline) {
      FAILPOINT: await failpoint("beforeCommit");
      await first(`cast(finish_archive_rewrite(${KEY}, :sha256) as text)`, { ...keyOf(manifest), sha256 }, deadline);
      FAILPOINT: await failpoint("afterCommit");
    },
  };
}

const UNFINISHED = "select generation from unfinished_archives(cast(:retention as integer), cast(:day as date))";
const KEY = ":tenant, cast(:day as date), cast(:retention as integer), cast(:generation as integer)";

const keyOf = ({ tenant, day, retention, generation }: RewrittenManifest) => ({
  tenant,
  day,
  retention: String(retention),
  generation: String(generation),
});
