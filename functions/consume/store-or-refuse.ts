import { StoreError } from "../core/errors.ts";
import { CHUNK_MIN_REMAINING_MS } from "../core/limits.ts";
import type { Clock, EventStore, StorableEvent } from "../core/ports.ts";

/** What became of one chunk. `blocked` events were not judged: the database did not answer or time ran out. */
export type ChunkOutcome<T extends StorableEvent> = {
  stored: number;
  duplicates: number;
  refused: { event: T; error: StoreError }[];
  blocked: T[];
  blockedBy: StoreError | undefined;
};

/**
 * Stores a chunk; when the database refuses it for what is in it, halves it until the events at fault stand alone, so
 * that one bad event costs some more statements and never a good neighbour.
 */
export async function storeOrRefuse<T extends StorableEvent>(
  chunk: T[],
  { store, clock, deadline }: { store: EventStore; clock: Clock; deadline: number },
): Promise<ChunkOutcome<T>> {
  const outcome: ChunkOutcome<T> = { stored: 0, duplicates: 0, refused: [], blocked: [], blockedBy: undefined };
  const open = [chunk];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (outcome.blockedBy !== undefined || clock().getTime() + CHUNK_MIN_REMAINING_MS > deadline) {
      outcome.blocked.push(...part);
      continue;
    }
    try {
      const { stored, duplicates } = await store.store(part, deadline);
      outcome.stored += stored;
      outcome.duplicates += duplicates;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const [only] = part;
      if (error.verdict !== "dead-letter") {
        outcome.blockedBy = error;
        outcome.blocked.push(...part);
      } else if (part.length === 1 && only !== undefined) {
        outcome.refused.push({ event: only, error });
      } else {
        const middle = Math.ceil(part.length / 2);
        open.push(part.slice(middle), part.slice(0, middle));
      }
    }
  }
  return outcome;
}
