import type { ErasureJobs } from "../core/erasure-job.ts";
import { PARTITION_DAYS_AHEAD } from "../core/database-limits.ts";
import type { Holds } from "../core/hold.ts";
import type { TaskFields } from "../core/log-lines.ts";
import type { Clock } from "../core/ports.ts";
import { type Retention, RETENTION_DAYS, retentionName } from "../core/retention.ts";
import type { RetentionPlan } from "../core/retention-answers.ts";
import type { RestoreJobs } from "../core/restore-job.ts";
import { RESTORE_KEPT_DAYS } from "../core/restore-limits.ts";
import type { PlannedRetention, RetentionPlans, RetentionSteps, RetentionWork } from "../core/retention-work.ts";

const DAY_MS = 86_400_000;

export type RetainDeps = {
  work: Pick<RetentionWork, "lag">;
  plans: RetentionPlans;
  steps: RetentionSteps;
  restores: Pick<RestoreJobs, "dropEnded">;
  erasures: Pick<ErasureJobs, "dropRules">;
  holds: Pick<Holds, "countActive">;
  clock: Clock;
  metrics: {
    addMetric(
      name: "PartitionDaysMissing" | "RetentionDaysBehind" | "ArchiveDaysBehind",
      unit: "Count",
      value: number,
    ): void;
  };
  /** The retention of events whose type names none. */
  ofStage: Retention;
  /** Days are archived before they are dropped. */
  isArchived: boolean;
  /** For how many days rollups are kept. @default for good */
  rollupDays?: number | undefined;
};

type RunFields = Pick<TaskFields, "partitionDaysMissing" | "retentionDaysBehind" | "archiveDaysBehind">;

/** The daily run of retention, and its plan. */
export function createRetain({
  work,
  plans,
  steps,
  restores,
  erasures,
  holds,
  clock,
  metrics,
  ofStage,
  isArchived,
  rollupDays,
}: RetainDeps) {
  return {
    /**
     * Reports how far behind the run before has left retention, drops what restores have left beside the live events, and sends
     * the message of the first step.
     * @throws DatabaseError; Error where the queue does not confirm the message. The run is then invoked again
     */
    async run(deadline: number): Promise<RunFields> {
      const lag = await work.lag(deadline);
      const fields = {
        partitionDaysMissing: Math.max(PARTITION_DAYS_AHEAD - lag.daysAhead, 0),
        retentionDaysBehind: lag.daysBehind,
        ...(isArchived && { archiveDaysBehind: lag.archiveDaysBehind }),
      };
      metrics.addMetric("PartitionDaysMissing", "Count", fields.partitionDaysMissing);
      metrics.addMetric("RetentionDaysBehind", "Count", fields.retentionDaysBehind);
      if (isArchived) metrics.addMetric("ArchiveDaysBehind", "Count", lag.archiveDaysBehind);
      await restores.dropEnded(new Date(clock().getTime() - RESTORE_KEPT_DAYS * DAY_MS).toISOString(), deadline);
      await erasures.dropRules(deadline);
      if (!(await steps.send(0, deadline)))
        throw new Error("The queue of the steps of retention did not confirm the message.");
      return fields;
    },

    /** Says what retention drops within so many days, and what else is there of each class. @throws DatabaseError */
    async plan(days: number, deadline: number): Promise<RetentionPlan> {
      const until = new Date(clock().getTime() + days * DAY_MS).toISOString().slice(0, 10);
      const planned = await plans.read(until, deadline);
      const { deletedBefore = null, rows = null, bytes } = await plans.readRollups(rollupDays, until, deadline);
      const { holds: active, tenants } = await holds.countActive(deadline);
      return {
        until,
        default: ofStage,
        archive: isArchived ? "before-drop" : "none",
        drops: planned.flatMap((each) => toDrop(each) ?? []),
        keeps: planned.filter(({ day }) => day === undefined).map(toKept),
        rollups: { days: rollupDays ?? null, deletedBefore, rows, bytes },
        holds: { active, tenants },
      };
    },
  };
}

function toDrop({ class: of, day, dueOn, state, events, bytes, fault }: PlannedRetention) {
  if (day === undefined || dueOn === undefined) return undefined;
  return { class: retentionName(of), day, dueOn, state, events: events ?? null, bytes, fault: fault ?? null };
}

function toKept({ class: of, dueOn, tables, events, bytes }: PlannedRetention) {
  const name = of === HELD ? ("held" as const) : retentionName(of);
  return { class: name, tables, events: events ?? null, bytes, nextOn: dueOn ?? null };
}

const HELD = -1 satisfies Exclude<PlannedRetention["class"], (typeof RETENTION_DAYS)[Retention]>;
