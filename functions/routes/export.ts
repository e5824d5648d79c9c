import * as z from "zod/mini";
import { EXPORT_ID, EXPORT_ID_ERROR } from "../core/export-job.ts";
import { EXPORT_KEPT_DAYS, EXPORT_MAX_PARTS, EXPORT_PAGE_JOBS } from "../core/export-limits.ts";
import { IDEMPOTENCY_HOURS } from "../core/idempotency.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

const id = z.string(EXPORT_ID_ERROR).check(z.minLength(1, EXPORT_ID_ERROR), z.regex(EXPORT_ID, EXPORT_ID_ERROR));

export const exportRoutes = {
  startExport: {
    method: "POST",
    path: "/exports",
    auth: "events:read",
    tag: "exports",
    summary: "Start an export, or plan one",
    description: `The events that are stored when the export begins to read, in the order of their receipt, as compressed
files that are kept for ${EXPORT_KEPT_DAYS} days. With \`"plan": true\` nothing starts: the answer says about how many events it
would have. The export ends when the key that started it ends or its tenant is suspended.`,
    headers: {
      "Idempotency-Key": {
        description: `A text of the client's, for example a UUID. The same one with the same body within ${IDEMPOTENCY_HOURS} hours starts nothing and answers the export that it has started`,
      },
    },
    body: { description: "The events and the format", content: { [json]: { anyOf: ["NewExport"] } } },
    answers: {
      200: { description: "The plan", contentType: json, schema: "ExportPlan" },
      202: { description: "The export has started; `Location` has its progress", contentType: json, schema: "Export" },
    },
    errors: [
      "malformed_body",
      "body_too_large",
      "unsupported_media_type",
      "bad_filter",
      "too_many_exports",
      "idempotency_key_reused",
      "queue_unavailable",
      "database_unavailable",
    ],
  },
  listExports: {
    method: "GET",
    path: "/exports",
    auth: "events:read",
    tag: "exports",
    summary: "List the exports of the tenant, latest first",
    query: {
      after: z
        .optional(z.string(EXPORT_ID_ERROR).check(z.minLength(1, EXPORT_ID_ERROR), z.regex(EXPORT_ID, EXPORT_ID_ERROR)))
        .check(z.describe("`next` of the part before")),
      limit: number(`is no whole number from 1 to ${EXPORT_PAGE_JOBS}`, /^[1-9]\d{0,2}$/, EXPORT_PAGE_JOBS).check(
        z.describe(`At most so many; ${EXPORT_PAGE_JOBS} where it is missing, which is the most`),
      ),
    },
    answers: { 200: { description: "The exports", contentType: json, schema: "Exports" } },
    errors: [],
  },
  readExport: {
    method: "GET",
    path: "/exports/{id}",
    auth: "events:read",
    tag: "exports",
    summary: "Read the progress of an export and, when it is done, the links of its files",
    description: "It asks neither the database nor the files, so it may be asked every second.",
    parameters: { id },
    query: {
      after: number("is no `next` of this export", /^(?:0|[1-9]\d{0,3})$/, EXPORT_MAX_PARTS).check(
        z.describe("`next` of the answer with the files before"),
      ),
    },
    answers: { 200: { description: "The export", contentType: json, schema: "Export" } },
    errors: ["no_such_export"],
  },
  cancelExport: {
    method: "POST",
    path: "/exports/{id}/cancel",
    auth: "events:read",
    tag: "exports",
    summary: "Cancel an export",
    description: "It writes no more files. Cancelling it again changes nothing.",
    parameters: { id },
    answers: { 200: { description: "The export as it is now", contentType: json, schema: "Export" } },
    errors: ["no_such_export", "export_finished"],
  },
} as const satisfies Routes;
