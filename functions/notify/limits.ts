import { CLAIM_MAX, DELIVERY_TIMEOUT_MAX_MS } from "../core/subscription-limits.ts";

/** The limits of one round of the worker (work.ts). */

/** Kept free behind the last timeout: to write the last results, and to send the next wake-up. */
export const ROUND_RESERVE_MS = 5_000;

/** A round claims nothing any more with less time than this left: the longest timeout, and the reserve. */
export const ROUND_CLOSE_MS = DELIVERY_TIMEOUT_MAX_MS + ROUND_RESERVE_MS;

/** Kept free in the lease of a delivery behind its timeout: its result must be written before another worker has it. */
export const LEASE_RESERVE_MS = 5_000;

/**
 * Results wait so long for others, so that a fast sink costs a statement for many and not for each; or until they are as many
 * as are still to come, within these bounds.
 */
export const SETTLE_EVERY_MS = 250;
export const SETTLE_MAX = 200;
export const SETTLE_MIN = 10;

/**
 * Results of one write, from which it takes no further request's: with the answers of sinks they are a call of the Data API, of 4 MiB at
 * most. An answer of quotes alone is four times as long there, one of control characters seven times, and a request has up to 100 results.
 * As many as a claim has: a call takes the results of one and gives the next.
 */
export const SETTLE_AT_ONCE = CLAIM_MAX;

/** Writes of results at once: with one, the database waited while its answer was read, and the sink for the claim of the next. */
export const SETTLES_UNDER_WAY = 2;

/** Results for which a write does not wait for the one under way. Fewer come seldom, and beside another write a claim passes over its subscriptions. */
export const SETTLE_BESIDE_MIN = 100;

/** The pause after a write of results that an outage refused: it doubles from the first to the longest. */
export const SETTLE_RETRY_FIRST_MS = 100;
export const SETTLE_RETRY_MAX_MS = 2_000;

/** The part of its deliveries below which a worker waits for more room before it claims again. */
export const CLAIM_ROOM_SHARE = 1 / 4;

/** A claim with events of so much of its bytes may have been cut by them: as text in a result, an event is up to twice as long. */
export const CLAIM_CUT_SHARE = 1 / 8;

/**
 * While deliveries are under way, a round looks this often for new events and for what became due. Its sink may be slow, and
 * all workers may be held by such sinks.
 */
export const LOOK_AGAIN_MS = 500;

/** A delivery that is due so soon is waited for: the shortest delay of SQS is a second, in which a rate could lose its tokens. */
export const LINGER_MAX_MS = 1_000;

/**
 * A delivery that is due, and was not claimed, is looked at again after a pause, so many times in a round; and then by another round after
 * a second.
 */
export const UNCLAIMED_PAUSE_MS = 50;
export const UNCLAIMED_TRIES = 20;
export const UNCLAIMED_AGAIN_MS = 1_000;

/** The wait for an open transaction, or in an outage, doubles from a second to these. Writers end within 60 s. */
export const OPEN_WAIT_MAX_SECONDS = 60;
export const OUTAGE_WAIT_MAX_SECONDS = 600;

/** The wait for a filter that the database could not apply doubles to these: it may be a defect, which stays. */
export const FAILING_WAIT_MAX_SECONDS = 86_400;

/** The messages of a killed worker come again so long after the end of its time, the first times that they are received. */
export const KILLED_AGAIN_SECONDS = 5;
export const KILLED_AGAIN_RECEIVES = 3;

/** A process looks so often whether the mark says that somebody subscribes: it may be lost with its table. */
export const MARK_CHECK_EVERY_MS = 3_600_000;
