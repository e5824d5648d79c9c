import {
  CLAIM_LEASE_SECONDS,
  CLAIM_MAX,
  CLAIM_MAX_BYTES,
  CLAIM_MAX_OF_FAST,
  CLAIM_MAX_OF_ONE,
  DELIVERIES_HELD,
  DISPATCH_MS,
  REDELIVER_MAX,
} from "../core/subscription-limits.ts";
import type { Claim, ClaimBounds, DeliveryWork } from "../core/delivery-work.ts";
import { DatabaseError } from "../core/errors.ts";
import {
  CLAIM_CUT_SHARE,
  CLAIM_ROOM_SHARE,
  LINGER_MAX_MS,
  LOOK_AGAIN_MS,
  ROUND_CLOSE_MS,
  ROUND_RESERVE_MS,
  UNCLAIMED_AGAIN_MS,
  UNCLAIMED_PAUSE_MS,
  UNCLAIMED_TRIES,
} from "./limits.ts";
import { type AttemptCounts, createSending, type SendingDeps } from "./sending.ts";
import { createSignal } from "./signal.ts";

export type RoundDeps = SendingDeps & { work: DeliveryWork; newId: () => string };

export type Round = AttemptCounts & {
  /** Deliveries that were made of events, and those that redeliveries took. */
  matched: number;
  taken: number;
  /** The age of the oldest delivery at its first attempt. */
  lagMs: number | undefined;
  /** All there are. */
  subscriptions: number;
  /** Ids of subscriptions and redeliveries whose filter the database could not apply; the next round tries them again. */
  failing: readonly string[];
  /** A transaction is open, whose events will come later. */
  isOpen: boolean;
  /** Notices wait to be sent. */
  hasNotices: boolean;
  /** Something is left that could be done now. */
  isTimeOver: boolean;
  /** When something is due next, ms since the epoch; Infinity where nothing waits. */
  dueAt: number;
  /** The first error that ended the round; undefined where none did. */
  failure: unknown;
};

/**
 * Makes deliveries of new events, claims what is due, sends and settles it, until nothing is due or the time is over. All of that
 * happens at once: a large backlog of events does not hold back what is due, nor a slow sink what is new. Never throws.
 * @param until when the function is stopped, ms since the epoch
 */
