import { DatabaseError } from "../core/errors.ts";
import type { Clock, EventStore, StorableEvent } from "../core/ports.ts";
import { hasTimeForChunk } from "./time-for-chunk.ts";

/** The result of a chunk. Its events that are neither refused nor blocked are stored, now or before. */
export type ChunkOutcome<T extends StorableEvent> = {
  /** Number of events that were new. */
  stored: number;
  /** Events whose key is stored with other content. */
  conflicts: T[];
  /** Number of events that an erasure keeps out. */
  erased: number;
  /** Events that the database refuses for their content. */
  refused: { event: T; error: DatabaseError }[];
  /** Events to be tried again: not judged, or waiting for something the database lacks. */
  blocked: T[];
  /** Why events are blocked; undefined when only time ran out. */
  failure: DatabaseError | undefined;
};

/**
 * Stores a chunk. The store itself finds the events that the database refuses. Where the database cannot even read the
 * chunk because of its content, the chunk is halved until it can, down to the event at fault.
 */
export async function storeChunk<T extends StorableEvent>(
  chunk: T[],
  { store, clock, deadline }: { store: EventStore; clock: Clock; deadline: number },
): Promise<ChunkOutcome<T>> {
  const outcome: ChunkOutcome<T> = {
    stored: 0,
    conflicts: [],
    erased: 0,
    refused: [],
    blocked: [],
    failure: undefined,
  };
  const open = chunk.length > 0 ? [chunk] : [];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (outcome.failure?.isOutage || !hasTimeForChunk(deadline, clock)) {
      outcome.blocked.push(...part);
      continue;
    }
    try {
      const { stored, conflicts, erased, refused } = await store.store(part, deadline);
      outcome.stored += stored;
      outcome.erased += erased;
      for (const index of conflicts) outcome.conflicts.push(part[index] as T);
      for (const { index, error } of refused) addFailure(part[index] as T, error, outcome);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const middle = Math.ceil(part.length / 2);
      if (error.isOutage || part.length === 1) for (const event of part) addFailure(event, error, outcome);
      else open.push(part.slice(middle), part.slice(0, middle));
    }
  }
  return outcome;
}

/** Adds an event that was not stored to the list that its error's disposition asks for. */
function addFailure<T extends StorableEvent>(event: T, error: DatabaseError, outcome: ChunkOutcome<T>): void {
  if (error.disposition === "dead-letter") {
    outcome.refused.push({ event, error });
  } else {
    outcome.blocked.push(event);
    if (!outcome.failure?.isOutage) outcome.failure = error;
  }
}
