import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createPageFiles } from "../adapters/files/page-files.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { refuseKeys } from "../adapters/lambda/authenticate.ts";
import { consoleEnvironment, readEnvironment } from "../adapters/lambda/environment.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { consoleRoutes } from "../routes/console.ts";
import { createConsoleEndpoints } from "./endpoints.ts";

const environment = readEnvironment(consoleEnvironment);

const handlers = createConsoleEndpoints({
  page: readFileSync(join(environment.LAMBDA_TASK_ROOT, "page.html"), "utf8"),
  files: createPageFiles(environment.LAMBDA_TASK_ROOT),
});

/** Serves the operator's page. */
export const handler = httpHandler({
  routes: consoleRoutes,
  handlers,
  checkKey: refuseKeys,
  allowedMethods,
  corsOrigins: environment.CORS_ORIGINS,
  observability: createObservability("console", environment),
});
