import { Duration, Validations } from "aws-cdk-lib";
import type { Metric } from "aws-cdk-lib/aws-cloudwatch";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  ApplicationLogLevel,
  Architecture,
  Function as LambdaFunction,
  LoggingFormat,
  type RecursiveLoop,
  Runtime,
  SystemLogLevel,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import type { CommonEnvironment, HttpEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import type { FunctionName } from "../functions/core/functions.ts";
import type { MetricName } from "../functions/core/metric-names.ts";
import { routes } from "../functions/routes/routes.ts";
import { bundleHandler } from "./bundle.ts";
import { Logs } from "./logs.ts";
import { MetricFilters } from "./metric-filters.ts";
import { metricsNamespace, ownMetric } from "./own-metric.ts";
import type { StageConfig } from "./stage-config.ts";
import { isTraced } from "./trace-sampling.ts";

export type SluiceFunctionProps<Environment extends CommonEnvironment> = {
  /** Folder in functions/, whose handler.ts is bundled. */
  readonly name: FunctionName;
  readonly stage: StageConfig;
  /** Its variables besides those that all functions have. */
  readonly environment: Omit<Environment, keyof CommonEnvironment>;
  readonly timeoutSeconds: number;
  /** Folders and files copied beside the code, each under its own name. */
  readonly copies?: readonly string[];
  /** Writes more files beside the code, into the folder of the asset. */
  readonly addFiles?: (outputDir: string) => void;
  /** The treatment of a function that a message it sent invokes again and again. @default Lambda stops it */
  readonly recursiveLoop?: RecursiveLoop;
};

/**
 * Lambda gives CPU in proportion to memory: less takes longer for each request and start, and saves only a part of the waiting. The
 * table is in docs/cost.md#memory.
 */
const MEMORY_MEGABYTES = 512;

/**
 * Lambda writes START, END and REPORT of each invocation as text, some 450 bytes that are paid for. As JSON it can leave them
 * out, except for invocations that failed. Our own lines, which are JSON, stay as they are. A line without a level, as one of
 * metrics alone, counts as INFO, so nothing of ours may be filtered here: the stage's `logLevel` decides in the function.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
const LOG_FORMAT = {
  loggingFormat: LoggingFormat.JSON,
  systemLogLevelV2: SystemLogLevel.WARN,
  applicationLogLevelV2: ApplicationLogLevel.INFO,
};

/**
 * A function of Sluice: `functions/<name>/handler.ts`, bundled, on the runtime and architecture that all functions share,
 * with its own log group and role.
 */
export class SluiceFunction<Environment extends CommonEnvironment> extends LambdaFunction {
  private readonly service: FunctionName;
  private readonly stage: StageConfig;

  constructor(scope: Construct, id: string, props: SluiceFunctionProps<Environment>) {
    const logGroup = new Logs(scope, `${id}Logs`, props);
    // AWSLambdaBasicExecutionRole may write to every log group of the account, so it is not used.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    logGroup.grantWrite(role);
    super(scope, id, {
      code: bundleHandler(props.name, props.copies ?? [], props.addFiles),
      handler: "index.handler",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: MEMORY_MEGABYTES,
      timeout: Duration.seconds(props.timeoutSeconds),
      environment: {
        ...commonEnvironment(scope, props.stage),
        ...props.environment,
        ...httpEnvironment(props),
      },
      tracing: isTraced(props.stage) ? Tracing.ACTIVE : Tracing.DISABLED,
      reservedConcurrentExecutions: props.stage.reservedConcurrency?.[props.name],
      recursiveLoop: props.recursiveLoop,
      logGroup,
      ...LOG_FORMAT,
      role,
    });
    // Lines that come before the filters are not counted, so they are there before the code that relies on them.
    this.node.addDependency(new MetricFilters(scope, `${id}MetricFilters`, { name: props.name, logGroup }));
    this.service = props.name;
    this.stage = props.stage;
    Validations.of(role).acknowledge({
      id: "AwsSolutions-IAM5[Resource::*]",
      reason: "X-Ray has no resource-level permissions for PutTraceSegments and PutTelemetryRecords.",
    });
  }

  /** A metric that the function reports, alone or with others. */
  metricOf(metricName: MetricName, statistic: string): Metric {
    return ownMetric(this, this.stage, this.service, metricName, statistic);
  }
}

/** The variables of every function. */
function commonEnvironment(scope: Construct, stage: StageConfig): CommonEnvironment {
  const { name: STAGE, logLevel: LOG_LEVEL, otlp: OTLP } = stage;
  return { STAGE, METRICS_NAMESPACE: metricsNamespace(scope), LOG_LEVEL, ...(OTLP !== undefined && { OTLP }) };
}

/** The variables of a function that answers HTTP requests. */
function httpEnvironment({
  name,
  stage: { corsOrigins },
}: {
  readonly name: FunctionName;
  readonly stage: StageConfig;
}): HttpEnvironment {
  return Object.hasOwn(routes, name) && corsOrigins !== undefined ? { CORS_ORIGINS: corsOrigins.join(" ") } : {};
}
