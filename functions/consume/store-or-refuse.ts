import { StoreError } from "../core/errors.ts";
import { CHUNK_MIN_REMAINING_MS } from "../core/limits.ts";
import type { Clock, EventStore, RefusedEvent, StorableEvent } from "../core/ports.ts";

/** What became of one chunk; its events that are in no list are stored. */
export type ChunkOutcome<T extends StorableEvent> = {
  stored: number;
  /** The database refuses these events themselves. */
  refused: { event: T; error: StoreError }[];
  /** These have to come again: not judged, or waiting for something the database lacks. */
  blocked: T[];
  /** Why: undefined when only time ran out. */
  blockedBy: StoreError | undefined;
};

type Deps = { store: EventStore; clock: Clock; deadline: number };

/**
 * Stores a chunk. When the database refuses it for what is in it, its events are stored each by itself in a second
 * statement: any number of bad events costs one more call, and no good neighbour. Where that statement cannot even read
 * the chunk, it is halved.
 */
export async function storeOrRefuse<T extends StorableEvent>(chunk: T[], deps: Deps): Promise<ChunkOutcome<T>> {
  const outcome: ChunkOutcome<T> = { stored: 0, refused: [], blocked: [], blockedBy: undefined };
  const open = [chunk];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (isFinal(outcome.blockedBy) || deps.clock().getTime() + CHUNK_MIN_REMAINING_MS > deps.deadline) {
      outcome.blocked.push(...part);
      continue;
    }
    try {
      const { stored, refused } = await storePart(part, deps);
      outcome.stored += stored;
      for (const { index, error } of refused) settle(part[index] as T, error, outcome);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const middle = Math.ceil(part.length / 2);
      if (isForAll(error) || part.length === 1) for (const event of part) settle(event, error, outcome);
      else open.push(part.slice(middle), part.slice(0, middle));
    }
  }
  return outcome;
}

/** Together, or each by itself when one of them is at fault. */
async function storePart(
  part: StorableEvent[],
  { store, deadline }: Deps,
): Promise<{ stored: number; refused: RefusedEvent[] }> {
  try {
    const { stored } = await store.store(part, deadline);
    return { stored, refused: [] };
  } catch (error) {
    if (!(error instanceof StoreError) || isForAll(error) || part.length === 1) throw error;
    return store.storeEach(part, deadline);
  }
}

/** Files an event that was not stored by what its error says. */
function settle<T extends StorableEvent>(event: T, error: StoreError, outcome: ChunkOutcome<T>): void {
  if (error.verdict === "dead-letter") {
    outcome.refused.push({ event, error });
  } else {
    outcome.blocked.push(event);
    if (!isFinal(outcome.blockedBy)) outcome.blockedBy = error;
  }
}

/** The fault is the database's, so it concerns every event. */
function isForAll({ verdict }: StoreError): boolean {
  return verdict === "retry" || verdict === "stop";
}

/** Nothing more can be stored now. */
function isFinal(error: StoreError | undefined): boolean {
  return error !== undefined && isForAll(error);
}
