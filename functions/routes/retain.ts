import * as z from "zod/mini";
import { RETENTION_PLAN_DAYS, RETENTION_PLAN_MAX_DAYS } from "../core/retention-limits.ts";
import { number } from "./number.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

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
} as const satisfies Routes;
