import type { BatchRule } from "../core/batch.ts";
import type { ConsumerLag, StoreMarker } from "../core/feed.ts";
import type { Clock } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { Wakes } from "../core/subscription.ts";
import { WAKE_MS } from "./limits.ts";

export type MarkStoresDeps = {
  marker: StoreMarker;
  wakes: Wakes;
  clock: Clock;
  /** The mark could not be changed. */
  onFailure: (error: unknown) => void;
  /** The queue did not confirm a wake-up. */
  onUnsent: () => void;
};

/**
 * Changes the mark of stored events after each batch of which events are stored, so that followers of the feed look at the
 * database; and wakes the workers of notify where the mark says that somebody subscribes, or cannot be changed. Copies count as well: the process
 * that stored the first may have ended before it changed the mark, or sent the wake-up. What fails is done after the next batch; until then
 * a follower whose cursor has the old mark waits. It never fails a batch.
 */
export function markStores(rule: BatchRule, { marker, wakes, clock, onFailure, onUnsent }: MarkStoresDeps): BatchRule {
  const owed = { mark: false, wake: false };
  return async (messages, until) => {
    const outcome = await rule(messages, until);
    const { EventsStored = 0, EventsDuplicate = 0 } = outcome.metrics;
    if (EventsStored + EventsDuplicate > 0) owed.mark = true;
    if (owed.mark) {
      try {
        const { isSubscribed } = await marker.change(lagOf(messages, clock().getTime()));
        owed.mark = false;
        owed.wake ||= isSubscribed;
      } catch (error) {
        onFailure(error);
        owed.wake = true;
      }
    }
    if (owed.wake) {
      owed.wake = !(await wakes.send({}, 0, clock().getTime() + WAKE_MS));
      if (owed.wake) onUnsent();
    }
    return outcome;
  };
}

/** A message that failed before is late for that, and not because too much waits. */
function lagOf(messages: readonly ReceivedMessage[], at: number): ConsumerLag | undefined {
  const sent = messages.filter(({ attempts }) => attempts === 1).map(({ firstSentAt }) => firstSentAt);
  return sent.length === 0 ? undefined : { lagMs: Math.max(at - Math.min(...sent), 0), at };
}
