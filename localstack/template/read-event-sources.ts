import type { EventSourceModel, FunctionModel, QueueModel } from "./model.ts";
import { type Properties, propertiesOf, type Shape } from "./properties.ts";
import { findFunction } from "./read-functions.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/** Lambda's own value: docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html */
const DEFAULT_BATCH_SIZE = 10;

const EVENT_SOURCE_MAPPING: Shape = {
  used: [
    "BatchSize",
    "Enabled",
    "EventSourceArn",
    "FunctionName",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "ScalingConfig",
  ],
  inert: ["LoggingConfig", "MetricsConfig", "Tags"],
};
const SCALING: Shape = { used: ["MaximumConcurrency"], inert: [] };

/** The event source mappings that are switched on. */
export function readEventSources(
  resolver: Resolver,
  functions: FunctionModel[],
  queues: QueueModel[],
): EventSourceModel[] {
  return resolver
    .idsOf("AWS::Lambda::EventSourceMapping")
    .map((logicalId) => propertiesOf(resolver, logicalId, EVENT_SOURCE_MAPPING))
    .filter((properties) => properties.flag("Enabled", true))
    .map((properties) => readEventSource(properties, functions, queues));
}

function readEventSource(properties: Properties, functions: FunctionModel[], queues: QueueModel[]): EventSourceModel {
  const queueArn = properties.text("EventSourceArn");
  if (!queues.some(({ arn }) => arn === queueArn)) {
    throw new TemplateError(`${properties.path}.EventSourceArn: ${queueArn} is not a queue of this stack.`);
  }
  return {
    queueArn,
    functionArn: findFunction(functions, properties.text("FunctionName"), `${properties.path}.FunctionName`).arn,
    batchSize: properties.number("BatchSize", DEFAULT_BATCH_SIZE),
    windowSeconds: properties.number("MaximumBatchingWindowInSeconds", 0),
    maximumConcurrency: properties.object("ScalingConfig", SCALING)?.optionalNumber("MaximumConcurrency"),
    reportBatchItemFailures: properties.texts("FunctionResponseTypes").includes("ReportBatchItemFailures"),
  };
}
