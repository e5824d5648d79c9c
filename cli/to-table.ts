import { printable } from "./printable.ts";

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
