import type { QueueModel } from "./model.ts";
import { type Properties, propertiesOf, type Shape } from "./properties.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/** SQS's own values: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sqs-queue.html */
const DEFAULT_VISIBILITY_TIMEOUT_SECONDS = 30;
const DEFAULT_RETENTION_SECONDS = 345_600;

const QUEUE: Shape = {
  used: [
    "DelaySeconds",
    "FifoQueue",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "QueueName",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "VisibilityTimeout",
  ],
  inert: ["KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "RedriveAllowPolicy", "SqsManagedSseEnabled", "Tags"],
};
const REDRIVE: Shape = { used: ["deadLetterTargetArn", "maxReceiveCount"], inert: [] };

export function readQueues(resolver: Resolver): QueueModel[] {
  const queues = resolver.idsOf("AWS::SQS::Queue").map((logicalId) => readQueue(resolver, logicalId));
  const known = new Set(queues.map(({ arn }) => arn));
  const lost = queues.find(({ redrive }) => redrive !== undefined && !known.has(redrive.deadLetterArn));
  if (lost !== undefined) {
    throw new TemplateError(
      `${lost.logicalId}.Properties.RedrivePolicy: ${lost.redrive?.deadLetterArn} is not a queue of this stack.`,
    );
  }
  return queues;
}

function readQueue(resolver: Resolver, logicalId: string): QueueModel {
  const properties = propertiesOf(resolver, logicalId, QUEUE);
  if (properties.flag("FifoQueue", false)) {
    throw new TemplateError(`${properties.path}.FifoQueue: FIFO queues do not run locally. Use a standard queue.`);
  }
  return {
    logicalId,
    name: String(resolver.getAtt(logicalId, "QueueName", logicalId)),
    arn: String(resolver.getAtt(logicalId, "Arn", logicalId)),
    visibilityTimeoutSeconds: properties.number("VisibilityTimeout", DEFAULT_VISIBILITY_TIMEOUT_SECONDS),
    messageRetentionSeconds: properties.number("MessageRetentionPeriod", DEFAULT_RETENTION_SECONDS),
    maximumMessageSizeBytes: properties.optionalNumber("MaximumMessageSize"),
    receiveWaitSeconds: properties.number("ReceiveMessageWaitTimeSeconds", 0),
    delaySeconds: properties.number("DelaySeconds", 0),
    redrive: readRedrive(properties),
  };
}

function readRedrive(properties: Properties): QueueModel["redrive"] {
  const policy = properties.object("RedrivePolicy", REDRIVE);
  if (policy === undefined) return undefined;
  return {
    deadLetterArn: policy.text("deadLetterTargetArn"),
    maxReceiveCount: Number(policy.text("maxReceiveCount")),
  };
}
