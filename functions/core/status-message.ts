import * as z from "zod/mini";

/** A message of the queue of the function `status`. */
export const statusMessage = z.discriminatedUnion("kind", [
  /**
   * The ledger of the database has changed. A snapshot that was taken after `due` has the change, so the message then asks for nothing.
   * `due` is in ms since the epoch.
   */
  z.object({ kind: z.literal("ledger"), due: z.int().check(z.positive()) }),
]);

export type StatusMessage = z.output<typeof statusMessage>;

export type StatusMessages = {
  /** Sends a message, which is delivered after the delay. Returns whether the queue confirmed it. Never throws. */
  send(message: StatusMessage, delaySeconds: number, deadline: number): Promise<boolean>;
};
