import * as z from "zod/mini";
import { IDEMPOTENCY_HOURS } from "../core/idempotency.ts";
import { REPLAY_ID, REPLAY_ID_ERROR } from "../core/replay-job.ts";
import { REPLAY_PAGE_JOBS } from "../core/replay-limits.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

const id = z.string(REPLAY_ID_ERROR).check(z.minLength(1, REPLAY_ID_ERROR), z.regex(REPLAY_ID, REPLAY_ID_ERROR));

const START_ERRORS = [
  "malformed_body",
  "body_too_large",
  "unsupported_media_type",
  "bad_filter",
  "plan_changed",
  "too_many_replays",
  "idempotency_key_reused",
  "queue_unavailable",
  "database_unavailable",
] as const;

export const replayRoutes = {
  startReplay: {
    method: "POST",
    path: "/replays",
    auth: "dead-letters:replay",
    tag: "dead-letters",
    guide: "docs/replays.md",
    summary: "Send dead letters to the queue again, or plan it",
    description: `A job takes the dead letters that match and are open at its start, the oldest first, and sends each to the
queue of events, where the same checks run as the first time. With \`"dryRun": true\` nothing starts: the answer says how many
there are. Two jobs never take the same dead letter. A key of the installation that names no tenant replays those of every tenant.`,
    headers: {
      "Idempotency-Key": {
        description: `A text of the client's, for example a UUID. The same one with the same body within ${IDEMPOTENCY_HOURS} hours starts nothing and answers the job that it has started`,
      },
    },
    body: { description: "Which dead letters, and how", content: { [json]: { anyOf: ["NewReplay"] } } },
    answers: {
      200: { description: "The plan", contentType: json, schema: "ReplayPlan" },
      202: { description: "The replay has started; `Location` has its progress", contentType: json, schema: "Replay" },
    },
    errors: [...START_ERRORS, "bad_edits"],
  },
  listReplays: {
    method: "GET",
    path: "/replays",
    auth: "dead-letters:read",
    tag: "dead-letters",
    summary: "List replays and discards, latest first",
    query: {
      after: z
        .optional(z.string(REPLAY_ID_ERROR).check(z.minLength(1, REPLAY_ID_ERROR), z.regex(REPLAY_ID, REPLAY_ID_ERROR)))
        .check(z.describe("`next` of the part before")),
      limit: number(`is no whole number from 1 to ${REPLAY_PAGE_JOBS}`, /^[1-9]\d{0,2}$/, REPLAY_PAGE_JOBS).check(
        z.describe(`At most so many; ${REPLAY_PAGE_JOBS} where it is missing, which is the most`),
      ),
    },
    answers: { 200: { description: "The jobs", contentType: json, schema: "Replays" } },
    errors: ["database_unavailable"],
  },
  readReplay: {
    method: "GET",
    path: "/replays/{id}",
    auth: "dead-letters:read",
    tag: "dead-letters",
    summary: "Read the progress of a replay or discard",
    parameters: { id },
    answers: { 200: { description: "The job", contentType: json, schema: "Replay" } },
    errors: ["no_such_replay", "database_unavailable"],
  },
  cancelReplay: {
    method: "POST",
    path: "/replays/{id}/cancel",
    auth: "dead-letters:replay",
    tag: "dead-letters",
    summary: "Cancel a replay or discard",
    description: `It takes no more dead letters, and ends when what it has taken is sent. Cancelling it again changes nothing.`,
    parameters: { id },
    answers: { 200: { description: "The job as it is now", contentType: json, schema: "Replay" } },
    errors: ["no_such_replay", "replay_finished", "database_unavailable"],
  },
  discardDeadLetters: {
    method: "POST",
    path: "/dead-letters/discard",
    auth: "dead-letters:replay",
    tag: "dead-letters",
    guide: "docs/replays.md",
    summary: "Give dead letters up, or plan it",
    description: `They are discarded for good: none of them is replayed after that. The audit log keeps the \`note\`. At least one
condition is needed. With \`"dryRun": true\` nothing starts.`,
    headers: {
      "Idempotency-Key": {
        description: `A text of the client's, for example a UUID. The same one with the same body within ${IDEMPOTENCY_HOURS} hours starts nothing and answers the job that it has started`,
      },
    },
    body: { description: "Which dead letters, and why", content: { [json]: { anyOf: ["NewDiscard"] } } },
    answers: {
      200: { description: "The plan", contentType: json, schema: "ReplayPlan" },
      202: {
        description: "The discard has started; `Location` has its progress",
        contentType: json,
        schema: "Replay",
      },
    },
    errors: START_ERRORS,
  },
} as const satisfies Routes;
