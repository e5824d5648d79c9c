import { type DeadLetterRow, reasonOf } from "../../functions/replay/dead-letter-row.ts";

/** One line to read and to grep. */
export function toLine(row: DeadLetterRow): string {
  const what = row.id === undefined ? `unreadable message ${row.messageId}` : `${row.type} ${row.source} ${row.id}`;
  const counts = `received ${row.receivedAt}, attempts ${row.attempts}, replays ${row.replays}`;
  return [what, reasonOf(row), `tenant ${row.tenant ?? "unknown"}`, counts, firstLine(row.detail)]
    .map(printable)
    .join(" | ");
}

/** Rows as columns, each as wide as its widest cell; lines are cut at the terminal's width. */
export function toTable(head: string[], rows: string[][], columns: number): string {
  const cells = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) => {
      const line = row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd();
      return line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
    })
    .join("\n");
}

export const TABLE_HEAD = ["RECEIVED", "REASON", "REPLAYS", "TENANT", "TYPE", "SOURCE", "ID", "DETAIL"];

export function toCells(row: DeadLetterRow): string[] {
  return [
    row.receivedAt.slice(0, "2026-11-21T09:30:00".length),
    reasonOf(row),
    String(row.replays),
    row.tenant ?? "",
    row.type ?? "unreadable message",
    row.source ?? "",
    row.id ?? row.messageId,
    firstLine(row.detail),
  ];
}

/** `1 event`, `2 events`. */
export function pluralize(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Escapes control characters. Ids, sources and details are a client's text, which could otherwise move the cursor of a
 * terminal or hide other lines.
 */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Controls, and the marks that reorder text. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
