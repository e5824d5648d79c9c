import type { ErasureJobs, ErasureSelection } from "../../core/erasure-job.ts";
import type { SqlDatabase } from "../../core/ports.ts";
import { createJobReader } from "./job-reader.ts";
import { erasureConditions } from "./erasure-condition.ts";
import { readErasureHolds } from "./erasure-holds.ts";
import { toErasureJob } from "./erasure-record.ts";
import { textArray } from "./text-array.ts";

/** Erasures in PostgreSQL, as the owner; the functions are documented in functions/sql/0013_erasure.sql. */
export function createErasureJobs(database: Pick<SqlDatabase, "execute">): ErasureJobs {
  const { read: readJob } = createJobReader(database, "erasure", toErasureJob);

  return {
    async plan(tenant, selection, milliseconds, deadline) {
      const holds = await readErasureHolds(database, tenant, deadline);
      const parameters = {
        tenant,
        by: selection.by,
        ids: idsOf(selection, ({ id, source = null }) => ({ id, source })),
        ...erasureConditions(requestOf(selection), holds),
        milliseconds: String(milliseconds),
      };
      const { rows } = await database.execute(PLAN, parameters, deadline);
      const [events, restored, deadLetters, deliveries, isComplete, holdId] = rows[0] ?? [];
      return {
        events: Number(events),
        restored: Number(restored),
        deadLetters: Number(deadLetters),
        deliveries: Number(deliveries),
        isComplete: isComplete === true,
        holdId: typeof holdId === "string" ? holdId : undefined,
      };
    },

    async start({ id, tenant, selection, why, suppress = null, keyId, planned }, deadline) {
      const request = requestOf(selection);
      const parameters = {
        id,
        tenant,
        by: selection.by,
        request: request === undefined ? null : JSON.stringify(request),
        ids: idsOf(selection, ({ id: each, source = null }) => [each, source]),
        why,
        suppress,
        key: keyId,
        planned: JSON.stringify(planned),
      };
      const job = await readJob(START, parameters, deadline);
      if (job === undefined) throw new TypeError("start_erasure returned no job.");
      return job;
    },

    read: (tenant, id, deadline) => readJob("read_erasure(:tenant, :id)", { tenant, id }, deadline),

    async list(tenant, { after = null, limit }, deadline) {
      const { rows } = await database.execute(LIST, { tenant, after, most: String(limit + 1) }, deadline);
      const jobs = rows.map(([job]) => toErasureJob(String(job)));
      const items = jobs.slice(0, limit);
      return { items, next: jobs.length > limit ? items.at(-1)?.id : undefined };
    },

    async countUnfinished(tenant, deadline) {
      const { rows } = await database.execute("select count_unfinished_erasures(:tenant)", { tenant }, deadline);
      return Number(rows[0]?.[0]);
    },

    cancel: (tenant, id, deadline) => readJob("cancel_erasure(:tenant, :id)", { tenant, id }, deadline),

    async dropRules(deadline) {
      await database.execute("select drop_suppressions()", {}, deadline);
    },
  };
}

const requestOf = (selection: ErasureSelection) =>
  selection.by === "ids"
    ? undefined
    : selection.by === "subject"
      ? { subject: selection.subject }
      : { filter: selection.filter };

const idsOf = (selection: ErasureSelection, write: (key: { id: string; source?: string | undefined }) => unknown) =>
  JSON.stringify(selection.by === "ids" ? selection.ids.map(write) : []);

const PLAN = `select events, restored, dead_letters, deliveries, is_complete, hold_id from plan_erasure(
    :tenant, :by, cast(:ids as jsonb), :condition, :held, ${textArray(":texts")}, ${textArray(":holdIds")},
    cast(:milliseconds as integer)
  )`;
const START = `start_erasure(
    :id, :tenant, :by, :request, cast(:ids as jsonb), :why, :suppress, :key, cast(:planned as jsonb)
  )`;
const LIST = "select job from list_erasures(:tenant, :after, cast(:most as integer))";
