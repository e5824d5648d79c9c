import { TIME_MAX_CHARACTERS } from "../limits.ts";
import { isRfc3339 } from "../rfc3339.ts";

/**
 * Instants as they are stored in a timestamptz: microseconds, of which the last is rounded, and a leap second, whatever its
 * fraction, as the beginning of the second after it (functions/adapters/data-api/event-store.ts).
 */

/** Tells whether a text is a time that an event can have: RFC 3339 of bounded length, a year from 0001, an offset below 16 hours. */
export function isInstant(text: string): boolean {
  return (
    text.length <= TIME_MAX_CHARACTERS &&
    isRfc3339(text) &&
    !text.startsWith("0000") &&
    !/[+-](?:1[6-9]|2\d):\d\d$/.test(text)
  );
}

/** Microseconds since 1970; undefined for a text that is no time. */
export function toInstant(text: unknown): bigint | undefined {
  const match = typeof text === "string" ? TIME.exec(text) : null;
  if (match === null) return undefined;
  const [, minute, second = "00", fraction = "", zone = "Z"] = match;
  const start = Date.parse(`${minute}:00${zone.toUpperCase()}`.replace("t", "T"));
  if (Number.isNaN(start)) return undefined;
  return BigInt(start) * 1_000n + BigInt(second) * 1_000_000n + BigInt(second === "60" ? 0 : toMicroseconds(fraction));
}

/** Writes a time so that PostgreSQL reads the same instant: it refuses a fraction of a leap second that it rounds up. */
export function writeInstant(text: string): string {
  return text.replace(/(:60)\.\d+/, "$1");
}

const TIME = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d)(?::(\d\d)(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/;

/** PostgreSQL reads the fraction as a double, and rounds a half to the even number (`rint`). */
function toMicroseconds(fraction: string): number {
  const exact = Number(`0${fraction}`) * 1_000_000;
  const down = Math.floor(exact);
  if (exact - down !== 0.5) return Math.round(exact);
  return down % 2 === 0 ? down : down + 1;
}
