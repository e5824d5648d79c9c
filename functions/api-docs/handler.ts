import { join } from "node:path";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { assetFile, textAsset } from "../adapters/files/asset-file.ts";
import { readEnvironment, apiDocsEnvironment } from "../adapters/lambda/environment.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { catalog } from "../adapters/catalog/catalog.ts";
import { PAGE_SCRIPT } from "./docs-page.ts";
import { createSchemas } from "./schemas.ts";
import { createApiDocsRoutes } from "./route.ts";

const environment = readEnvironment(apiDocsEnvironment);
const observability = createObservability("api-docs", environment);
const pageScript = textAsset(PAGE_SCRIPT);

const routes = createApiDocsRoutes({
  schemas: createSchemas({ catalog }),
  rapidoc: assetFile(join(environment.LAMBDA_TASK_ROOT, "rapidoc-min.js")),
  pageScript: () => pageScript,
});

/** `GET /schemas`, `GET /schemas/{type}`, `GET /openapi.json`, `GET /docs` and the scripts of that page */
export const handler = httpHandler({ routes, observability });
