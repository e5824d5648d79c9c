import { BACKOFF_MAX_SECONDS } from "./limits.ts";

/**
 * Waits grow by a quarter and are drawn from their upper quarter, because all waits before one then add up to at least
 * three times its length: however long an outage was, the backlog is visible again after a third of that.
 */
const GROWTH = 1.25;
const SPREAD = 0.25;

/** A quarter of the first waits is less than the second SQS counts in: they are spread over 1 to 3 seconds instead. */
const FIRST_SECONDS = 1;
const FIRST_SPREAD_SECONDS = 2;

/**
 * Seconds a failed message waits before it comes again: longer with each attempt up to the maximum, and spread, so that
 * messages that failed together do not come back together.
 * @param attempts times the message was tried so far, from 1
 * @param random from 0 (included) to 1 (excluded)
 */
export function backoffSeconds(attempts: number, random: number): number {
  const ceiling = Math.min(GROWTH ** attempts, BACKOFF_MAX_SECONDS);
  const wait = ceiling * (1 - SPREAD * (1 - random));
  return Math.round(Math.max(wait, FIRST_SECONDS + FIRST_SPREAD_SECONDS * random));
}
