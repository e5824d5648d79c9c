import * as z from "zod/mini";
import { causes, deadLetterId as id } from "./dead-letter-bodies.ts";
import { MAX_REPLAYS } from "./queue-limits.ts";
import {
  REPLAY_MAX_EDITS,
  REPLAY_MAX_IDS,
  REPLAY_MAX_LIMIT,
  REPLAY_MAX_MAX_REPLAYS,
  REPLAY_MAX_RATE,
  REPLAY_NOTE_MAX_CHARACTERS,
  REPLAY_QUEUE_URL_MAX_CHARACTERS,
} from "./replay-limits.ts";
import { instant } from "./list-bodies.ts";

/** The bodies of requests to the function `replay`. Members that are not here are refused. */

const selection = {
  filter: z.optional(
    z.unknown().check(z.describe("A filter of events, as `POST /events/query` takes it (docs/filters.md)")),
  ),
  ids: z.optional(
    z
      .array(id)
      .check(z.minLength(1), z.maxLength(REPLAY_MAX_IDS), z.describe("Dead letters by their ids, as lists have them")),
  ),
  ...causes,
  openedFrom: z.optional(instant).check(z.describe("Dead letters that became open at that time or later")),
  openedTo: z.optional(instant).check(z.describe("Dead letters that became open before")),
  limit: z.optional(
    z.int().check(z.positive(), z.maximum(REPLAY_MAX_LIMIT), z.describe("At most so many, the oldest first")),
  ),
  planned: z.optional(
    z
      .int()
      .check(
        z.positive(),
        z.maximum(REPLAY_MAX_LIMIT),
        z.describe(
          "The number of a dry run: where more match by now, nothing starts. With its `until` as `openedTo`, these alone are taken",
        ),
      ),
  ),
  dryRun: z.optional(
    z.boolean().check(z.describe("`true`: how many they would be, and the oldest of them; nothing starts")),
  ),
};

/** `POST /replays` */
export const newReplay = z.strictObject({
  ...selection,
  rate: z.optional(z.int().check(z.minimum(1), z.maximum(REPLAY_MAX_RATE), z.describe("Events a second, on average"))),
  maxReplays: z._default(
    z
      .int()
      .check(
        z.minimum(1),
        z.maximum(REPLAY_MAX_MAX_REPLAYS),
        z.describe("Only dead letters that were replayed less often; `1`: those that never were"),
      ),
    MAX_REPLAYS,
  ),
  edits: z.optional(
    z
      .array(z.strictObject({ id, event: z.record(z.string(), z.unknown()) }))
      .check(
        z.minLength(1),
        z.maxLength(REPLAY_MAX_EDITS),
        z.describe(
          "Corrected events, each with the id of its dead letter: only these are replayed. `source` and `id` of an event stay as they are, and may be left out",
        ),
      ),
  ),
  to: z.optional(
    z
      .url("is no URL")
      .check(
        z.maxLength(REPLAY_QUEUE_URL_MAX_CHARACTERS),
        z.describe("Another queue: one of the stage's `replayQueues`, for keys of the installation"),
      ),
  ),
});

export type NewReplayBody = z.output<typeof newReplay>;

/** `POST /dead-letters/discard` */
export const newDiscard = z.strictObject({
  ...selection,
  note: z.string("is missing: say why they are given up").check(
    z.minLength(1, "is empty: say why they are given up"),
    z.maxLength(REPLAY_NOTE_MAX_CHARACTERS),
    z.refine((note) => note.isWellFormed() && !note.includes("\u0000"), "is no text without U+0000"),
    z.describe("Why they are given up; the audit log keeps it"),
  ),
});

export type NewDiscardBody = z.output<typeof newDiscard>;
