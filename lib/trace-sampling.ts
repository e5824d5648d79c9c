import { Names, Stack } from "aws-cdk-lib";
import { CfnSamplingRule } from "aws-cdk-lib/aws-xray";
import { Construct } from "constructs";
import type { StageConfig } from "./stage-config.ts";

/** Tells whether a stage records traces in X-Ray. */
export const isTraced = ({ xrayPercent = 0 }: Pick<StageConfig, "xrayPercent">): boolean => xrayPercent > 0;

/**
 * Before X-Ray's own rule, which records the first request of each second and 5 % of the others. Lower numbers come first. The pattern of
 * `Sluice-dev` matches the names of `Sluice-dev-2` as well, so of two stacks the rule of the longer name comes before the other.
 */
const priorityOf = (stackName: string): number => 1_000 - stackName.length;

/**
 * The rule by which X-Ray records requests to the API, and invocations of the functions that belong to no request: the first of each
 * second and the stage's percent of the others, so that their price does not grow with the traffic of prod as it would by X-Ray's own rule.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
 */
export class TraceSampling extends Construct {
  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    new CfnSamplingRule(this, "Rule", {
      samplingRule: {
        ruleName: Names.uniqueResourceName(this, { maxLength: 32 }),
        version: 1,
        priority: priorityOf(Stack.of(this).stackName),
        reservoirSize: 1,
        fixedRate: (stage.xrayPercent ?? 0) / 100,
        // The API's name for X-Ray is `<stack>/<stage>`, that of a function begins with the stack's as well.
        serviceName: `${Stack.of(this).stackName}*`,
        serviceType: "*",
        host: "*",
        httpMethod: "*",
        urlPath: "*",
        resourceArn: "*",
      },
    });
  }
}
