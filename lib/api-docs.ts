import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { CommonEnvironment, ApiDocsEnvironment } from "../functions/adapters/lambda/environment.ts";
import { API_DOCS_TIMEOUT_SECONDS } from "../functions/core/limits.ts";
import type { EventApi } from "./api.ts";
import { SluiceFunction } from "./sluice-function.ts";

export type ApiDocsProps = {
  readonly common: CommonEnvironment;
  readonly api: EventApi;
};

/** What the API takes and answers: the catalog's schemas, the OpenAPI document and its page. It may do nothing else. */
export class ApiDocs extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { common, api }: ApiDocsProps) {
    super(scope, id);
    const handler = new SluiceFunction<ApiDocsEnvironment>(this, "Function", {
      name: "api-docs",
      timeoutSeconds: API_DOCS_TIMEOUT_SECONDS,
      environment: { ...common },
      copies: ["node_modules/rapidoc/dist/rapidoc-min.js"],
    });
    for (const path of ROUTES) api.route("GET", path, handler);
    this.function = handler;
  }
}

const ROUTES = ["schemas", "schemas/{type}", "openapi.json", "docs", "docs/rapidoc-min.js", "docs/page.js"];
