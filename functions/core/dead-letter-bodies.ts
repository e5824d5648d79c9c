import * as z from "zod/mini";
import { DEAD_LETTER_VALUES_MAX, DEAD_LETTERS_DEFAULT, DEAD_LETTERS_MAX } from "./dead-letter-limits.ts";
import { DEAD_LETTER_STATES } from "./dead-letter-table.ts";
import { instant } from "./list-bodies.ts";
import { DEAD_LETTER_ID } from "./replay-job.ts";

const TEXT_ERROR = "is empty, longer than 200 characters, or no text that can be stored";

/** A reason, a SQLSTATE or the message of a group. */
export const causeText = z.string(TEXT_ERROR).check(
  z.minLength(1, TEXT_ERROR),
  z.maxLength(200, TEXT_ERROR),
  z.refine((text) => text.isWellFormed() && !text.includes("\u0000"), TEXT_ERROR),
);

const ID_ERROR = "is no id of a dead letter: dl_ and 32 of 0-9 and a-f";

export const deadLetterId = z.string(ID_ERROR).check(z.minLength(1, ID_ERROR), z.regex(DEAD_LETTER_ID, ID_ERROR));

const some = <Item extends z.ZodMiniType>(item: Item) =>
  z.optional(z.array(item).check(z.minLength(1), z.maxLength(DEAD_LETTER_VALUES_MAX)));

/** `POST /dead-letters/query` */
export const deadLetterQuery = z.strictObject({
  filter: z
    .optional(z.unknown())
    .check(z.describe("A filter of events as docs/filters.md describes it; all dead letters where it is missing")),
  ids: some(deadLetterId),
  reasons: some(causeText),
  sqlStates: some(causeText),
  messages: some(causeText).check(z.describe("Messages as the groups have them")),
  states: some(z.enum(DEAD_LETTER_STATES)).check(z.describe("`open` where it is missing")),
  openedFrom: z.optional(instant).check(z.describe("The earliest time at which it became open, which is in the range")),
  openedTo: z.optional(instant).check(z.describe("The latest one, which is not in the range")),
  limit: z
    .optional(z.int().check(z.minimum(1), z.maximum(DEAD_LETTERS_MAX)))
    .check(z.describe(`Dead letters of a page; ${DEAD_LETTERS_DEFAULT} where it is missing`)),
  cursor: z.optional(z.string().check(z.minLength(1))).check(z.describe("`next` of the page before")),
});
