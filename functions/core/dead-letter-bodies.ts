import * as z from "zod/mini";
import {
  DEAD_LETTER_MESSAGE_MAX_CHARACTERS,
  DEAD_LETTER_VALUES_MAX,
  DEAD_LETTERS_DEFAULT,
  DEAD_LETTERS_MAX,
} from "./dead-letter-limits.ts";
import { DEAD_LETTER_STATES } from "./dead-letter-table.ts";
import { instant } from "./list-bodies.ts";
import { DEAD_LETTER_ID, DEAD_LETTER_ID_ERROR } from "./replay-job.ts";

const TEXT_ERROR = `is no text of 1 to ${DEAD_LETTER_MESSAGE_MAX_CHARACTERS} characters without U+0000`;

/** A reason, a SQLSTATE or the message of a group. */
export const causeText = z.string(TEXT_ERROR).check(
  z.minLength(1, TEXT_ERROR),
  z.maxLength(DEAD_LETTER_MESSAGE_MAX_CHARACTERS, TEXT_ERROR),
  z.refine((text) => text.isWellFormed() && !text.includes("\u0000"), TEXT_ERROR),
);

/** A value, or a list of which one holds. */
const oneOrMore = <Item extends z.ZodMiniType>(item: Item, what: string) =>
  z.optional(
    z
      .union(
        [item, z.array(item).check(z.minLength(1), z.maxLength(DEAD_LETTER_VALUES_MAX))],
        `is neither a value nor a list of 1 to ${DEAD_LETTER_VALUES_MAX} values`,
      )
      .check(z.describe(what)),
  );

/** The causes of dead letters that a request means. */
export const causes = {
  reason: oneOrMore(causeText, "Reasons of dead letters, for example `not_storable`"),
  sqlState: oneOrMore(causeText, "SQLSTATEs of the database, for example `22P05`"),
  message: oneOrMore(
    causeText,
    "Messages as `GET /dead-letters/groups` has them: without ids, numbers and quoted texts",
  ),
};

/** The list of a value that may be one. */
export const listOf = <T>(value: T | T[] | undefined): T[] | undefined =>
  value === undefined ? undefined : ([value].flat() as T[]);

export const deadLetterId = z
  .string(DEAD_LETTER_ID_ERROR)
  .check(z.minLength(1, DEAD_LETTER_ID_ERROR), z.regex(DEAD_LETTER_ID, DEAD_LETTER_ID_ERROR));

/** `POST /dead-letters/query` */
export const deadLetterQuery = z.strictObject({
  filter: z
    .optional(z.unknown())
    .check(z.describe("A filter of events as docs/filters.md describes it; all dead letters where it is missing")),
  ids: z.optional(
    z
      .array(deadLetterId)
      .check(z.minLength(1), z.maxLength(DEAD_LETTER_VALUES_MAX), z.describe("Dead letters by their ids")),
  ),
  ...causes,
  state: oneOrMore(z.enum(DEAD_LETTER_STATES), "`open` where it is missing"),
  openedFrom: z.optional(instant).check(z.describe("The earliest time at which it became open, which is in the range")),
  openedTo: z.optional(instant).check(z.describe("The latest one, which is not in the range")),
  limit: z
    .optional(z.int().check(z.minimum(1), z.maximum(DEAD_LETTERS_MAX)))
    .check(z.describe(`Dead letters of a page; ${DEAD_LETTERS_DEFAULT} where it is missing`)),
  cursor: z.optional(z.string().check(z.minLength(1))).check(z.describe("`next` of the page before")),
});
