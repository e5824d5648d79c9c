import type { ExportFormat } from "../../functions/core/export-job.ts";

const [QUOTE, LF] = [0x22, 0x0a];

/** Counts the events of a file from its text as it comes: lines, and for CSV those outside of quotes but for the header. */
export function createRowCounter(format: ExportFormat) {
  let lines = 0;
  let isQuoted = false;
  return {
    add(bytes: Uint8Array): void {
      for (const byte of bytes) {
        // A quote within quotes is doubled, so it changes nothing.
        if (byte === QUOTE && format === "csv") isQuoted = !isQuoted;
        else if (byte === LF && !isQuoted) lines += 1;
      }
    },
    rows: (): number => (format === "csv" ? Math.max(lines - 1, 0) : lines),
  };
}
