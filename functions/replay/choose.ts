import type { Event } from "../core/event.ts";
import { type DeadLetterEvent, type DeadLetterMessage, eventKey } from "./dead-letter-message.ts";
import type { Edits } from "./edits.ts";
import { type Filter, matchingEvents } from "./filter.ts";

export type Criteria = {
  filter: Filter;
  /** When given, only events with an edit are replayed, as the edit has them. */
  edits: Edits | undefined;
  /** Messages with this many replays or more are skipped. */
  maxReplays: number;
  /** Tells whether an event is back in the dead-letter queue since this replay sent it. */
  cameBack: (key: string, replays: number) => boolean;
};

/** An event to be replayed: its key, and the edit that is sent in its place. */
export type ChosenEvent = { key: string; event: DeadLetterEvent; edit: Event | undefined };

export type Choice = {
  chosen: ChosenEvent[];
  /** Matching events that were replayed too often. */
  capped: number;
  /** Matching events that came back during this replay: sending them again at once would never end. */
  returned: number;
};

/** Chooses the events of a message that are replayed. */
export function choose(message: DeadLetterMessage, { filter, edits, maxReplays, cameBack }: Criteria): Choice {
  const matching = matchingEvents(message, filter)
    .map((event) => ({ key: eventKey(message, event), event, edit: edits?.find(message, event) }))
    .filter(({ edit }) => edits === undefined || edit !== undefined);
  const fresh = matching.filter(({ key }) => !cameBack(key, message.replays));
  const returned = matching.length - fresh.length;
  if (message.replays >= maxReplays) return { chosen: [], capped: fresh.length, returned };
  return { chosen: fresh, capped: 0, returned };
}
