import { pluralize } from "../../cli/pluralize.ts";
import { print, printRows } from "../access/output.ts";

/**
 * Prints a list: a table for people, or one JSON object a line; and its length on stderr.
 * @param noun of a row, with its plural where that has not just an s more
 */
export function printList<Row>(
  { rows, isWhole }: { rows: readonly Row[]; isWhole: boolean },
  { json }: { json?: true },
  table: { head: string[]; cells: (row: Row) => string[] },
  noun: string | readonly [one: string, many: string],
): void {
  if (json) for (const row of rows) print(JSON.stringify(row));
  else printRows(rows, { json: undefined, ...table });
  const count =
    typeof noun === "string" ? pluralize(rows.length, noun) : `${rows.length} ${noun[rows.length === 1 ? 0 : 1]}`;
  process.stderr.write(`${count}${isWhole ? "" : "; --limit shows more"}\n`);
}
