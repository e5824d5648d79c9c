import type { AggregateRow, AggregateScan, Measure } from "../../functions/core/aggregate-reader.ts";
import { toPredicate } from "../../functions/core/filter/predicate.ts";
import { isJsonObject, isRawNumber } from "../../functions/core/lossless-json.ts";
import { matchesAny } from "../../functions/core/patterns.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";

/** Aggregates events one by one, with exact decimals: what the database must answer. `avg` is a pair of sum and count. */
export function bruteAggregate(events: readonly StorableEvent[], scan: AggregateScan): AggregateRow[] {
  const passes = scan.filter === undefined ? () => true : toPredicate(scan.filter);
  const counted = events.filter(
    ({ tenant, receivedAt, event }) =>
      tenant === scan.tenant &&
      Date.parse(receivedAt) >= Date.parse(scan.from) &&
      Date.parse(receivedAt) < Date.parse(scan.to) &&
      matchesAny(scan.allowed.types, event.type) &&
      matchesAny(scan.allowed.sources, event.source) &&
      passes(event),
  );
  const groups = Map.groupBy(counted, (each) =>
    JSON.stringify([bucketOf(each.receivedAt, scan), scan.fields.map((field) => groupValue(each, field))]),
  );
  return [...groups].map(([key, members]) => {
    const [bucket, values] = JSON.parse(key) as [string, unknown[]];
    return { bucket, groups: JSON.stringify(values), measured: scan.measures.map((each) => measure(members, each)) };
  });
}

function groupValue({ event }: StorableEvent, field: AggregateScan["fields"][number]): unknown {
  const value = typeof field === "string" ? event[field as "type"] : valueAt(event.data, field);
  return ["string", "number", "boolean"].includes(typeof value) ? value : null;
}

function valueAt(data: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return /^(?:0|[1-9]\d*)$/.test(key) ? (value[Number(key)] as unknown) : undefined;
    return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, data);
}

function measure(events: readonly StorableEvent[], asked: Measure): string | null {
  if (asked === "count") return String(events.length);
  const numbers = events
    .map(({ event }) => valueAt(event.data, asked.path))
    .flatMap((value) => (isRawNumber(value) ? [value.rawJSON] : typeof value === "number" ? [String(value)] : []))
    .map(toDecimal)
    .toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (asked.function === "count") return String(numbers.length);
  if (numbers.length === 0) return null;
  const rank = (fraction: number) => numbers[Math.ceil(fraction * numbers.length) - 1] ?? 0n;
  const sum = numbers.reduce((total, each) => total + each, 0n);
  switch (asked.function) {
    case "sum":
      return toText(sum);
    case "avg":
      return `${toText(sum)}/${numbers.length}`;
    case "min":
      return toText(numbers[0] ?? 0n);
    case "max":
      return toText(numbers.at(-1) ?? 0n);
    default:
      return toText(rank(Number(asked.function.slice(1)) / 100));
  }
}

/** Decimals of all numbers, which are kept as integers of this unit. */
const SCALE = 400;

function toDecimal(text: string): bigint {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const magnitude = BigInt(whole + fraction) * 10n ** BigInt(SCALE - fraction.length + Number(exponent));
  return sign === "-" ? -magnitude : magnitude;
}

function toText(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(SCALE + 1, "0");
  const fraction = digits.slice(-SCALE).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -SCALE)}${fraction === "" ? "" : `.${fraction}`}`;
}

const starts = new Map<string, string>();

/** The beginning of a bucket, found by trying instants: the earliest one of its local date. */
function bucketOf(
  receivedAt: string,
  { every, timeZone, from }: Pick<AggregateScan, "every" | "timeZone" | "from">,
): string {
  const at = Date.parse(receivedAt);
  if (every === undefined) return writeLocal(Date.parse(from), timeZone);
  const minutes = { PT1M: 1, PT5M: 5, PT15M: 15, PT1H: 60 }[every as string];
  if (minutes !== undefined) {
    // From here back to the first minute whose clock shows a multiple.
    let start = Math.floor(at / 60_000) * 60_000;
    while (Number(writeLocal(start, timeZone).slice(14, 16)) % minutes !== 0) start -= 60_000;
    return writeLocal(start, timeZone);
  }
  const day = writeLocal(at, timeZone).slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  if (every === "P1W") date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  if (every === "P1M") date.setUTCDate(1);
  const first = date.toISOString().slice(0, 10);
  const key = `${timeZone} ${first}`;
  const known = starts.get(key);
  if (known !== undefined) return known;
  let start = date.getTime() - 15 * 3_600_000;
  while (!writeLocal(start, timeZone).startsWith(first)) start += 15 * 60_000;
  const text = writeLocal(start, timeZone);
  starts.set(key, text);
  return text;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function writeLocal(at: number, timeZone: string): string {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat("en-CA", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      timeZoneName: "longOffset",
    });
  formats.set(timeZone, format);
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute, second, timeZoneName = "" } = parts as Record<string, string>;
  const offset = timeZoneName.replace(/^GMT(?:\+00:00)?/, "");
  const millis = at % 1_000 === 0 ? "" : `.${String(at % 1_000).padStart(3, "0")}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${millis}${offset === "" ? "Z" : offset}`;
}
