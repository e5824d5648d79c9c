import { IDEMPOTENCY_HOURS, type JobStart, type JobStarts } from "../../functions/core/idempotency.ts";

/** The starts of jobs in memory, with the contract of the table. */
export function memoryJobStarts({ clock }: { clock: () => Date }): JobStarts {
  const kept = new Map<string, JobStart & { at: number }>();
  const nameOf = ({ tenant, id }: Pick<JobStart, "tenant" | "id">) => JSON.stringify([tenant, id]);
  return {
    async keep(start) {
      const name = nameOf(start);
      const before = kept.get(name);
      const now = clock().getTime();
      if (before !== undefined && before.at > now - IDEMPOTENCY_HOURS * 3_600_000) return before;
      kept.set(name, { ...start, at: now });
      return start;
    },
    async forget(start) {
      if (kept.get(nameOf(start))?.job === start.job) kept.delete(nameOf(start));
    },
  };
}
