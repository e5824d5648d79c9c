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

/** The answer to `GET /dead-letters`. */
export const deadLetterPage = z.object({
  deadLetters: z.array(deadLetter),
  next: z.string().nullable().meta({
    description: "The `cursor` of the next page; null at the end. A page may be short or empty before the end",
  }),
});

/** The answer to `GET /dead-letters/{id}`. */
export const wholeDeadLetter = z.object({
  ...deadLetter.shape,
  isEvent: z.boolean().meta({ description: "Whether the body is a queue message with one event" }),
  body: z.string().meta({ description: "The body of the queue message, as it came or was corrected" }),
  history: z
    .array(
      z.object({
        number: z.int().nonnegative().meta({ description: "Of the replay, from 1; 0 for the discard" }),
        replayId: z.string(),
        takenAt: z.iso.datetime(),
        sentAt: z.iso.datetime().nullable(),
        outcome: z.enum(["stored", "dead_lettered"]).nullable().meta({ description: "Null: not known yet" }),
        reason: z.string().nullable(),
        sqlState: z.string().nullable(),
        message: z.string().nullable(),
      }),
    )
    .meta({ description: "Its last replays, oldest first" }),
});

/** The answer to `GET /dead-letters/groups`. */
export const deadLetterGroups = z.object({
  groups: z.array(
    z.object({
      reason: z.string(),
      sqlState: z.string().nullable(),
      message: z.string().meta({ description: "The message without ids, numbers and quoted texts" }),
      count: z.int().nonnegative(),
      share: z.number().meta({ description: "Of all that the request means, from 0 to 1" }),
      firstSeen: z.iso.datetime(),
      lastSeen: z.iso.datetime(),
      types: z.array(z.string()).meta({ description: "The most frequent first" }),
      sample: deadLetter.meta({ description: "The last of them" }),
    }),
  ),
});
