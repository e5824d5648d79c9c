import { randomBytes } from "node:crypto";
import { createAccessStore } from "../adapters/dynamodb/access-store.ts";
import { createAuditLog } from "../adapters/dynamodb/audit-log.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createKeyUsage } from "../adapters/dynamodb/key-usage.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { accessEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { httpOrDirect } from "../adapters/lambda/http-or-direct.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { createKeySecret } from "../adapters/secrets-manager/key-secret.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { accessRoutes } from "../routes/access.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { createAccess } from "./access.ts";
import { createDirect } from "./direct.ts";
import { createAccessEndpoints } from "./endpoints.ts";

const environment = readEnvironment(accessEnvironment);
const observability = createObservability("access", environment);
const client = createDynamoDb();

const access = createAccess({
  store: createAccessStore({ client, table: environment.ACCESS_TABLE }),
  usage: createKeyUsage({ client, table: environment.USAGE_TABLE }),
  audit: createAuditLog({ client, table: environment.AUDIT_TABLE }),
  secret: createKeySecret(environment.KEY_SECRET_ARN),
  clock: () => new Date(),
  randomBytes,
});

/** Manages keys and tenants, and makes the first key in a direct invocation. */
export const handler = httpOrDirect({
  http: httpHandler({
    routes: accessRoutes,
    handlers: createAccessEndpoints(access),
    checkKey: createKeyCheck(environment, { client, metrics: observability.metrics }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger: observability.logger, reserve: QUERY_RESERVE }),
    observability,
  }),
  direct: createDirect(access),
  observability,
});
