import type { QueueModel } from "../template/model.ts";
import type { Store } from "./fauxqs.ts";

/** SQS's largest message since 2025: docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAXIMUM_MESSAGE_SIZE_BYTES = 1_048_576;

/**
 * Brings the persisted queues in line with the template: creates new ones and sets attributes that changed since the last
 * start; messages stay. A persisted queue that the template no longer has is kept with its messages, and noted.
 */
export function reconcileQueues(store: Store, queues: QueueModel[]): string[] {
  for (const model of queues) {
    const attributes = attributesOf(model);
    const persisted = store.getQueueByArn(model.arn);
    if (persisted === undefined) {
      store.createQueue(model.name, urlOf("", model.arn), model.arn, withoutEmpty(attributes));
    } else if (Object.entries(attributes).some(([name, value]) => (persisted.attributes[name] ?? "") !== value)) {
      persisted.setAttributes(attributes);
    }
  }
  const known = new Set(queues.map(({ arn }) => arn));
  return [...store.allQueues()]
    .filter(({ arn }) => !known.has(arn))
    .map(
      ({ name, messages, delayedMessages, inflightMessages }) =>
        `The queue ${name} is no longer in the template; ` +
        `${messages.length + delayedMessages.length + inflightMessages.size} messages are kept in it.`,
    );
}

/**
 * Persisted URLs hold the port of an earlier start, or none. They are set in memory only: fauxqs looks queues up by name
 * and region, and saving a queue again would delete its messages (`INSERT OR REPLACE` under a cascading foreign key).
 */
export function pointUrlsAt(store: Store, endpoint: string): void {
  const queues = [...store.allQueues()];
  store.queues.clear();
  for (const queue of queues) {
    queue.url = urlOf(endpoint, queue.arn);
    store.queues.set(queue.url, queue);
  }
}

/** `http://127.0.0.1:9324/000000000000/name` for `arn:aws:sqs:us-east-1:000000000000:name`. */
export function urlOf(endpoint: string, arn: string): string {
  const [accountId, name] = arn.split(":").slice(4);
  return `${endpoint}/${accountId}/${name}`;
}

/** All attributes that a template can set; an empty redrive policy removes one. */
function attributesOf(model: QueueModel): Record<string, string> {
  const { redrive } = model;
  return {
    VisibilityTimeout: String(model.visibilityTimeoutSeconds),
    MessageRetentionPeriod: String(model.messageRetentionSeconds),
    MaximumMessageSize: String(model.maximumMessageSizeBytes ?? MAXIMUM_MESSAGE_SIZE_BYTES),
    ReceiveMessageWaitTimeSeconds: String(model.receiveWaitSeconds),
    DelaySeconds: String(model.delaySeconds),
    RedrivePolicy:
      redrive === undefined
        ? ""
        : JSON.stringify({ deadLetterTargetArn: redrive.deadLetterArn, maxReceiveCount: redrive.maxReceiveCount }),
  };
}

function withoutEmpty(attributes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}
