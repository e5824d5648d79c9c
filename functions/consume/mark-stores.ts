import { type AskForLedger, deadlineBehindBatch } from "../core/ask-behind-batch.ts";
import type { BatchRule } from "../core/batch.ts";
import type { ConsumerLag, StoreMarker } from "../core/feed.ts";
import type { Clock } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { StatusMessages } from "../core/status-message.ts";
import type { Wakes } from "../core/wakes.ts";

export type MarkStoresDeps = {
  marker: StoreMarker;
  wakes: Wakes;
  ask: AskForLedger;
  messages: StatusMessages;
  clock: Clock;
  /** The mark could not be changed. */
  onFailure: (error: unknown) => void;
  /** The queue did not confirm a wake-up, or the request for a mark or for a snapshot. */
  onUnsent: (what: "wake" | "mark" | "snapshot") => void;
};

/**
 * Changes the mark of stored events after each batch of which events are stored, so that followers of the feed look at the
 * database; wakes the workers of notify where the mark says that somebody subscribes, or cannot be changed; and asks for a snapshot of the
 * ledger at the same time. Copies count as well: the process that stored the first may have ended before it did all of this. A mark that
 * cannot be changed is left to the function `status`, by a message. What the queues do not confirm is done after the next batch. It never
 * fails a batch.
 */
export function markStores(rule: BatchRule, deps: MarkStoresDeps): BatchRule {
  const { marker, wakes, ask, messages: statusMessages, clock } = deps;
  const owed = { mark: false, wake: false, snapshot: false };
  /** A call behind the last batch failed. */
  let hasFailed = false;
  return async (messages, until) => {
    const outcome = await rule(messages, until);
    const { EventsStored = 0, EventsDuplicate = 0 } = outcome.metrics;
    if (EventsStored + EventsDuplicate > 0) {
      owed.mark = true;
      owed.snapshot = true;
    }
    const hadFailed = hasFailed;
    hasFailed = false;
    const deadline = () => deadlineBehindBatch(clock().getTime(), until, hadFailed);
    await Promise.all([markAndWake(messages, deadline), askForSnapshot(deadline)]);
    return outcome;
  };

  function noteUnsent(what: "wake" | "mark" | "snapshot"): void {
    hasFailed = true;
    deps.onUnsent(what);
  }

  async function askForSnapshot(deadline: () => number): Promise<void> {
    if (!owed.snapshot) return;
    owed.snapshot = !(await ask(deadline()));
    if (owed.snapshot) noteUnsent("snapshot");
  }

  async function markAndWake(messages: readonly ReceivedMessage[], deadline: () => number): Promise<void> {
    if (owed.mark) {
      try {
        const { isSubscribed } = await marker.change(lagOf(messages, clock().getTime()), deadline());
        owed.mark = false;
        owed.wake ||= isSubscribed;
      } catch (error) {
        hasFailed = true;
        deps.onFailure(error);
        owed.wake = true;
      }
    }
    await Promise.all([wake(deadline()), askForMark(deadline())]);
  }

  async function wake(deadline: number): Promise<void> {
    if (!owed.wake) return;
    owed.wake = !(await wakes.send({}, 0, deadline));
    if (owed.wake) noteUnsent("wake");
  }

  async function askForMark(deadline: number): Promise<void> {
    if (!owed.mark) return;
    owed.mark = !(await statusMessages.send({ kind: "mark" }, 0, deadline));
    if (owed.mark) noteUnsent("mark");
  }
}

/** A message that failed before is late for that, and not because too much waits. */
function lagOf(messages: readonly ReceivedMessage[], at: number): ConsumerLag | undefined {
  const sent = messages.filter(({ attempts }) => attempts === 1).map(({ firstSentAt }) => firstSentAt);
  return sent.length === 0 ? undefined : { lagMs: Math.max(at - Math.min(...sent), 0), at };
}
