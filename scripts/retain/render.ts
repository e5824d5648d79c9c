import { pluralize } from "../../cli/pluralize.ts";
import { toTable } from "../../cli/to-table.ts";
import type { RetentionPlan } from "../../functions/core/retention-answers.ts";

/** Writes the plan of retention for people: what goes, and what stays. */
export function toText({ until, default: ofStage, archive, drops, keeps, rollups, holds }: RetentionPlan): string {
  const size = drops.reduce((sum, { bytes }) => sum + bytes, 0);
  const archived = archive === "none" ? "without an archive" : "and is in the archive before";
  return [
    `Events whose type names no retention: ${ofStage}. A day is dropped when its time is over, ${archived}.`,
    `DROPPED UNTIL ${until}: ${pluralize(drops.length, "day")}, ${megabytes(size)} MB`,
    drops.length > 0 &&
      toTable(
        ["on", "class", "day", "events", "MB", "state"],
        drops.map(({ dueOn, class: of, day, events, bytes, state, fault }) => [
          dueOn,
          of,
          day,
          about(events),
          megabytes(bytes),
          fault === null ? state : `${state}, tried again: ${fault}`,
        ]),
        Infinity,
      ),
    "KEPT BEYOND THAT",
    toTable(
      ["class", "days", "events", "MB", "next on"],
      keeps.map(({ class: of, tables, events, bytes, nextOn }) => [
        of,
        String(tables),
        about(events),
        megabytes(bytes),
        nextOn ?? "never",
      ]),
      Infinity,
    ),
    `ROLLUPS: kept ${rollups.days === null ? "for good" : `for ${pluralize(rollups.days, "day")}`}, ${megabytes(rollups.bytes)} MB${rollups.deletedBefore === null ? "" : `. Those of days before ${rollups.deletedBefore} are deleted by then`}.`,
    holds.active > 0 &&
      `LEGAL HOLDS: ${holds.active} of ${pluralize(holds.tenants, "tenant")}. The events that they match are moved aside before their day is dropped.`,
  ]
    .filter((each) => each !== false)
    .join("\n");
}

const about = (events: number | null): string => (events === null ? "?" : `~${events}`);

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
