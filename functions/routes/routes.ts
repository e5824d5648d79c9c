import type { FunctionName } from "../core/functions.ts";
import { accessRoutes } from "./access.ts";
import { apiDocsRoutes } from "./api-docs.ts";
import { consoleRoutes } from "./console.ts";
import { exportRoutes } from "./export.ts";
import { ingestRoutes } from "./ingest.ts";
import { notifyRoutes } from "./notify.ts";
import { queryRoutes } from "./query.ts";
import { replayRoutes } from "./replay.ts";
import { retainRoutes } from "./retain.ts";
import type { Routes } from "./route.ts";
import { statusRoutes } from "./status.ts";

/** Every route of the HTTP API by the function that answers it. */
export const routes = {
  ingest: ingestRoutes,
  query: queryRoutes,
  access: accessRoutes,
  export: exportRoutes,
  replay: replayRoutes,
  notify: notifyRoutes,
  status: statusRoutes,
  console: consoleRoutes,
  retain: retainRoutes,
  "api-docs": apiDocsRoutes,
} as const satisfies Partial<Record<FunctionName, Routes>>;

/** Functions that answer HTTP requests. */
export type HttpFunction = keyof typeof routes;

export type OperationId = { [Name in HttpFunction]: keyof (typeof routes)[Name] }[HttpFunction];
