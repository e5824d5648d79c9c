import { RequestError } from "../core/errors.ts";
import { isRfc3339 } from "../core/rfc3339.ts";

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** The last millisecond of year 9999: behind it the text of an instant is longer, and texts no longer compare as instants. */
export const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Reads the end of a period that begins now: a duration (`90d`, `12h`), or an instant of RFC 3339 in the future.
 * @param member of the body, for the error
 * @throws RequestError `malformed_body`
 */
export function readEnd(member: string, text: string, now: Date): string {
  const end = isRfc3339(text) ? Date.parse(text) : now.getTime() + readDuration(member, text);
  if (!(end <= LATEST_MS)) throw malformed(member, "is too far in the future; leave it out for no end");
  if (end <= now.getTime()) throw malformed(member, "is in the past; send an instant in the future, or a duration");
  return new Date(end).toISOString();
}

function readDuration(member: string, text: string): number {
  const [, count, unit] = /^(\d{1,15})([smhdw])$/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0)
    throw malformed(member, "takes a duration such as 30m, 12h, 90d or 4w, or an instant such as 2027-01-01T00:00:00Z");
  return Number(count) * UNITS[unit as keyof typeof UNITS];
}

function malformed(member: string, why: string): RequestError {
  return new RequestError("malformed_body", `${member} ${why}.`);
}
