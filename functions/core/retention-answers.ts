import * as z from "zod";
import { RETENTIONS } from "./retention.ts";

/** The schemas of answers about retention. */

const count = z.int().nonnegative();

const events = count.nullable().meta({
  description: "About how many events, as the statistics of PostgreSQL have it; null for a table that has none yet",
});

const bytes = count.meta({ description: "The size of the tables with their indexes, which is free after the drop" });

const plannedDrop = z.object({
  class: z.enum(RETENTIONS),
  day: z.iso.date().meta({ description: "The UTC day on which the events were received" }),
  dueOn: z.iso.date().meta({ description: "The day from which on it is dropped" }),
  state: z
    .enum(["open", "due", "archived", "detached", "keys_deleted", "kept", "held"])
    .meta({ description: "How far it is: open until its day, and then one step after the other" }),
  events,
  bytes,
  fault: z
    .string()
    .nullable()
    .meta({ description: "Why the last step failed; it is tried again. For people, may change" }),
});

const kept = z.object({
  class: z
    .enum([...RETENTIONS, "held"])
    .meta({ description: "`held`: events under a legal hold whose day was dropped" }),
  tables: count.meta({ description: "Days that have tables, those ahead too" }),
  events,
  bytes,
  nextOn: z.iso.date().nullable().meta({ description: "The day on which the next of them is due; null for never" }),
});

export const retentionPlan = z.object({
  until: z.iso.date(),
  default: z.enum(RETENTIONS).meta({ description: "The retention of events whose type names none" }),
  archive: z.enum(["none", "before-drop"]),
  drops: z
    .array(plannedDrop)
    .meta({ description: "The days that are due by then, those that come first before the others" }),
  keeps: z.array(kept).meta({ description: "What is there otherwise, by class" }),
  rollups: z
    .object({
      days: count.nullable().meta({ description: "For how many days they are kept; null for good" }),
      deletedBefore: z.iso.date().nullable().meta({
        description: "Those of all days before it are deleted by then; null where they are kept for good",
      }),
      rows: count.nullable().meta({
        description: "About how many, as the statistics of PostgreSQL have it; null where it has none yet",
      }),
      bytes: count.meta({
        description: "The size of their tables with their indexes: new ones take the places of deleted ones",
      }),
    })
    .meta({
      description: "What aggregates are answered from: the counts and sums of events, also of those that were dropped",
    }),
  holds: z
    .object({ active: count, tenants: count.meta({ description: "Tenants that have one" }) })
    .meta({ description: "Legal holds in force: the events that they match are moved aside before a drop" }),
});

export type RetentionPlan = z.output<typeof retentionPlan>;
