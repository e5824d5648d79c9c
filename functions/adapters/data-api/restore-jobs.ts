import { placeOf } from "../../core/archive-keys.ts";
import { RESULT_PIECE_CHARACTERS } from "../../core/database-limits.ts";
import { LIST_PAGE_MAX_BYTES } from "../../core/list-limits.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import type { RestoreJobs } from "../../core/restore-job.ts";
import { RETENTION_DAYS, type Retention } from "../../core/retention.ts";
import { createJobReader } from "./job-reader.ts";
import { toRestoreJob } from "./restore-record.ts";

/** Restores in PostgreSQL, as the owner; the functions are documented in functions/sql/0012_archive.sql. */
export function createRestoreJobs(database: Pick<SqlDatabase, "execute">): RestoreJobs {
  const { read: readJob } = createJobReader(database, "restore", toRestoreJob);

  return {
    async knownManifests(tenant, keys, deadline) {
      const places = keys.map((key) => {
        const { retention, day, generation } = placeOf(key) ?? {};
        return { key, retention: RETENTION_DAYS[retention as Retention], day, generation };
      });
      const { rows } = await database.execute(KNOWN, { tenant, places: JSON.stringify(places) }, deadline);
      return new Map(rows.map(([key, sha256]) => [String(key), String(sha256)]));
    },

    async start({ id, tenant, into, retention, request, keyId, manifests, planned }, deadline) {
      const parameters = {
        id,
        tenant,
        into,
        retention: retention === undefined ? null : String(retention),
        request: JSON.stringify(request),
        key: keyId,
        manifests: JSON.stringify(manifests),
        planned: String(planned),
      };
      const job = await readJob(START, parameters, deadline);
      if (job === undefined) throw new TypeError("start_restore returned no job.");
      return job;
    },

    read: (tenant, id, deadline) => readJob("read_restore(:tenant, :id)", { tenant, id }, deadline),

    async list(tenant, { after = null, limit }, deadline) {
      const { rows } = await database.execute(LIST, { tenant, after, most: String(limit + 1) }, deadline);
      const jobs = rows.map(([job]) => toRestoreJob(String(job)));
      const items = jobs.slice(0, limit);
      return { items, next: jobs.length > limit ? items.at(-1)?.id : undefined };
    },

    async countUnfinished(tenant, deadline) {
      const { rows } = await database.execute("select count_unfinished_restores(:tenant)", { tenant }, deadline);
      return Number(rows[0]?.[0]);
    },

    cancel: (tenant, id, deadline) => readJob("cancel_restore(:tenant, :id)", { tenant, id }, deadline),

    async dropEnded(before, deadline) {
      const sql = "select drop_restored(cast(:before as timestamptz), cast(:most as integer))";
      const { rows } = await database.execute(sql, { before, most: String(DROPPED_AT_ONCE) }, deadline);
      return Number(rows[0]?.[0]);
    },

    async readEvents({ tenant, id }, { after, limit }, deadline) {
      const [receivedAt, eventId, source] = after === undefined ? [] : (JSON.parse(after) as [string, string, string]);
      const parameters = {
        tenant,
        id,
        after_received_at: receivedAt ?? null,
        after_id: eventId ?? null,
        after_source: source ?? null,
        most: String(limit),
      };
      const { rows } = await database.execute(EVENTS, parameters, deadline);
      const events: string[] = [];
      for (const [number, piece] of rows.slice(0, -1))
        events[Number(number)] = (events[Number(number)] ?? "") + String(piece);
      const next = String(rows.at(-1)?.[1] ?? "");
      return { events, next: next === "" ? undefined : next };
    },
  };
}

/** Tables that one statement drops; the others are dropped a day later. */
const DROPPED_AT_ONCE = 1_000;

const KNOWN = `select given.key, known.sha256
  from jsonb_to_recordset(cast(:places as jsonb)) as given (key text, retention smallint, day date, generation integer)
  join archive_manifests as known using (retention, day, generation)
  where known.tenant = :tenant and not exists (
    select from archive_rewrites as w where w.tenant = :tenant and w.key = given.key and w.sha256 is not null
  )`;
const START = `start_restore(
    :id, :tenant, :into, cast(:retention as smallint), :request, :key, cast(:manifests as jsonb), cast(:planned as bigint)
  )`;
const LIST = "select job from list_restores(:tenant, :after, cast(:most as integer))";
const EVENTS = `select number, piece from read_restored_events(
    :tenant, :id, cast(:after_received_at as timestamptz), :after_id, :after_source, cast(:most as integer),
    ${LIST_PAGE_MAX_BYTES}, ${RESULT_PIECE_CHARACTERS}
  )`;
