import * as z from "zod/mini";
import { refusalsMessage } from "./refusal-schema.ts";

/** A message of the queue of the function `status`. */
export const statusMessage = z.discriminatedUnion("kind", [
  /**
   * The ledger of the database has changed. A snapshot that was taken after `due` has the change, so the message then asks for nothing.
   * `due` is in ms since the epoch.
   */
  z.object({ kind: z.literal("ledger"), due: z.int().check(z.positive()) }),
  /** Events were stored, and the consumer could not change the mark of that, for which followers of the feed wait. */
  z.object({ kind: z.literal("mark") }),
  /** Refusals of a process of ingest. */
  refusalsMessage,
]);

export type StatusMessage = z.output<typeof statusMessage>;

export type StatusMessages = {
  /** Sends a message, which is delivered after the delay. Returns whether the queue confirmed it. Never throws. */
  send(message: StatusMessage, delaySeconds: number, deadline: number): Promise<boolean>;
};
