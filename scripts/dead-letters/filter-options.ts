import type { Command } from "commander";
import { duration } from "../../cli/option-values.ts";

/** Adds the options of a `FilterOptions`. */
export function addFilterOptions(command: Command): Command {
  const collect = (value: string, before: string[] = []) => [...before, value];
  return command
    .option("--reason <reason>", "only dead letters with this reason, for example not_storable", collect)
    .option("--type <type>", "only events of this type", collect)
    .option("--source <source>", "only events of this source", collect)
    .option("--tenant <tenant>", "only events of this tenant", collect)
    .option("--id <id>", "only the event with this id, or the message with it", collect)
    .option("--older-than <duration>", "only events received longer ago, for example 3d", duration("--older-than"))
    .option("--newer-than <duration>", "only events received since, for example 2h", duration("--newer-than"));
}

export const FILTER_HELP =
  "\nA filter that is given twice accepts either value: --reason not_storable --reason raised_by_trigger.";
