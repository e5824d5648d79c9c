import type { SqlValue } from "../../core/ports.ts";

/** Joins the pieces of `cut_text`; undefined where there are none. */
export function joinPieces(rows: readonly SqlValue[][]): string | undefined {
  return rows.length === 0 ? undefined : rows.map(([piece]) => String(piece)).join("");
}
