import * as z from "zod/mini";
import { HOLD_ID, HOLD_ID_ERROR } from "../core/hold.ts";
import { HOLDS_PAGE } from "../core/hold-limits.ts";
import { RESTORE_ID, RESTORE_ID_ERROR } from "../core/restore-job.ts";
import {
  RESTORE_DEFAULT_EVENTS,
  RESTORE_KEPT_DAYS,
  RESTORE_PAGE_EVENTS,
  RESTORE_PAGE_JOBS,
} from "../core/restore-limits.ts";
import { RETENTION_PLAN_DAYS, RETENTION_PLAN_MAX_DAYS } from "../core/retention-limits.ts";
import { aboutErasures } from "./erasures.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

const id = z.string(RESTORE_ID_ERROR).check(z.minLength(1, RESTORE_ID_ERROR), z.regex(RESTORE_ID, RESTORE_ID_ERROR));
const holdId = z.string(HOLD_ID_ERROR).check(z.minLength(1, HOLD_ID_ERROR), z.regex(HOLD_ID, HOLD_ID_ERROR));
const CURSOR_ERROR = "is no `next` of a page";

export const retainRoutes = {
  readRetention: {
    method: "GET",
    path: "/retention",
    auth: "tenants",
    tag: "retention",
    guide: "docs/retention.md",
    summary: "Read what retention drops in the next days, and what is kept",
    description: `Each day of a class that is due, with about how many events and how many bytes, of all tenants. Sizes are exact,
numbers of events are those of PostgreSQL's statistics. It changes nothing.`,
    query: {
      days: number(
        `is no number of days up to ${RETENTION_PLAN_MAX_DAYS}`,
        /^(?:0|[1-9]\d{0,2})$/,
        RETENTION_PLAN_MAX_DAYS,
      ).check(z.describe(`The days ahead; ${RETENTION_PLAN_DAYS} where it is missing`)),
    },
    answers: { 200: { description: "The plan", contentType: json, schema: "RetentionPlan" } },
    errors: ["database_unavailable"],
  },
  startRestore: {
    method: "POST",
    path: "/restores",
    auth: "admin",
    tag: "archive",
    guide: "docs/archive.md",
    summary: "Bring archived events back, or plan it",
    description: `A job reads parts of the archive, each compared with its manifest first, and stores the events that match: among the
live events, where an event whose key is stored stays as it is, or beside them for ${RESTORE_KEPT_DAYS} days. The feed and
subscriptions do not have restored events: their followers had them. With \`"dryRun": true\` nothing starts.`,
    body: { description: "Which events, and where to", content: { [json]: { anyOf: ["NewRestore"] } } },
    answers: {
      200: { description: "The plan", contentType: json, schema: "RestorePlan" },
      202: {
        description: "The restore has started; `Location` has its progress",
        contentType: json,
        schema: "Restore",
      },
    },
    errors: [
      "malformed_body",
      "body_too_large",
      "unsupported_media_type",
      "bad_filter",
      "no_such_archive",
      "archive_changed",
      "archive_unavailable",
      "too_many_restores",
      "queue_unavailable",
      "database_unavailable",
    ],
  },
  listRestores: {
    method: "GET",
    path: "/restores",
    auth: "admin",
    tag: "archive",
    summary: "List the restores of the tenant, latest first",
    query: {
      after: z.optional(id).check(z.describe("`next` of the part before")),
      limit: number(`is no whole number from 1 to ${RESTORE_PAGE_JOBS}`, /^[1-9]\d{0,2}$/, RESTORE_PAGE_JOBS).check(
        z.describe(`At most so many; ${RESTORE_PAGE_JOBS} where it is missing, which is the most`),
      ),
    },
    answers: { 200: { description: "The jobs", contentType: json, schema: "Restores" } },
    errors: ["database_unavailable"],
  },
  readRestore: {
    method: "GET",
    path: "/restores/{id}",
    auth: "admin",
    tag: "archive",
    summary: "Read the progress of a restore, and its receipt",
    parameters: { id },
    answers: { 200: { description: "The job", contentType: json, schema: "Restore" } },
    errors: ["no_such_restore", "database_unavailable"],
  },
  readRestoredEvents: {
    method: "GET",
    path: "/restores/{id}/events",
    auth: "admin",
    tag: "archive",
    summary: "Read events that were restored beside the live ones",
    description:
      "In the order of their receipt, each with `storedat`: when it was stored. What the job has restored so far is there.",
    parameters: { id },
    query: {
      after: z
        .optional(z.string(CURSOR_ERROR).check(z.minLength(1, CURSOR_ERROR), z.maxLength(6_000, CURSOR_ERROR)))
        .check(z.describe("`next` of the page before")),
      limit: number(`is no whole number from 1 to ${RESTORE_PAGE_EVENTS}`, /^[1-9]\d{0,3}$/, RESTORE_PAGE_EVENTS).check(
        z.describe(`At most so many; ${RESTORE_DEFAULT_EVENTS} where it is missing`),
      ),
    },
    answers: { 200: { description: "The events", contentType: json, schema: "RestoredEvents" } },
    errors: ["no_such_restore", "bad_cursor", "database_unavailable"],
  },
  cancelRestore: {
    method: "POST",
    path: "/restores/{id}/cancel",
    auth: "admin",
    tag: "archive",
    summary: "Cancel a restore",
    description: "It restores no more events; those that are there stay. Cancelling it again changes nothing.",
    parameters: { id },
    answers: { 200: { description: "The job as it is now", contentType: json, schema: "Restore" } },
    errors: ["no_such_restore", "restore_finished", "database_unavailable"],
  },
  createHold: {
    method: "POST",
    path: "/holds",
    auth: "admin",
    tag: "retention",
    guide: "docs/retention.md",
    summary: "Hold events: neither retention nor an erasure deletes them",
    description: `Events of the tenant that the filter matches, stored now or later, stay readable until the hold is released or ends,
whatever their retention says. The answer shows how many match now.`,
    body: { description: "Which events, and why", content: { [json]: { anyOf: ["NewHold"] } } },
    answers: {
      201: { description: "The hold is in force; `Location` has it", contentType: json, schema: "MadeHold" },
    },
    errors: [
      "malformed_body",
      "body_too_large",
      "unsupported_media_type",
      "bad_filter",
      "too_many_holds",
      "database_unavailable",
    ],
  },
  listHolds: {
    method: "GET",
    path: "/holds",
    auth: "admin",
    tag: "retention",
    summary: "List the legal holds of the tenant, latest first",
    query: {
      after: z.optional(holdId).check(z.describe("`next` of the part before")),
      limit: number(`is no whole number from 1 to ${HOLDS_PAGE}`, /^[1-9]\d?$/, HOLDS_PAGE).check(
        z.describe(`At most so many; ${HOLDS_PAGE} where it is missing, which is the most`),
      ),
    },
    answers: { 200: { description: "The holds", contentType: json, schema: "Holds" } },
    errors: ["database_unavailable"],
  },
  readHold: {
    method: "GET",
    path: "/holds/{id}",
    auth: "admin",
    tag: "retention",
    summary: "Read a legal hold",
    parameters: { id: holdId },
    answers: { 200: { description: "The hold", contentType: json, schema: "Hold" } },
    errors: ["no_such_hold", "database_unavailable"],
  },
  releaseHold: {
    method: "POST",
    path: "/holds/{id}/release",
    auth: "admin",
    tag: "retention",
    summary: "Release a legal hold",
    description: `Events that no other hold has are under their retention again: those whose day is over go with the next daily run. A
hold that is released or has ended stays as it is.`,
    parameters: { id: holdId },
    body: { description: "Why", content: { [json]: { anyOf: ["HoldRelease"] } } },
    answers: { 200: { description: "The hold as it is now", contentType: json, schema: "Hold" } },
    errors: ["malformed_body", "body_too_large", "unsupported_media_type", "no_such_hold", "database_unavailable"],
  },
  ...aboutErasures,
} as const satisfies Routes;

/** The routes about restores, which have answers of their own. */
export type RestoreRoutes = Pick<typeof retainRoutes, Extract<keyof typeof retainRoutes, `${string}Restore${string}`>>;

/** The routes about legal holds. */
export type HoldRoutes = Pick<typeof retainRoutes, Extract<keyof typeof retainRoutes, `${string}Hold${"" | "s"}`>>;
