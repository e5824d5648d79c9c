import { CfnResource, CustomResourceProviderBase, type Stack } from "aws-cdk-lib";
import { Logs } from "./logs.ts";
import type { StageConfig } from "./stage-config.ts";

/**
 * Gives a log group of the stack to each function that the CDK itself adds. Lambda would make one at its first line, which
 * keeps lines for ever and outlives the stack. Called after every construct that may add such a function.
 */
export function addHelperLogs(stack: Stack, stage: StageConfig): void {
  for (const helper of stack.node.children) {
    if (!(helper instanceof CustomResourceProviderBase)) continue;
    const handler = helper.node.findChild("Handler") as CfnResource;
    handler.addPropertyOverride("LoggingConfig.LogGroup", new Logs(helper, "Logs", { stage }).logGroupName);
  }
}
