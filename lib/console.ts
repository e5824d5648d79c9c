import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { ConsoleEnvironment } from "../functions/adapters/lambda/environment.ts";
import { CONSOLE_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { bundlePage } from "./bundle-page.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

/** Serves the operator's page. */
export class Console extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    this.function = new SluiceFunction<ConsoleEnvironment>(this, "Function", {
      name: "console",
      timeoutSeconds: CONSOLE_TIMEOUT_SECONDS,
      stage,
      environment: {},
      addFiles: bundlePage,
    });
  }
}
