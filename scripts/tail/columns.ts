import { printable } from "../../cli/printable.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";

/** The columns of a line, whose widths fit most events: lines come one by one, so no later one can widen a column. */
const COLUMNS = [
  { head: "RECEIVED", name: "receivedat", width: 24 },
  { head: "TYPE", name: "type", width: 32 },
  { head: "SOURCE", name: "source", width: 20 },
  { head: "ID", name: "id", width: 36 },
] as const;

/** The first line. */
export function headLine(columns: number): string {
  return cut([...COLUMNS.map(({ head, width }) => head.padEnd(width)), "DATA"].join("  "), columns);
}

/** An event for people: one line, cut at the terminal's width. */
export function eventLine(json: string, columns: number): string {
  // A number keeps the digits that were sent.
  const event = parseLossless(json).lossless as ShownEvent;
  const cells = COLUMNS.map(({ name, width }) => printable(event[name] ?? "").padEnd(width));
  return cut([...cells, printable(dataText(event))].join("  ").trimEnd(), columns);
}

/** The members that are shown; an event of the API has these forms. */
type ShownEvent = Partial<Record<(typeof COLUMNS)[number]["name"] | "data_base64", string>> & { data?: unknown };

function dataText({ data, data_base64: binary }: ShownEvent): string {
  if (binary !== undefined) return `(binary, ${binary.length} characters of base64)`;
  return data === undefined ? "" : JSON.stringify(data);
}

function cut(line: string, columns: number): string {
  return line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}
