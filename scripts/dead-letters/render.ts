import { printable } from "../../cli/printable.ts";
import type { DeadLetterRow } from "../../functions/core/dead-letter-table.ts";

/** One line to read and to grep. */
export function toLine(row: DeadLetterRow): string {
  const what = row.eventId === null ? `unreadable message ${row.id}` : `${row.type} ${row.source} ${row.eventId}`;
  const counts = `received ${row.receivedAt ?? "unknown"}, attempts ${row.attempts}, replays ${row.replays}`;
  return [what, reasonOf(row), `tenant ${row.tenant ?? "unknown"}`, counts, firstLine(row.message), row.id]
    .map(printable)
    .join(" | ");
}

export const TABLE_HEAD = ["OPENED", "REASON", "REPLAYS", "TENANT", "TYPE", "SOURCE", "ID", "MESSAGE"];

export function toCells(row: DeadLetterRow): string[] {
  return [
    row.openedAt.slice(0, "2026-11-21T09:30:00".length),
    reasonOf(row),
    String(row.replays),
    row.tenant ?? "",
    row.type ?? "unreadable message",
    row.source ?? "",
    row.eventId ?? row.id,
    firstLine(row.message),
  ];
}

/** The reason with its SQLSTATE, for example `not_storable 22P05`. */
export function reasonOf({ reason, sqlState }: Pick<DeadLetterRow, "reason" | "sqlState">): string {
  return sqlState === null ? reason : `${reason} ${sqlState}`;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
