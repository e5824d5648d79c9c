import { printable } from "../../cli/printable.ts";
import { type DeadLetterRow, reasonOf } from "../../functions/replay/dead-letter-row.ts";

/** One line to read and to grep. */
export function toLine(row: DeadLetterRow): string {
  const what = row.id === undefined ? `unreadable message ${row.messageId}` : `${row.type} ${row.source} ${row.id}`;
  const counts = `received ${row.receivedAt}, attempts ${row.attempts}, replays ${row.replays}`;
  return [what, reasonOf(row), `tenant ${row.tenant ?? "unknown"}`, counts, firstLine(row.detail)]
    .map(printable)
    .join(" | ");
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

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
