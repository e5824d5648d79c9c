import { isRawNumber } from "./lossless-json.ts";

/**
 * CSV as RFC 4180 writes it: lines end with CR LF, a cell with a comma, a quote or a line break is in quotes.
 *
 * Text that a spreadsheet would take for a formula gets a `'` before it (`=1+1` becomes `'=1+1`), and so does text that
 * begins with `'` itself: who takes one `'` from the beginning of each cell has the text as it was. Numbers are written with
 * the digits that were sent, `-1.50` for example, and get none.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */

/** The first line of a file. */
export function csvHeader(columns: readonly string[]): string {
  return toLine(columns.map((name) => toText(name)));
}

/** The line of one value a column, parsed by `parseVerbatim` so that its numbers have their digits; a value that is missing or null is an empty cell, an object or array is JSON. */
export function csvLine(values: readonly unknown[]): string {
  return toLine(values.map(toCell));
}

const toLine = (cells: string[]): string => `${cells.map(quote).join(",")}\r\n`;

function toCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return toText(value);
  if (isRawNumber(value)) return value.rawJSON;
  return JSON.stringify(value);
}

const toText = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

const FORMULA = /^[=+\-@\t\r']/;

const quote = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
