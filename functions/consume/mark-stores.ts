import type { BatchRule } from "../core/batch.ts";
import type { ConsumerLag, StoreMarker } from "../core/feed.ts";
import type { Clock } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";

/**
 * Changes the mark of stored events after each batch of which events are stored, so that followers of the feed look at the
 * database. Copies count as well: the process that stored the first may have ended before it changed the mark. A change that
 * fails is made after the next batch; until then a follower whose cursor has the old mark waits.
 */
export function markStores(
  rule: BatchRule,
  { marker, clock, onFailure }: { marker: StoreMarker; clock: Clock; onFailure: OnFailure },
): BatchRule {
  let isOwed = false;
  return async (messages, until) => {
    const outcome = await rule(messages, until);
    const { EventsStored = 0, EventsDuplicate = 0 } = outcome.metrics;
    if (EventsStored + EventsDuplicate > 0) isOwed = true;
    if (isOwed) {
      await marker.change(lagOf(messages, clock().getTime())).then(
        () => (isOwed = false),
        (error: unknown) => onFailure(error),
      );
    }
    return outcome;
  };
}

/** A message that failed before is late for that, and not because too much waits. */
function lagOf(messages: readonly ReceivedMessage[], at: number): ConsumerLag | undefined {
  const sent = messages.filter(({ attempts }) => attempts === 1).map(({ firstSentAt }) => firstSentAt);
  return sent.length === 0 ? undefined : { lagMs: Math.max(at - Math.min(...sent), 0), at };
}

type OnFailure = (error: unknown) => void;
