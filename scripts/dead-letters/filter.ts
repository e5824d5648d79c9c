import type { Command } from "commander";
import { duration } from "../duration.ts";
import type { DeadLetter, LetterEvent } from "./dead-letter.ts";

/** What the user asked for. */
export type FilterOptions = {
  reason?: string[];
  type?: string[];
  source?: string[];
  tenant?: string[];
  id?: string[];
  olderThan?: number;
  newerThan?: number;
};

/** Each list takes any of its values, an empty one takes all; moments, because a duration counts from one. */
export type Filter = {
  reason: string[];
  type: string[];
  source: string[];
  tenant: string[];
  id: string[];
  receivedBefore?: string | undefined;
  receivedAfter?: string | undefined;
};

export function addFilterOptions(command: Command): Command {
  const collect = (value: string, before: string[] = []) => [...before, value];
  return command
    .option("--reason <reason>", "only letters with this reason, for example not_storable", collect)
    .option("--type <type>", "only events of this type", collect)
    .option("--source <source>", "only events of this source", collect)
    .option("--tenant <tenant>", "only events of this tenant", collect)
    .option("--id <id>", "only the event with this id, or the message with it", collect)
    .option("--older-than <duration>", "only events received longer ago, for example 3d", duration("--older-than"))
    .option("--newer-than <duration>", "only events received since, for example 2h", duration("--newer-than"));
}

export const FILTER_HELP =
  "\nGiven twice, a filter takes either value: --reason not_storable --reason raised_by_trigger.";

export function toFilter(options: FilterOptions, now: number): Filter {
  const { reason = [], type = [], source = [], tenant = [], id = [], olderThan, newerThan } = options;
  const ago = (milliseconds?: number) =>
    milliseconds === undefined ? undefined : new Date(now - milliseconds).toISOString();
  return { reason, type, source, tenant, id, receivedBefore: ago(olderThan), receivedAfter: ago(newerThan) };
}

/** The events of a letter that the filter takes, none to all of them. */
export function matchingEvents(letter: DeadLetter, filter: Filter): LetterEvent[] {
  if (!takes(filter.reason, letter.reason) || !takes(filter.tenant, letter.tenant)) return [];
  if (filter.receivedBefore !== undefined && letter.receivedAt >= filter.receivedBefore) return [];
  if (filter.receivedAfter !== undefined && letter.receivedAt <= filter.receivedAfter) return [];
  return letter.events.filter(
    ({ id, type, source }) =>
      takes(filter.type, type) &&
      takes(filter.source, source) &&
      (takes(filter.id, id) || filter.id.includes(letter.messageId)),
  );
}

/** The ids asked for that no letter had. */
export function createIdCheck({ id }: Filter): { see: (letter: DeadLetter) => void; unknown: () => string[] } {
  const unseen = new Set(id);
  return {
    see({ messageId, events }) {
      if (unseen.size === 0) return;
      for (const name of [messageId, ...events.map((event) => event.id)]) if (name !== undefined) unseen.delete(name);
    },
    unknown: () => [...unseen],
  };
}

function takes(values: string[], value: string | undefined): boolean {
  return values.length === 0 || (value !== undefined && values.includes(value));
}
