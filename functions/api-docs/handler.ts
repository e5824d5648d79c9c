import { join } from "node:path";
import { refuseKeys } from "../adapters/lambda/authenticate.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { assetFile, textAsset } from "../adapters/files/asset-file.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { apiDocsEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { catalog } from "../adapters/catalog/catalog.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { apiDocsRoutes } from "../routes/api-docs.ts";
import { PAGE_SCRIPT } from "./docs-page.ts";
import { createApiDocsEndpoints } from "./endpoints.ts";
import { createApiDocs } from "./api-docs.ts";

const environment = readEnvironment(apiDocsEnvironment);
const observability = createObservability("api-docs", environment);
const pageScript = textAsset(PAGE_SCRIPT);

const handlers = createApiDocsEndpoints({
  apiDocs: createApiDocs({ catalog }),
  rapidoc: assetFile(join(environment.LAMBDA_TASK_ROOT, "rapidoc-min.js")),
  pageScript: () => pageScript,
});

/** Describes the API: the schemas of the catalog, the OpenAPI document and its page. */
export const handler = httpHandler({
  routes: apiDocsRoutes,
  handlers,
  checkKey: refuseKeys,
  allowedMethods,
  corsOrigins: environment.CORS_ORIGINS,
  observability,
});
