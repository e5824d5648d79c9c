/**
 * Tells whether a text is a `date-time` of RFC 3339: a day that exists, `T` and `Z` in either case (section 5.6), and a second
 * of 60 only where a leap second can be: at the end of a month in UTC (section 5.7).
 */
export function isRfc3339(text: string): boolean {
  const [, date = "", minute, second, offset = ""] = DATE_TIME.exec(text) ?? [];
  if (new Date(`${date}T00:00Z`).getUTCDate() !== Number(date.slice("yyyy-mm-".length))) return false;
  return second !== "60" || isMonthStart(Date.parse(`${date}T${minute}:59${offset.toUpperCase()}`) + 1_000);
}

const DATE_TIME =
  /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.\d+)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

function isMonthStart(instant: number): boolean {
  const date = new Date(instant);
  return date.getUTCDate() === 1 && date.getUTCHours() === 0 && date.getUTCMinutes() === 0;
}
