import * as z from "zod/mini";
import { causeText, deadLetterId } from "../core/dead-letter-bodies.ts";
import { DEAD_LETTERS_DEFAULT, DEAD_LETTERS_MAX } from "../core/dead-letter-limits.ts";
import { DEAD_LETTER_STATES } from "../core/dead-letter-table.ts";
import { instant } from "../core/list-bodies.ts";
import { filterParameters } from "./filter-parameters.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

/** The parameters that choose dead letters. */
const opened = {
  openedFrom: z.optional(instant).check(z.describe("The earliest time at which it became open, which is in the range")),
  openedTo: z.optional(instant).check(z.describe("The latest one, which is not in the range")),
};
const chosen = {
  repeatable: {
    ...filterParameters.repeatable,
    deadLetter: deadLetterId.check(z.describe("The id of a dead letter")),
    reason: causeText.check(z.describe("The reason")),
    sqlState: causeText.check(z.describe("PostgreSQL's code")),
    message: causeText.check(z.describe("The message as the groups have it")),
    state: z
      .enum(DEAD_LETTER_STATES, `is none of ${DEAD_LETTER_STATES.join(", ")}`)
      .check(z.describe("`open` where it is missing")),
  },
  families: filterParameters.families,
} as const;

const ERRORS = ["bad_filter", "database_unavailable"] as const;
const PAGE_ERRORS = [...ERRORS, "bad_cursor", "cursor_mismatch"] as const;
const page = { description: "A page of dead letters", contentType: json, schema: "DeadLetters" } as const;

/** The routes of query about dead letters; a part of its table. */
export const aboutDeadLetters = {
  listDeadLetters: {
    method: "GET",
    path: "/dead-letters",
    auth: "dead-letters:read",
    tag: "dead-letters",
    summary: "List dead letters",
    description: `The dead letters of the tenant that the key may read, those that became open last first. A key of the
installation that names no tenant sees those of every tenant, and messages that name none. A repeated parameter means any of
its values. docs/dead-letters.md explains it.`,
    guide: "docs/dead-letters.md",
    query: {
      ...opened,
      limit: number(`is no whole number from 1 to ${DEAD_LETTERS_MAX}`, /^[1-9]\d{0,3}$/, DEAD_LETTERS_MAX).check(
        z.describe(`Dead letters of a page; ${DEAD_LETTERS_DEFAULT} where it is missing`),
      ),
      cursor: z
        .optional(z.string("is empty").check(z.minLength(1, "is empty")))
        .check(z.describe("`next` of the page before, sent with the same parameters")),
    },
    ...chosen,
    answers: { 200: page },
    errors: PAGE_ERRORS,
  },
  queryDeadLetters: {
    method: "POST",
    path: "/dead-letters/query",
    auth: "dead-letters:read",
    tag: "dead-letters",
    summary: "List dead letters by a filter",
    description: "As `GET /dead-letters`, with a filter object in place of its parameters. It changes nothing.",
    guide: "docs/dead-letters.md",
    body: { description: "The conditions and the page", content: { [json]: { anyOf: ["DeadLetterQuery"] } } },
    answers: { 200: page },
    errors: [...PAGE_ERRORS, "malformed_body", "body_too_large", "unsupported_media_type"],
  },
  groupDeadLetters: {
    method: "GET",
    path: "/dead-letters/groups",
    auth: "dead-letters:read",
    tag: "dead-letters",
    summary: "Group dead letters by their cause",
    description: "By reason, SQLSTATE and the message without ids, numbers and quoted texts; the largest groups first.",
    guide: "docs/dead-letters.md",
    query: opened,
    ...chosen,
    answers: { 200: { description: "The groups", contentType: json, schema: "DeadLetterGroups" } },
    errors: ERRORS,
  },
  readDeadLetter: {
    method: "GET",
    path: "/dead-letters/{id}",
    auth: "dead-letters:read",
    tag: "dead-letters",
    summary: "Read one dead letter whole",
    description: "With the body of its message, and what became of its replays.",
    parameters: { id: deadLetterId },
    answers: { 200: { description: "The dead letter", contentType: json, schema: "DeadLetter" } },
    errors: ["no_such_dead_letter", "database_unavailable"],
  },
} as const satisfies Routes;
