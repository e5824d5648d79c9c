import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { CommonEnvironment, ReferenceEnvironment } from "../functions/adapters/environment.ts";
import { REFERENCE_TIMEOUT_SECONDS } from "../functions/core/limits.ts";
import type { EventApi } from "./api.ts";
import { StageFunction } from "./stage-function.ts";

export type ReferenceProps = {
  readonly common: CommonEnvironment;
  readonly api: EventApi;
};

/** What the API takes and answers: the catalog's schemas, the OpenAPI document and its page. It may do nothing else. */
export class Reference extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { common, api }: ReferenceProps) {
    super(scope, id);
    const handler = new StageFunction<ReferenceEnvironment>(this, "Function", {
      stage: "reference",
      timeoutSeconds: REFERENCE_TIMEOUT_SECONDS,
      environment: { ...common },
      copies: ["node_modules/rapidoc/dist/rapidoc-min.js"],
    });
    for (const path of ROUTES) api.route("GET", path, handler);
    this.function = handler;
  }
}

const ROUTES = ["schemas", "schemas/{type}", "openapi.json", "docs", "docs/rapidoc-min.js", "docs/page.js"];