export async function runRound(deps: RoundDeps, until: number): Promise<Round> {
  const { clock, wait, newId } = deps;
  const { work } = deps;
  const worker = newId();
  const closesAt = until - ROUND_CLOSE_MS;
  const deadline = until - ROUND_RESERVE_MS;
  const now = () => clock().getTime();
  const changes = createSignal();
  const over = createSignal();
  const feed = {
    matched: 0,
    taken: 0,
    subscriptions: 0,
    failing: NONE,
    isOpen: false,
    isAtEnd: false,
    hasNotices: false,
  };
  let lagMs: number | undefined;
  let dueAt = Infinity;
  let failure: unknown;
  let hasEnded = false;
  let unclaimed = 0;
  /** Something may be due that no claim has seen. */
  let mayClaim = true;

  let claimedAt = now();
  /** The last write failed, and may have taken a claim with it. */
  let isInDoubt = false;

  /** A claim without a write. Both lock subscriptions: beside a write it would pass over those of the write. */
  let claiming: Promise<void> = Promise.resolve();
  /** Deliveries that claims under way may give. */
  let asked = 0;

  const room = (): number => sending.room() - asked;
  const hasRoom = (): boolean => room() >= DELIVERIES_HELD * CLAIM_ROOM_SHARE;
  const isTime = (): boolean => now() >= claimedAt + LOOK_AGAIN_MS;
  /** Deliveries that it may claim now. */
  const claimable = (): number => (isTime() || hasRoom() ? Math.max(Math.min(room(), CLAIM_MAX), 0) : 0);
  const sending = createSending({ ...deps, work: { ...work, settle } }, worker, until, {
    // At each answer: it wakes nobody without need.
    room: () => {
      if (mayClaim && hasRoom()) changes.raise();
    },
    settled: () => {
      changes.raise();
      if (sending.hasFailed()) over.raise();
    },
  });
  const isOver = () => hasEnded || failure !== undefined || sending.hasFailed() || now() >= closesAt;
  const pause = () => Promise.race([changes.next(), wait(LOOK_AGAIN_MS)]);

  /** Makes deliveries of events for as long as the round goes on: all workers may be held by slow sinks. */
  async function dispatch(): Promise<void> {
    do {
      const found = await work.dispatch(DISPATCH_MS, deadline);
      const { taken, isAtEnd, failing } = await work.redeliver(REDELIVER_MAX, deadline);
      feed.matched += found.matched;
      feed.taken += taken;
      feed.subscriptions = found.subscriptions;
      feed.isOpen = found.isOpen;
      feed.hasNotices = found.hasNotices;
      feed.failing = [...found.failing, ...failing];
      feed.isAtEnd = found.isAtEnd && isAtEnd;
      if (found.matched + taken > 0) mayClaim = true;
      changes.raise();
      if (feed.isAtEnd && !isOver()) await Promise.race([over.next(), wait(LOOK_AGAIN_MS)]);
    } while (!isOver());
  }

  /** Claims and sends until nothing is due. */
  async function send(): Promise<void> {
    for (await pause(); !isOver(); ) {
      if (mayClaim && claimable() > 0 && !sending.isSettling()) {
        const claimed = take(claimable(), (bounds) => work.claim(worker, bounds, deadline));
        claiming = claimed.catch(() => undefined);
        await claimed;
      } else if (!mayClaim && feed.isAtEnd && sending.isIdle()) {
        if (!(await isDueSoon())) return;
        mayClaim = true;
      } else {
        // The next write takes the claim along.
        if (mayClaim && claimable() > 0) sending.hasten();
        await pause();
        // Time has passed, in which something may have become due.
        if (isTime()) mayClaim = true;
      }
    }
  }

  /** Claims in some way, and begins to send. `mayClaim` says then whether there may be more that it could have. */
  async function take(most: number, claim: (bounds: ClaimBounds) => Promise<Claim>): Promise<void> {
    claimedAt = now();
    mayClaim = false;
    const leaseEnds = claimedAt + CLAIM_LEASE_SECONDS * 1_000;
    asked += most;
    let claimed: Claim;
    try {
      claimed = await claim({
        most,
        mostOfOne: CLAIM_MAX_OF_ONE,
        leaseSeconds: CLAIM_LEASE_SECONDS,
        fast: sending.fast(),
        mostOfFast: CLAIM_MAX_OF_FAST,
      });
    } finally {
      asked -= most;
    }
    for (const { attempt, matchedAt } of claimed.deliveries)
      if (attempt === 1) lagMs = Math.max(lagMs ?? 0, now() - Date.parse(matchedAt));
    sending.add(claimed, leaseEnds);
    const { length } = claimed.deliveries;
    const characters = claimed.deliveries.reduce((sum, { event }) => sum + event.length, 0);
    // Whole batches may be more than it asked for.
    if (length >= most || (length > 0 && characters > CLAIM_MAX_BYTES * CLAIM_CUT_SHARE)) mayClaim = true;
  }

  /** Writes results, behind which others may be due, and claims along with that. After a failure it writes alone, whatever was at fault. */
  async function settle(...[of, results, end]: Parameters<DeliveryWork["settle"]>): Promise<boolean> {
    await claiming;
    const most = isInDoubt || isOver() ? 0 : claimable();
    try {
      let hasNotices = false;
      if (most > 0)
        await take(most, async (bounds) => {
          const done = await work.settleAndClaim(of, results, bounds, end);
          hasNotices = done.hasNotices;
          return done.claim;
        });
      else {
        hasNotices = await work.settle(of, results, end);
        mayClaim = true;
      }
      isInDoubt = false;
      return hasNotices;
    } catch (error) {
      mayClaim = true;
      isInDoubt = true;
      if (most === 0 || (error instanceof DatabaseError && error.isOutage)) throw error;
      return settle(of, results, end);
    }
  }

  /** Waits for what is due within a moment, and returns whether there is such. */
  async function isDueSoon(): Promise<boolean> {
    const next = await work.nextDueAt(CLAIM_MAX_OF_ONE, deadline);
    dueAt = next === undefined ? Infinity : Date.parse(next);
    if (dueAt <= now()) {
      // Another worker had just locked it, or its event is no longer retained.
      unclaimed += 1;
      if (unclaimed <= UNCLAIMED_TRIES) {
        await wait(UNCLAIMED_PAUSE_MS);
        return true;
      }
      dueAt = now() + UNCLAIMED_AGAIN_MS;
    } else if (dueAt <= now() + LINGER_MAX_MS) {
      // Something new shall not wait with it.
      await Promise.race([changes.next(), wait(dueAt - now())]);
      return true;
    }
    return false;
  }

  const noteFailure = (error: unknown): void => {
    failure ??= error;
    changes.raise();
    over.raise();
  };

  const dispatching = dispatch().catch(noteFailure);
  await send().catch(noteFailure);
  const isTimeOver = () => now() >= closesAt || mayClaim || !feed.isAtEnd;
  hasEnded = true;
  over.raise();
  await Promise.all([sending.end().catch(noteFailure), dispatching]);
  const { isAtEnd: _, ...fed } = feed;
  const hasNotices = fed.hasNotices || sending.hasNotices();
  return { ...sending.counts, ...fed, hasNotices, lagMs, isTimeOver: isTimeOver(), dueAt, failure };
}

const NONE: readonly string[] = [];
