import { toTable } from "../../cli/to-table.ts";
import { toSteps } from "../../functions/core/member-path.ts";

/** The columns of a table of events: the selected members, or those by which people know an event. */
export type Columns = { head: string[]; cells: (event: string) => string[] };

export function columnsOf(select: readonly string[] | undefined): Columns {
  if (select === undefined) {
    const names = ["receivedat", "type", "source", "id", "subject"];
    return columns(
      names.map((name) => [name]),
      ["RECEIVED", "TYPE", "SOURCE", "ID", "SUBJECT"],
    );
  }
  return columns(select.map(toSteps), [...select]);
}

function columns(paths: string[][], head: string[]): Columns {
  return { head, cells: (event) => paths.map((path) => toCell(valueAt(JSON.parse(event), path))) };
}

/** For people: numbers and texts as JavaScript has them; the command prints the exact ones with --format. */
function valueAt(value: unknown, path: string[]): unknown {
  return path.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);
}

function toCell(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The lines of a page: a table on a terminal. Its head is there where it is the first page. */
export function tableOf({ head, cells }: Columns, events: readonly string[], isFirst: boolean): string {
  const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  const table = toTable(head, events.map(cells), width);
  return isFirst ? table : table.slice(table.indexOf("\n") + 1);
}
