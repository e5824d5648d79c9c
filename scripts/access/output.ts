import { toTable } from "../../cli/to-table.ts";

/** Writes one JSON document, or a table for people. */
export function printRows<Row>(
  rows: readonly Row[],
  { json, head, cells }: { json: true | undefined; head: string[]; cells: (row: Row) => string[] },
): void {
  if (json) printJson(rows);
  else if (rows.length > 0)
    print(toTable(head, rows.map(cells), process.stdout.isTTY ? process.stdout.columns : Infinity));
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** Writes the members of a record, one a line, without those that are missing. */
export function printRecord(record: Readonly<Record<string, unknown>>): void {
  const members = Object.entries(record).filter(([, value]) => value !== undefined && value !== "");
  const width = Math.max(...members.map(([name]) => name.length)) + 2;
  for (const [name, value] of members)
    print(`${name.padEnd(width)}${typeof value === "string" ? value : JSON.stringify(value)}`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
