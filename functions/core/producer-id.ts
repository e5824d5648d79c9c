import { randomBytes } from "node:crypto";

/**
 * The id of a producer, a process of ingest that numbers the events it accepts: the time of its begin in 9 digits of base 36, so that
 * ids sort by it as bytes, and 12 random characters.
 */
export const PRODUCER_ID = /^[0-9a-z]{9}[\w-]{12}$/;

const TIME_DIGITS = 9;
const RANDOM_BYTES = 9;

/** @param begin ms since the epoch */
export function newProducerId(begin: number): string {
  return firstProducerId(begin) + randomBytes(RANDOM_BYTES).toString("base64url");
}

/** The beginning of the ids of a time: none that began then or later sorts before it. */
export function firstProducerId(begin: number): string {
  return begin.toString(36).padStart(TIME_DIGITS, "0");
}

/** The time at which a producer began, ms since the epoch. */
export function producerBegin(id: string): number {
  return Number.parseInt(id.slice(0, TIME_DIGITS), 36);
}
