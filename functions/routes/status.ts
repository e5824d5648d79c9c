import type { Routes } from "./route.ts";

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
} as const satisfies Routes;
