import * as z from "zod/mini";
import { SPAN_NAMES } from "../core/history.ts";
import { errorTable, verdictCodes } from "../core/errors.ts";
import { TYPE_MAX_BYTES } from "../core/limits.ts";
import { pattern } from "../core/patterns.ts";
import {
  REFUSAL_KEPT_DAYS,
  REFUSAL_POINTER_MAX_CHARACTERS,
  REFUSALS_DEFAULT,
  REFUSALS_DEFAULT_DAYS,
  REFUSALS_MAX,
} from "../core/refusal-limits.ts";
import { OTHERS } from "../core/refusal.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const DAY_ERROR = "is no day such as 2026-11-29";
const day = z.string(DAY_ERROR).check(
  z.minLength(1, DAY_ERROR),
  z.refine((text) => z.iso.date().safeParse(text).success, DAY_ERROR),
);

const CODES: ReadonlySet<string> = new Set([...verdictCodes, ...Object.keys(errorTable), OTHERS.code]);
const CODE_ERROR = "is no code. docs/errors.md lists them";
const code = z.string(CODE_ERROR).check(
  z.minLength(1, CODE_ERROR),
  z.refine((text) => CODES.has(text), CODE_ERROR),
);

const POINTER_ERROR = "is no JSON Pointer such as /data/items/*/sku; empty means the event as a whole";
const pointer = z.string(POINTER_ERROR).check(
  z.maxLength(REFUSAL_POINTER_MAX_CHARACTERS, POINTER_ERROR),
  z.refine((text) => text === "" || text.startsWith("/"), POINTER_ERROR),
);

export const statusRoutes = {
  readStatus: {
    method: "GET",
    path: "/status",
    auth: "status",
    tag: "status",
    guide: "docs/status.md",
    summary: "Read what became of all accepted events, and how far behind the parts are",
    description: `Each part says when it was true. A part that cannot be read says so, and the others are there. The answer never
needs the database. A key of the installation that names no tenant gets the sums of all tenants.`,
    answers: { 200: { description: "The state", contentType: "application/json", schema: "Status" } },
    errors: [],
  },
  readMetrics: {
    method: "GET",
    path: "/metrics",
    auth: "status",
    tag: "status",
    guide: "docs/status.md",
    summary: "Read the same numbers as metrics of Prometheus",
    description: `Sums alone: no metric has a tenant as a label. A part that cannot be read has no metrics, and
\`sluice_part_up\` is 0. The answer never needs the database.`,
    answers: {
      200: {
        description: "Prometheus's text format 0.0.4",
        contentType: "text/plain; version=0.0.4; charset=utf-8",
        schema: "string",
      },
    },
    errors: [],
  },
  readHistory: {
    method: "GET",
    path: "/status/history",
    auth: "status",
    tag: "status",
    guide: "docs/status.md",
    summary: "Read what was accepted, stored and refused in each interval of the last hour, day or week",
    description: `Intervals of a minute, of ten minutes or of an hour, each of them whether something happened in it or not. The answer
never needs the database. A key of the installation that names no tenant gets the sums of all tenants.`,
    query: {
      span: z
        .optional(z.enum(SPAN_NAMES, `is none of ${SPAN_NAMES.join(", ")}`))
        .check(z.describe(`One of ${SPAN_NAMES.map((name) => `\`${name}\``).join(", ")}; \`1h\` where it is missing`)),
    },
    answers: { 200: { description: "The intervals", contentType: "application/json", schema: "StatusHistory" } },
    errors: [],
  },
  readAlarms: {
    method: "GET",
    path: "/status/alarms",
    auth: "status",
    tag: "status",
    guide: "docs/status.md",
    summary: "Read which alarms of the installation are open",
    description: `They are of the installation, whichever tenant a key has. The state is at most half a minute old. Where CloudWatch does
not answer, or there is none as on a laptop, the answer says \`unavailable\` and why.`,
    answers: { 200: { description: "The open alarms", contentType: "application/json", schema: "StatusAlarms" } },
    errors: [],
  },
  listRefusals: {
    method: "GET",
    path: "/refusals",
    auth: "status",
    tag: "status",
    guide: "docs/refusals.md",
    summary: "Read which events were refused, why, and who sent them",
    description: `Groups of one day, code, type and place of the error, the latest day first and in it the largest group first. Their
samples name the sender, and have no value of an event's data. A refusal is counted within seconds, and kept for ${REFUSAL_KEPT_DAYS} days. A key of
the installation that names no tenant sees those of every tenant. docs/refusals.md explains it.`,
    query: {
      from: z
        .optional(day)
        .check(z.describe(`The first day (UTC); ${REFUSALS_DEFAULT_DAYS} days with \`to\` where it is missing`)),
      to: z.optional(day).check(z.describe("The last day, which is in the range; today where it is missing")),
      code: z.optional(code).check(z.describe("The code of the error, for example `required`")),
      type: z
        .optional(pattern(TYPE_MAX_BYTES).check(z.minLength(1)))
        .check(z.describe("The type of the events; `*` at the end stands for any rest")),
      pointer: z
        .optional(pointer)
        .check(z.describe("The place of the error, with `*` or any number for an index: `/data/items/*/sku`")),
      limit: number(`is no whole number from 1 to ${REFUSALS_MAX}`, /^[1-9]\d?$/, REFUSALS_MAX).check(
        z.describe(`Groups of a page; ${REFUSALS_DEFAULT} where it is missing`),
      ),
      cursor: z
        .optional(z.string("is empty").check(z.minLength(1, "is empty")))
        .check(z.describe("`next` of the page before, sent with the same parameters")),
    },
    answers: { 200: { description: "A page of groups", contentType: "application/json", schema: "Refusals" } },
    errors: ["bad_cursor", "cursor_mismatch"],
  },
} as const satisfies Routes;
