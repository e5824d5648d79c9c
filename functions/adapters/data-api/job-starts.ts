import { IDEMPOTENCY_HOURS, type JobStarts } from "../../core/idempotency.ts";
import type { SqlDatabase } from "../../core/ports.ts";

/** The starts of jobs under idempotency keys in PostgreSQL; the functions are documented in functions/sql/0008_replays.sql. */
export function createJobStarts(database: Pick<SqlDatabase, "execute">): JobStarts {
  return {
    async keep({ tenant, id, job: wanted, request: hash }, deadline) {
      const { rows } = await database.execute(KEEP, { tenant, id, job: wanted, request: hash }, deadline);
      const [job, request] = rows[0] ?? [];
      return { job: String(job), request: String(request) };
    },

    async forget({ tenant, id, job }, deadline) {
      await database.execute(FORGET, { tenant, id, job }, deadline);
    },
  };
}

const KEEP = `select job, request from keep_job_start(:tenant, :id, :job, :request, ${IDEMPOTENCY_HOURS})`;
const FORGET = "select forget_job_start(:tenant, :id, :job)";
