import type { Event } from "../../functions/core/event.ts";
import type { Edits } from "../dead-letters/edits.ts";
import { type Filter, matchingEvents } from "../dead-letters/filter.ts";
import { type DeadLetter, eventKey, type LetterEvent } from "../dead-letters/dead-letter.ts";

export type Criteria = {
  filter: Filter;
  /** Only events that have one are replayed, as it has them. */
  edits: Edits | undefined;
  /** Letters replayed so often are left alone. */
  maxReplays: number;
  /** Whether an event came back since it was replayed by this run. */
  cameBack: (key: string, replays: number) => boolean;
};

/** An event to be replayed: its key, and what is sent for it. */
export type Chosen = { key: string; event: LetterEvent; edit: Event | undefined };

export type Choice = {
  chosen: Chosen[];
  /** Events that match but were replayed too often. */
  capped: number;
  /** Events that match but came back while this run is on: replaying them at once again would end nowhere. */
  returned: number;
};

/** Decides event by event what of a letter is replayed. */
export function choose(letter: DeadLetter, { filter, edits, maxReplays, cameBack }: Criteria): Choice {
  const wanted = matchingEvents(letter, filter)
    .map((event) => ({ key: eventKey(letter, event), event, edit: edits?.find(letter, event) }))
    .filter(({ edit }) => edits === undefined || edit !== undefined);
  const fresh = wanted.filter(({ key }) => !cameBack(key, letter.replays));
  const returned = wanted.length - fresh.length;
  if (letter.replays >= maxReplays) return { chosen: [], capped: fresh.length, returned };
  return { chosen: fresh, capped: 0, returned };
}
