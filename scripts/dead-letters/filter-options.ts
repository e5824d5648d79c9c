import type { Command } from "commander";
import { duration } from "../../cli/option-values.ts";
import type { Filter } from "../../functions/core/filter/filter.ts";
import { DEAD_LETTER_ID } from "../../functions/core/replay-job.ts";
import { toFilter } from "../export/to-filter.ts";

/** A filter as a user gives it; ages are in milliseconds. */
export type FilterOptions = {
  reason?: string[];
  type?: string[];
  source?: string[];
  id?: string[];
  filter?: string;
  olderThan?: number;
  newerThan?: number;
  tenant?: string;
};

/** Adds the options of a `FilterOptions`. */
export function addFilterOptions(command: Command): Command {
  return command
    .option("--reason <reason>", "only dead letters with this reason, for example not_storable", collect)
    .option("--type <type>", "only events of this type, in full or as com.example.*", collect)
    .option("--source <source>", "the same for sources", collect)
    .option("--id <id>", "only the event with this id, or the dead letter with it", collect)
    .option(
      "--older-than <duration>",
      "only those that became open longer ago, for example 3d",
      duration("--older-than"),
    )
    .option("--newer-than <duration>", "only those that became open since, for example 2h", duration("--newer-than"));
}

/** Adds the tenant of a key of the installation. */
export const addTenantOption = (command: Command): Command =>
  command.option("--tenant <name>", "the tenant, where the key is one of the installation (default: all tenants)");

export const FILTER_HELP =
  "\nA filter that is given twice accepts either value: --reason not_storable --reason raised_by_trigger.";

export const KEY_HELP =
  "\nThe key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken.";

/** The members of a body that choose dead letters, and the parameters of a list that do. */
export function toSelection(options: FilterOptions, now: number) {
  const { reason, id = [], olderThan, newerThan } = options;
  const ids = id.filter((each) => DEAD_LETTER_ID.test(each));
  const eventIds = id.filter((each) => !DEAD_LETTER_ID.test(each));
  if (ids.length > 0 && eventIds.length > 0)
    throw new Error("--id names a dead letter and an event. Name one kind, in two commands.");
  const parts = [toFilter(options), eventIds.length === 0 ? undefined : anyId(eventIds)].filter(
    (part) => part !== undefined,
  );
  const ago = (milliseconds?: number) =>
    milliseconds === undefined ? undefined : new Date(now - milliseconds).toISOString();
  return {
    filter: parts.length > 1 ? { all: parts } : parts[0],
    ids: ids.length === 0 ? undefined : ids,
    reason,
    openedTo: ago(olderThan),
    openedFrom: ago(newerThan),
  };
}

const anyId = (ids: string[]): Filter =>
  ids.length === 1 ? { exact: { id: ids[0] ?? "" } } : { any: ids.map((id) => ({ exact: { id } })) };

/** The query of `GET /dead-letters`. */
export function toQuery(options: FilterOptions, now: number) {
  const { type, source, reason } = options;
  const { ids, openedTo, openedFrom } = toSelection(options, now);
  return { type, source, id: ids === undefined ? options.id : undefined, reason, openedTo, openedFrom };
}

const collect = (value: string, before: string[] = []) => [...before, value];
