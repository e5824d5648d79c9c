import { Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Function as LambdaFunction, type RecursiveLoop, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { CommonEnvironment } from "../functions/adapters/lambda/environment.ts";
import type { FunctionName } from "../functions/core/functions.ts";
import { bundleHandler } from "./bundle.ts";

export type SluiceFunctionProps<Environment extends CommonEnvironment> = {
  /** Folder in functions/, whose handler.ts is bundled. */
  readonly name: FunctionName;
  readonly environment: Environment;
  readonly timeoutSeconds: number;
  /** Folders and files copied beside the code, each under its own name. */
  readonly copies?: readonly string[];
  /** The treatment of a function that a message it sent invokes again and again. @default Lambda stops it */
  readonly recursiveLoop?: RecursiveLoop;
};

/** Lambda gives CPU in proportion to memory, and the SDK client starts slowly below this. */
const MEMORY_MEGABYTES = 512;

/**
 * A function of Sluice: `functions/<name>/handler.ts`, bundled, on the runtime and architecture that all functions share,
 * with its own log group and role.
 */
export class SluiceFunction<Environment extends CommonEnvironment> extends LambdaFunction {
  constructor(scope: Construct, id: string, props: SluiceFunctionProps<Environment>) {
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // AWSLambdaBasicExecutionRole may write to every log group of the account, so it is not used.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    logGroup.grantWrite(role);
    super(scope, id, {
      code: bundleHandler(props.name, props.copies ?? []),
      handler: "index.handler",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: MEMORY_MEGABYTES,
      timeout: Duration.seconds(props.timeoutSeconds),
      environment: { ...props.environment, NODE_OPTIONS: "--enable-source-maps" },
      tracing: Tracing.ACTIVE,
      recursiveLoop: props.recursiveLoop,
      logGroup,
      role,
    });
    Validations.of(role).acknowledge({
      id: "AwsSolutions-IAM5[Resource::*]",
      reason: "X-Ray has no resource-level permissions for PutTraceSegments and PutTelemetryRecords.",
    });
  }
}
