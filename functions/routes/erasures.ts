import * as z from "zod/mini";
import { ERASURE_ID, ERASURE_ID_ERROR } from "../core/erasure-job.ts";
import { ERASURE_PAGE_JOBS, ERASURE_START_DELAY_SECONDS } from "../core/erasure-limits.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

const id = z.string(ERASURE_ID_ERROR).check(z.minLength(1, ERASURE_ID_ERROR), z.regex(ERASURE_ID, ERASURE_ID_ERROR));

/** The routes of erasures, which the function `retain` answers. */
export const aboutErasures = {
  startErasure: {
    method: "POST",
    path: "/erasures",
    auth: "admin",
    tag: "erasures",
    guide: "docs/erasure.md",
    summary: "Erase events from every place, or plan it",
    description: `A job erases the events of a subject, of some ids or of a filter: rows and keys, dead letters, deliveries with their attempts,
files of exports, the archive, and samples of refusals. Copies that are on their way, or sent again, are stored no more. It starts
after ${ERASURE_START_DELAY_SECONDS} seconds, and can be cancelled until then. With \`"dryRun": true\` nothing starts.`,
    body: { description: "Which events, and why", content: { [json]: { anyOf: ["NewErasure"] } } },
    answers: {
      200: { description: "The plan", contentType: json, schema: "ErasurePlan" },
      202: {
        description: "The erasure waits for its start; `Location` has its progress",
        contentType: json,
        schema: "Erasure",
      },
    },
    errors: [
      "malformed_body",
      "body_too_large",
      "unsupported_media_type",
      "bad_filter",
      "on_hold",
      "too_many_erasures",
      "archive_unavailable",
      "queue_unavailable",
      "database_unavailable",
    ],
  },
  listErasures: {
    method: "GET",
    path: "/erasures",
    auth: "admin",
    tag: "erasures",
    summary: "List the erasures of the tenant, latest first",
    query: {
      after: z.optional(id).check(z.describe("`next` of the part before")),
      limit: number(`is no whole number from 1 to ${ERASURE_PAGE_JOBS}`, /^[1-9]\d{0,2}$/, ERASURE_PAGE_JOBS).check(
        z.describe(`At most so many; ${ERASURE_PAGE_JOBS} where it is missing, which is the most`),
      ),
    },
    answers: { 200: { description: "The jobs", contentType: json, schema: "Erasures" } },
    errors: ["database_unavailable"],
  },
  readErasure: {
    method: "GET",
    path: "/erasures/{id}",
    auth: "admin",
    tag: "erasures",
    summary: "Read the progress of an erasure, and its receipt",
    description: "Its record and receipt stay: nothing deletes them.",
    parameters: { id },
    answers: { 200: { description: "The job", contentType: json, schema: "Erasure" } },
    errors: ["no_such_erasure", "database_unavailable"],
  },
  cancelErasure: {
    method: "POST",
    path: "/erasures/{id}/cancel",
    auth: "admin",
    tag: "erasures",
    summary: "Cancel an erasure that has not started",
    description: "Cancelling it again changes nothing.",
    parameters: { id },
    answers: { 200: { description: "The job as it is now", contentType: json, schema: "Erasure" } },
    errors: ["no_such_erasure", "erasure_started", "database_unavailable"],
  },
} as const satisfies Routes;

export type ErasureRoutes = typeof aboutErasures;
