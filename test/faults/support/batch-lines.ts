import type { LogLines } from "../../../functions/core/log-lines.ts";
import type { FaultStack } from "./fault-stack.ts";

/** The log line of a batch, all counts filled in. */
export type BatchLine = LogLines["batch"] &
  Record<"EventsStored" | "EventsDuplicate" | "EventsConflicting" | "EventsDeadLettered", number> & {
    /** When it was written, ISO 8601. */
    timestamp: string;
  };

/** The consumer's line of each batch, of the log from its line `from` on. */
export function batchLines({ lines }: FaultStack, from: number): BatchLine[] {
  return lines
    .slice(from)
    .filter((line) => line.includes('"message":"batch"') && line.includes('"service":"consume"'))
    .map((line) => ({ ...NOTHING, ...(JSON.parse(line) as BatchLine) }));
}

/** A line leaves out counts of nothing. */
const NOTHING = { EventsStored: 0, EventsDuplicate: 0, EventsConflicting: 0, EventsDeadLettered: 0 };

/** The sum of one of their counts. */
export function total(
  lines: readonly BatchLine[],
  count: "messages" | "failedMessages" | "EventsStored" | "EventsDuplicate" | "EventsDeadLettered",
): number {
  return lines.reduce((sum, line) => sum + line[count], 0);
}
