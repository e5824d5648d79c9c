/** Numbers, times and sizes as people read them. Every function takes what the API gives. */

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const decimals = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** `12,345`; a text of digits keeps all of them. */
export function count(value: number | string): string {
  return typeof value === "string" && value.length > 15 ? value : whole.format(Number(value));
}

/** `12.3K` */
export function compact(value: number | string): string {
  return short.format(Number(value));
}

/** `0.25`, `1.5`, `1,230` */
export function decimal(value: number): string {
  return Math.abs(value) >= 1_000 ? whole.format(Math.round(value)) : decimals.format(value);
}

/** `12 %` of 0 to 1. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return `${decimals.format(Number((share * 100).toFixed(1)))} %`;
}

const UNITS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

/** `340 ms`, `12 s`, `3 min`, `4.5 h` */
export function duration(ms: number): string {
  const found = UNITS.find(([size]) => Math.abs(ms) >= size);
  if (found === undefined) return `${Math.round(ms)} ms`;
  const [size, unit] = found;
  const value = ms / size;
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`;
}

/** `3 min ago` */
export function ago(iso: string, now = Date.now()): string {
  const ms = now - Date.parse(iso);
  return ms < 1_000 ? "now" : `${duration(ms)} ago`;
}

/** `2026-11-30 03:06:19`, in the time zone of the browser. */
export function time(iso: string | number, { seconds = true, millis = false } = {}): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return String(iso);
  const clock = [pad(at.getHours()), pad(at.getMinutes()), ...(seconds ? [pad(at.getSeconds())] : [])].join(":");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock}${millis ? `.${pad(at.getMilliseconds(), 3)}` : ""}`;
}

/** `256 KB` */
export function bytes(size: number): string {
  if (size < 1_024) return `${size} B`;
  const kib = size / 1_024;
  return kib < 1_024 ? `${decimal(kib)} KB` : `${decimal(kib / 1_024)} MB`;
}

/** `1 event`, `2 events` */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, "0");
}
