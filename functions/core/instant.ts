import { isRfc3339 } from "./rfc3339.ts";

/**
 * Writes an instant of RFC 3339 as UTC with microseconds, which is how PostgreSQL keeps times; a part of a microsecond counts
 * as a whole one, so that `>=` and `<` mean the same. Instants outside the years 1 to 9999 become the nearest one inside.
 * Returns undefined for a text that is no instant.
 */
export function toMicroseconds(text: string): string | undefined {
  if (!isRfc3339(text)) return undefined;
  const [, date, minute, second = "", fraction = "", offset = ""] = PARTS.exec(text) ?? [];
  // Date does not know leap seconds; PostgreSQL takes one as the second after it.
  const leap = second === "60" ? 1_000 : 0;
  const whole = Date.parse(`${date}T${minute}:${leap > 0 ? "59" : second}${offset.toUpperCase()}`) + leap;
  const digits = fraction.padEnd(6, "0");
  const micros = Number(digits.slice(0, 6)) + (/[1-9]/.test(digits.slice(6)) ? 1 : 0);
  const seconds = whole + (micros === 1_000_000 ? 1_000 : 0);
  if (seconds < EARLIEST_MS) return EARLIEST;
  if (seconds > LATEST_MS) return LATEST;
  return `${new Date(seconds).toISOString().slice(0, 19)}.${String(micros % 1_000_000).padStart(6, "0")}Z`;
}

const PARTS = /^(.{10}).(\d\d:\d\d):(\d\d)(?:\.(\d+))?(.+)$/;

const EARLIEST = "0001-01-01T00:00:00.000000Z";
const LATEST = "9999-12-31T23:59:59.999999Z";
const EARLIEST_MS = Date.parse("0001-01-01T00:00:00.000Z");
const LATEST_MS = Date.parse("9999-12-31T23:59:59.999Z");
