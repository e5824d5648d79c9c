/** The limits of the function `retain`. */

/** Pages of 8 KiB of a day's table whose keys one statement deletes: some ten thousand events, and a second. */
export const RETAIN_KEY_PAGES = 1_000;

/** Events under a hold that one statement moves, or deletes when they are released. */
export const RETAIN_HELD_AT_ONCE = 2_000;

/** Rollups of one tenant that one statement deletes, and deltas: measured 36 to 88 ms for 10,000 of each, on 2 cores. */
export const RETAIN_ROLLUPS_AT_ONCE = 10_000;

/** The time for which a step goes on with the next day. */
export const RETAIN_STEP_MS = 120_000;

/** Before its end a step begins no other day: a detachment and its completion may take 45 s each (Data API), and some calls follow. */
export const RETAIN_STEP_RESERVE_MS = 110_000;

/** The longest wait for a day that is to be tried again: the longest delay of a message. */
export const RETAIN_MAX_DELAY_SECONDS = 900;

/** The least that an event source may have; the steps take the work by a lease, one at a time. */
export const RETAIN_MAX_CONCURRENCY = 2;

/** Days ahead that `GET /retention` tells by default, and at most. */
export const RETENTION_PLAN_DAYS = 7;
export const RETENTION_PLAN_MAX_DAYS = 400;

/** A day is dropped within a day of its time; two runs that left one behind are a fault. */
export const RETENTION_BEHIND_ALARM_DAYS = 2;

/** Half of the days that are made ahead (PARTITION_DAYS_AHEAD): a week is left to repair what makes them. */
export const PARTITIONS_MISSING_ALARM_DAYS = 7;
