import { DatabaseError } from "../core/errors.ts";
import { CHUNK_MIN_REMAINING_MS } from "../core/limits.ts";
import type { Clock, EventStore, StorableEvent } from "../core/ports.ts";

/** What became of one chunk; its events that are neither refused nor blocked are stored, now or before. */
export type ChunkOutcome<T extends StorableEvent> = {
  /** How many were new. */
  stored: number;
  /** Stored before, with another content. */
  conflicts: T[];
  /** The database refuses these events themselves. */
  refused: { event: T; error: DatabaseError }[];
  /** These have to come again: not judged, or waiting for something the database lacks. */
  blocked: T[];
  /** Why: undefined when only time ran out. */
  failure: DatabaseError | undefined;
};

type Deps = { store: EventStore; clock: Clock; deadline: number };

/**
 * Stores a chunk. The store itself finds the events that the database refuses; where the database cannot even read the
 * chunk because of what is in it, it is halved until it can, down to the event that is at fault.
 */
export async function storeOrRefuse<T extends StorableEvent>(
  chunk: T[],
  { store, clock, deadline }: Deps,
): Promise<ChunkOutcome<T>> {
  const outcome: ChunkOutcome<T> = { stored: 0, conflicts: [], refused: [], blocked: [], failure: undefined };
  const open = [chunk];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (outcome.failure?.isOutage || clock().getTime() + CHUNK_MIN_REMAINING_MS > deadline) {
      outcome.blocked.push(...part);
      continue;
    }
    try {
      const { stored, conflicts, refused } = await store.store(part, deadline);
      outcome.stored += stored;
      for (const index of conflicts) outcome.conflicts.push(part[index] as T);
      for (const { index, error } of refused) settle(part[index] as T, error, outcome);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const middle = Math.ceil(part.length / 2);
      if (error.isOutage || part.length === 1) for (const event of part) settle(event, error, outcome);
      else open.push(part.slice(middle), part.slice(0, middle));
    }
  }
  return outcome;
}

/** Files an event that was not stored by what its error says. */
function settle<T extends StorableEvent>(event: T, error: DatabaseError, outcome: ChunkOutcome<T>): void {
  if (error.disposition === "dead-letter") {
    outcome.refused.push({ event, error });
  } else {
    outcome.blocked.push(event);
    if (!outcome.failure?.isOutage) outcome.failure = error;
  }
}
