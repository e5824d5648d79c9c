import type { DeadLetterStore, NewDeadLetter } from "../core/dead-letter-table.ts";
import { DatabaseError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { RECORD_MIN_REMAINING_MS } from "../core/queue-limits.ts";
import type { ReceivedDeadLetter } from "../core/queue-message.ts";
import { workAhead } from "../core/work-ahead.ts";
import { readDeadLetters } from "./read-dead-letters.ts";

export type RecordResult = {
  /** Messages of which some dead letter is not recorded. */
  failed: ReceivedDeadLetter[];
  /** Why, where the database said why; of several the first outage. */
  failure: DatabaseError | undefined;
  /** An error that is none of the database: a mistake of ours. */
  error: unknown;
  /** Dead letters that are new or open again. */
  recorded: number;
  /** Open dead letters after that, where a call succeeded, also one that changed nothing. */
  open: number | undefined;
};

/**
 * Records the dead letters of messages, in chunks, and counts the open ones; `deadline` is ms since the epoch. Never throws. Where
 * they cannot be counted all messages fail: they come again and are counted then, though they are recorded. The alarm would
 * not know of them otherwise, and the same holds for a function that is killed before it reports them.
 */
export function createRecordMessages({ store, clock }: { store: DeadLetterStore; clock: Clock }) {
  return async function recordMessages(messages: ReceivedDeadLetter[], deadline: number): Promise<RecordResult> {
    const failed = new Set<ReceivedDeadLetter>();
    const note = (error: unknown) => {
      if (!(error instanceof DatabaseError)) result.error = error;
      else if (result.failure?.isOutage !== true) result.failure = error;
    };
    const result: RecordResult = { failed: [], failure: undefined, error: undefined, recorded: 0, open: undefined };
    let isChanged = false;
    // The next chunk is read while the database works on the one before.
    await workAhead(readChunks(messages, store), async (chunk) => {
      const waiting = chunk.length > 0 ? [chunk] : [];
      for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
        const isHopeless = result.error !== undefined || result.failure?.isOutage === true;
        if (isHopeless || clock().getTime() + RECORD_MIN_REMAINING_MS > deadline) {
          for (const { from } of part) failed.add(from);
          continue;
        }
        try {
          result.recorded += (await store.record(part, deadline)).recorded;
          isChanged = true;
        } catch (error) {
          const middle = Math.ceil(part.length / 2);
          const isFault = error instanceof DatabaseError && !error.isOutage;
          if (isFault && part.length > 1) {
            // One dead letter is too much for the database: the others are recorded without it.
            waiting.push(part.slice(middle), part.slice(0, middle));
            continue;
          }
          for (const { from } of part) failed.add(from);
          note(error);
        }
      }
    });
    if (isChanged) {
      try {
        result.open = await store.countOpen(deadline);
      } catch (error) {
        for (const message of messages) failed.add(message);
        note(error);
      }
    }
    return { ...result, failed: [...failed] };
  };
}

/** A dead letter and the message it came in. */
type Sourced = NewDeadLetter & { from: ReceivedDeadLetter };

/** Reads messages in order, a chunk each time it is asked for one; the last chunk may be empty. */
function* readChunks(messages: ReceivedDeadLetter[], store: DeadLetterStore): Generator<Sourced[]> {
  const chunker = store.createChunker<Sourced>();
  for (const from of messages) {
    for (const deadLetter of readDeadLetters(from)) {
      const full = chunker.add({ ...deadLetter, from });
      if (full !== undefined) yield full;
    }
  }
  yield chunker.rest();
}
