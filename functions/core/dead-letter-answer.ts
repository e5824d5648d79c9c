import * as z from "zod";
import { DEAD_LETTER_STATES } from "./dead-letter-table.ts";

/** A dead letter in a list. */
export const deadLetter = z.object({
  id: z.string(),
  reason: z.string().meta({ description: "Stable; docs/errors.md lists them" }),
  sqlState: z.string().nullable().meta({ description: "PostgreSQL's code" }),
  message: z.string().meta({ description: "The cause in the database's words" }),
  tenant: z.string().nullable().meta({ description: "Null where the message named none" }),
  type: z.string().nullable(),
  source: z.string().nullable(),
  eventId: z.string().nullable(),
  receivedAt: z.iso.datetime().nullable().meta({ description: "When the event was accepted" }),
  openedAt: z.iso.datetime().meta({ description: "When it became open the last time" }),
  state: z.enum(DEAD_LETTER_STATES).meta({
    description:
      "`open`: nobody has decided. `replayed`: a replay has sent its event. `discarded`: somebody gave it up",
  }),
  attempts: z.int().nonnegative().meta({ description: "How often the consumer has tried it" }),
  replays: z.int().nonnegative().meta({ description: "How often it was replayed" }),
});
