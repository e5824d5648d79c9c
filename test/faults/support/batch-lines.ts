import type { World } from "./world.ts";

/** What the consumer writes of each batch. */
export type BatchLine = {
  messages: number;
  failedMessages: number;
  durationMs: number;
  EventsStored: number;
  EventsDuplicate: number;
  /** Of the duplicates. */
  EventsConflicting: number;
  EventsDeadLettered: number;
  /** Why messages failed, where the database said why. */
  reason?: string;
  verdict?: string;
};

/** The consumer's line of each batch, of the log from its line `from` on. */
export function batchLines({ lines }: World, from: number): BatchLine[] {
  return lines
    .slice(from)
    .filter((line) => line.includes('"message":"batch"'))
    .map((line) => JSON.parse(line) as BatchLine);
}
