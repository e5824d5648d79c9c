/**
 * Tells whether a text is a `date-time` of RFC 3339: a day that exists, `T` and `Z` in either case (section 5.6), and a second
 * of 60 only where a leap second can be: at the end of a month in UTC (section 5.7).
 */
export function isRfc3339(text: string): boolean {
  if (USUAL.test(text)) return true;
  const match = DATE_TIME.exec(text);
  if (match === null) return false;
  const [, date, year, month, day, minute, second, offset = ""] = match;
  if (!isDay(Number(year), Number(month), Number(day))) return false;
  return second !== "60" || isMonthStart(Date.parse(`${date}T${minute}:59${offset.toUpperCase()}`) + 1_000);
}

/** The times that need no calendar, which are nearly all: a day that every month has, and no leap second. */
const USUAL =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

const DATE_TIME =
  /^((\d{4})-(\d\d)-(\d\d))T((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.\d+)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

function isDay(year: number, month: number, day: number): boolean {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day > 0 && day <= (month === 2 && isLeapYear ? 29 : (DAYS_OF_MONTH[month - 1] ?? 0));
}

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isMonthStart(instant: number): boolean {
  const date = new Date(instant);
  return date.getUTCDate() === 1 && date.getUTCHours() === 0 && date.getUTCMinutes() === 0;
}
