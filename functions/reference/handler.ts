import { join } from "node:path";
import { httpHandler } from "../adapters/api-gateway.ts";
import { assetFile, textAsset } from "../adapters/asset-file.ts";
import { readEnvironment, referenceEnvironment } from "../adapters/environment.ts";
import { createObservability } from "../adapters/observability.ts";
import { catalog } from "../catalog/catalog.ts";
import { PAGE_SCRIPT } from "./docs-page.ts";
import { createReference } from "./reference.ts";
import { createReferenceRoutes } from "./route.ts";

const environment = readEnvironment(referenceEnvironment);
const observability = createObservability("reference", environment);
const pageScript = textAsset(PAGE_SCRIPT);

const routes = createReferenceRoutes({
  reference: createReference({ catalog }),
  rapidoc: assetFile(join(environment.LAMBDA_TASK_ROOT, "rapidoc-min.js")),
  pageScript: () => pageScript,
});

/** `GET /schemas`, `GET /schemas/{type}`, `GET /openapi.json`, `GET /docs` and the scripts of that page */
export const handler = httpHandler({ routes, observability });
