import { printable } from "../../cli/printable.ts";
import type { ReceivedWebhook } from "./receiver.ts";

/** Widths that fit most events: lines come one by one, so no later one can widen a column. */
const COLUMNS = [
  { head: "AT", width: 24 },
  { head: "TRY", width: 3 },
  { head: "VERDICT", width: 9 },
  { head: "ANSWER", width: 6 },
  { head: "TYPE", width: 32 },
  { head: "SOURCE", width: 20 },
  { head: "ID", width: 36 },
] as const;

/** The first line. */
export const headLine = (columns: number): string => toLine([...COLUMNS.map(({ head }) => head), ""], columns);

/** A webhook for people: a line for each of its events, or one that says what is wrong with it. */
export function webhookLines({ events = [{}], ...webhook }: ReceivedWebhook, columns: number): string[] {
  const { at, attempt, verdict, status, why, id } = webhook;
  return events.map(({ type, source, id: eventId }) => {
    const cells = [at, String(attempt), verdict, String(status), type, source, eventId ?? id].map((cell) =>
      typeof cell === "string" ? printable(cell) : "",
    );
    return toLine([...cells, why ?? ""], columns);
  });
}

/** A webhook for a pipe. */
export const webhookJson = (webhook: ReceivedWebhook): string => JSON.stringify(webhook);

function toLine(cells: string[], columns: number): string {
  const line = cells
    .map((cell, column) => cell.padEnd(COLUMNS[column]?.width ?? 0))
    .join("  ")
    .trimEnd();
  return line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}
