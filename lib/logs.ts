import { RemovalPolicy } from "aws-cdk-lib";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { StageConfig } from "./stage-config.ts";

/** A log group that keeps its lines as long as the stage says, and is deleted with the stack. */
export class Logs extends LogGroup {
  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id, { retention: stage.logRetentionDays, removalPolicy: RemovalPolicy.DESTROY });
  }
}
