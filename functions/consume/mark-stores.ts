import { ASK_MS, type AskForLedger } from "../core/ask-behind-batch.ts";
import type { BatchRule } from "../core/batch.ts";
import type { ConsumerLag, StoreMarker } from "../core/feed.ts";
import type { Clock } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { Wakes } from "../core/wakes.ts";
import { WAKE_MS } from "./limits.ts";

export type MarkStoresDeps = {
  marker: StoreMarker;
  wakes: Wakes;
  ask: AskForLedger;
  clock: Clock;
  /** The mark could not be changed. */
  onFailure: (error: unknown) => void;
  /** The queue did not confirm a wake-up, or the request for a snapshot. */
  onUnsent: (what: "wake" | "snapshot") => void;
};

/**
 * Changes the mark of stored events after each batch of which events are stored, so that followers of the feed look at the
 * database; wakes the workers of notify where the mark says that somebody subscribes, or cannot be changed; and asks for a snapshot of the
 * ledger at the same time. Copies count as well: the process that stored the first may have ended before it did all of this. What fails is
 * done after the next batch; until then a follower whose cursor has the old mark waits. It never fails a batch.
 */
export function markStores(rule: BatchRule, deps: MarkStoresDeps): BatchRule {
  const { marker, wakes, ask, clock, onFailure, onUnsent } = deps;
  const owed = { mark: false, wake: false, snapshot: false };
  return async (messages, until) => {
    const outcome = await rule(messages, until);
    const { EventsStored = 0, EventsDuplicate = 0 } = outcome.metrics;
    if (EventsStored + EventsDuplicate > 0) {
      owed.mark = true;
      owed.snapshot = true;
    }
    await Promise.all([markAndWake(messages), askForSnapshot()]);
    return outcome;
  };

  async function askForSnapshot(): Promise<void> {
    if (!owed.snapshot) return;
    owed.snapshot = !(await ask(clock().getTime() + ASK_MS));
    if (owed.snapshot) onUnsent("snapshot");
  }

  async function markAndWake(messages: readonly ReceivedMessage[]): Promise<void> {
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
      if (owed.wake) onUnsent("wake");
    }
  }
}

/** A message that failed before is late for that, and not because too much waits. */
function lagOf(messages: readonly ReceivedMessage[], at: number): ConsumerLag | undefined {
  const sent = messages.filter(({ attempts }) => attempts === 1).map(({ firstSentAt }) => firstSentAt);
  return sent.length === 0 ? undefined : { lagMs: Math.max(at - Math.min(...sent), 0), at };
}
