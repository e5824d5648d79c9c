import { BACKOFF_MAX_SECONDS } from "./queue-limits.ts";

/**
 * Each wait is a quarter longer than the one before, and a random part of its last quarter is left out. The waits before any
 * wait then add up to at least three times its length. So after an outage the last wait of a message is at most a third of
 * the outage.
 */
const GROWTH = 1.25;
const SPREAD = 0.25;

/** SQS counts whole seconds, and a quarter of the first waits is less. These are spread over 1 to 3 seconds instead. */
const FIRST_SECONDS = 1;
const FIRST_SPREAD_SECONDS = 2;

/**
 * Seconds until a failed message is delivered again. They grow with each attempt up to the maximum, and are random, so that
 * messages that failed together do not come back together.
 * @param attempts times the message was tried so far, from 1
 * @param random from 0 (included) to 1 (excluded)
 */
export function backoffSeconds(attempts: number, random: number): number {
  const ceiling = Math.min(GROWTH ** attempts, BACKOFF_MAX_SECONDS);
  const wait = ceiling * (1 - SPREAD * (1 - random));
  return Math.round(Math.max(wait, FIRST_SECONDS + FIRST_SPREAD_SECONDS * random));
}
