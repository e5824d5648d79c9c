import { toColumns, valuesOf } from "./columns.ts";
import { csvHeader, csvLine } from "./csv.ts";
import type { ExportFormat } from "./export-job.ts";
import { project, toSelection } from "./selection.ts";

/** The text of events, one a line. */
export type EventLines = {
  /** The beginning, before the first event. */
  head: string;
  line: (event: string) => string;
};

/**
 * Writes events as lines of a format. NDJSON without `select` is the text of the events as it is stored.
 * @param select paths that `toSelection` takes
 */
export function createEventLines({
  format,
  select,
}: {
  format: ExportFormat;
  select?: readonly string[] | undefined;
}): EventLines {
  if (format === "csv") {
    const columns = toColumns(select);
    return { head: csvHeader(columns.map(({ name }) => name)), line: (event) => csvLine(valuesOf(event, columns)) };
  }
  if (select === undefined) return { head: "", line: (event) => `${event}\n` };
  const selection = toSelection(select);
  return { head: "", line: (event) => `${project(event, selection)}\n` };
}
