import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createAccessReader } from "../adapters/dynamodb/access-reader.ts";
import { createAuditLog } from "../adapters/dynamodb/audit-log.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createSessionStore } from "../adapters/dynamodb/session-store.ts";
import { createPageFiles } from "../adapters/files/page-files.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { consoleEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { createKeySecret } from "../adapters/secrets-manager/key-secret.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { createWorkCheck } from "../core/work-allowed.ts";
import { consoleRoutes } from "../routes/console.ts";
import { createConsole } from "./console.ts";
import { createConsoleEndpoints } from "./endpoints.ts";

const environment = readEnvironment(consoleEnvironment);
const observability = createObservability("console", environment);
const client = createDynamoDb();
const clock = () => new Date();
const secret = createKeySecret(environment.KEY_SECRET_ARN);
const { STAGE: stage, VERSION: version, BUILD: build, LAMBDA_TASK_ROOT: folder } = environment;

/** Serves the operator's page, and signs people in to it. */
export const handler = httpHandler({
  routes: consoleRoutes,
  handlers: createConsoleEndpoints({
    console: createConsole({
      store: createSessionStore({ client, table: environment.ACCESS_TABLE }),
      whyEnded: createWorkCheck({ reader: createAccessReader({ client, table: environment.ACCESS_TABLE }), clock }),
      audit: createAuditLog({ client, table: environment.AUDIT_TABLE }),
      secret,
      clock,
      randomBytes,
    }),
    page: readFileSync(join(folder, "page.html"), "utf8"),
    files: createPageFiles(folder),
    installation: { stage, version, build },
  }),
  checkKey: createKeyCheck(environment, { client, metrics: observability.metrics, secret }),
  allowedMethods,
  corsOrigins: environment.CORS_ORIGINS,
  limiter: createSharedLimiter(environment, { client, logger: observability.logger, reserve: QUERY_RESERVE }),
  observability,
});
