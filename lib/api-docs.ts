import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { ApiDocsEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { API_DOCS_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

/** Describes the API: the catalog's schemas, the OpenAPI document and its page. It has no permissions. */
export class ApiDocs extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    const handler = new SluiceFunction<ApiDocsEnvironment>(this, "Function", {
      name: "api-docs",
      timeoutSeconds: API_DOCS_TIMEOUT_SECONDS,
      stage,
      environment: {},
      copies: ["node_modules/rapidoc/dist/rapidoc-min.js"],
    });
    this.function = handler;
  }
}
