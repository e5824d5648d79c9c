import { createEventLines } from "../../functions/core/event-lines.ts";
import type { ExportFormat } from "../../functions/core/export-job.ts";
import { columnsOf, tableOf } from "./columns.ts";

/** Writes the events of a page for stdout; the first page has the head. */
export type Printer = (events: readonly string[], isFirst: boolean) => string;

/** The events come with the members of `select` alone, so NDJSON has them as they came. */
export function printerOf(format: "table" | ExportFormat, select: readonly string[] | undefined): Printer {
  if (format === "table") {
    const columns = columnsOf(select);
    return (events, isFirst) => `${tableOf(columns, events, isFirst)}\n`;
  }
  const { head, line } = createEventLines({ format, ...(format === "csv" && { select }) });
  return (events, isFirst) => (isFirst ? head : "") + events.map(line).join("");
}
