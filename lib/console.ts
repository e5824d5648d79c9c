import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { ConsoleEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { CONSOLE_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import type { Access } from "./access.ts";
import { bundlePage } from "./bundle-page.ts";
import { release } from "./release.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

export type ConsoleProps = {
  readonly stage: StageConfig;
  readonly access: Access;
};

/** Serves the operator's page, and signs people in to it. */
export class Console extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, access }: ConsoleProps) {
    super(scope, id);
    const handler = new SluiceFunction<ConsoleEnvironment>(this, "Function", {
      name: "console",
      timeoutSeconds: CONSOLE_TIMEOUT_SECONDS,
      stage,
      environment: { ...access.keyCheckEnvironment(), ...access.auditEnvironment(), ...release(this) },
      addFiles: bundlePage,
    });
    access.grantKeyCheck(handler);
    access.grantSessions(handler);
    access.grantAudit(handler);
    this.function = handler;
  }
}
