import type { Quantiles } from "../../../cli/quantiles.ts";
import { anomalies, type Anomaly, anomalyNames, type Place } from "./anomalies.ts";

/** From the first acknowledgement to the row, ms; 0 if the row was first. */
export type TimeToStable = Pick<Quantiles, "p50" | "p99" | "max">;

/** Numbers of keys, unless a comment names another unit. */
export type Counts = Record<Anomaly, number> & {
  /** The sum of `acknowledged`, `rejected` and `indeterminate`. */
  attempted: number;
  /** The sum of `stored`, `deadLettered`, `queued`, `unread` and `lost`: the ledger, with each key at its first place. */
  acknowledged: number;
  rejected: number;
  indeterminate: number;
  stored: number;
  deadLettered: number;
  queued: number;
  /** Keys that are found nowhere by name, but are known to be in an unreadable message. */
  unread: number;
  /** Indeterminate, and found stored, dead-lettered or queued. */
  recovered: number;
  /** Rows and messages of any key. */
  rows: number;
  deadLetterMessages: number;
  queuedMessages: number;
};

export type Findings = { counts: Counts; examples: Record<Anomaly, Place[]> };

export type Report = Readonly<Findings> & {
  /** True if no anomaly breaks the promise. Tests that expect it pass `text` as the message. */
  ok: boolean;
  timeToStable: TimeToStable;
  /** The verdict, the ledger and the times. */
  line: string;
  /** The line, and each anomaly with its examples. */
  text: string;
};

export function report({ counts, examples }: Findings, timeToStable: TimeToStable): Report {
  const found = anomalyNames.filter((name) => counts[name] > 0);
  const ok = found.every((name) => anomalies[name].kind === "note");
  const verdict = [ok ? "ok" : "BROKEN", ...found.map((name) => `${name} ${counts[name]}`)].join(", ");
  const line = `${verdict} | ${ledger(counts)} | ${stable(timeToStable)}`;
  const text = [line, ...found.map((name) => section(name, counts[name], examples[name]))].join("\n");
  return { ok, counts, examples, timeToStable, line, text };
}

export function createFindings(): Findings {
  const each = <T>(value: () => T) => Object.fromEntries(anomalyNames.map((name) => [name, value()]));
  const none = { attempted: 0, acknowledged: 0, rejected: 0, indeterminate: 0, recovered: 0 };
  const empty = { stored: 0, deadLettered: 0, queued: 0, unread: 0, rows: 0, deadLetterMessages: 0, queuedMessages: 0 };
  const counts = { ...none, ...empty, ...(each(() => 0) as Record<Anomaly, number>) };
  return { counts, examples: each(() => [] as Place[]) as Record<Anomaly, Place[]> };
}

function ledger(counts: Counts): string {
  const { attempted, acknowledged, rejected, indeterminate, recovered, stored, deadLettered, queued } = counts;
  const places = [`${stored} stored`, `${deadLettered} dead-lettered`, `${queued} queued`];
  if (counts.unread > 0) places.push(`${counts.unread} unread`);
  if (counts.lost > 0) places.push(`${counts.lost} lost`);
  return (
    `${attempted} attempted: ${acknowledged} acknowledged (${places.join(" + ")}), ` +
    `${rejected} rejected, ${indeterminate} indeterminate (${recovered} recovered)`
  );
}

function stable({ p50, p99, max }: TimeToStable): string {
  return Number.isNaN(max) ? "none stable" : `stable after p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
}

function section(name: Anomaly, count: number, examples: Place[]): string {
  const { kind, meaning } = anomalies[name];
  const more = count - examples.length;
  const lines = [`${kind} ${name}, ${count}: ${meaning}`, ...examples.map(example)];
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}

function example({ tenant, source, id, attempted, rows, deadLetters, queued }: Place): string {
  // JSON shows spaces and control characters in a key.
  const key = JSON.stringify([tenant, source, id]);
  return `  ${key} ${seen(attempted)}; ${rows} rows, ${deadLetters} dead letters, ${queued} queued`;
}

function seen(attempted: Place["attempted"]): string {
  if (attempted === undefined) return "never sent";
  const { attempts, attemptedAt, ackedAt, rejections } = attempted;
  const sent = `sent ${attempts}x since ${new Date(attemptedAt).toISOString()}`;
  if (ackedAt !== undefined) return `${sent}, acked ${ackedAt - attemptedAt} ms later`;
  return rejections === attempts ? `${sent}, rejected` : `${sent}, never answered for certain`;
}
