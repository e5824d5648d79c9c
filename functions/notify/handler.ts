import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { SQSClient } from "@aws-sdk/client-sqs";
import { v7 as uuidv7 } from "uuid";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createDeliveryWork } from "../adapters/data-api/delivery-work.ts";
import { createEventReader } from "../adapters/data-api/event-reader.ts";
import { createJobStarts } from "../adapters/data-api/job-starts.ts";
import { createListReader } from "../adapters/data-api/list-reader.ts";
import { createSubscriptionStore } from "../adapters/data-api/subscription-store.ts";
import { createAuditLog } from "../adapters/dynamodb/audit-log.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createSubscribedMark } from "../adapters/dynamodb/subscribed-mark.ts";
import { createSinkAddresses } from "../adapters/http/sink-address.ts";
import { createSlackNotifier } from "../adapters/http/slack.ts";
import { createWebhookNotifier } from "../adapters/http/webhook.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { notifyEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { httpOrQueue } from "../adapters/lambda/http-or-queue.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { loggableError } from "../adapters/lambda/loggable-error.ts";
import { withFailpoints } from "../adapters/lambda/notifier-failpoints.ts";
import { openAhead } from "../adapters/lambda/open-connection.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { createEmailNotifier } from "../adapters/mail/email.ts";
import { createKeySecret } from "../adapters/secrets-manager/key-secret.ts";
import { createTopicNotifier } from "../adapters/sns/topic-sink.ts";
import { createEventQueue } from "../adapters/sqs/event-queue.ts";
import { createReceivedMessages } from "../adapters/sqs/received-messages.ts";
import { createQueueNotifier } from "../adapters/sqs/queue-sink.ts";
import { createWakes } from "../adapters/sqs/wakes.ts";
import { createCursors } from "../core/cursor.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { TENANT_MAX_QUERIES } from "../core/query-load-limits.ts";
import { createSeals } from "../core/seal-secret.ts";
import { makeWebhookSecret } from "../core/sign-webhook.ts";
import { notifyRoutes } from "../routes/notify.ts";
import { createDeliver } from "./deliver.ts";
import { createNotifyEndpoints } from "./endpoints.ts";
import { createRunWakes } from "./run-wakes.ts";
import { createWork } from "./work.ts";

const environment = readEnvironment(notifyEnvironment);
const observability = createObservability("notify", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();
const sqs = new SQSClient();
const clock = () => new Date();
const newId = () => uuidv7().replaceAll("-", "");

const writer = createDataApi(environment, openAhead);
const reader = createDataApi({ ...environment, SECRET_ARN: environment.READER_SECRET_ARN });
const secret = createKeySecret(environment.KEY_SECRET_ARN);
const seals = createSeals(secret, randomBytes);
const allowHttp = environment.ALLOW_HTTP_SINKS;
const addresses = createSinkAddresses({ allowHttp });
const { EMAIL_FROM: from, SMTP_URL: smtp } = environment;

const notifiers = {
  webhook: withFailpoints(createWebhookNotifier({ addresses, allowHttp, seals })),
  slack: createSlackNotifier({ addresses, allowHttp }),
  email: createEmailNotifier({ from, carrier: smtp === undefined ? { kind: "ses" } : { kind: "smtp", url: smtp } }),
  sns: createTopicNotifier({ topicArns: environment.NOTIFY_TOPIC_ARNS }),
  sqs: createQueueNotifier({ client: () => sqs, queueUrls: environment.NOTIFY_QUEUE_URLS }),
};

/** The text and the public key are shown once; the database gets both sealed. */
async function newSecret(subscriptionId: string) {
  const { secret: shown, publicKey, text } = makeWebhookSecret(randomBytes);
  return { text: shown, publicKey, sealed: await seals.seal(subscriptionId, text) };
}

const wakes = createWakes({ client: sqs, queueUrl: environment.WAKE_QUEUE_URL, logger });
const mark = createSubscribedMark({ client, table: environment.USAGE_TABLE });

const work = createWork({
  work: createDeliveryWork(writer),
  deliver: createDeliver({
    notifiers,
    clock,
    random: Math.random,
    tracing: observability.tracing,
    onFailure: (error) => logger.error("notifier failed", { error: loggableError(error) }),
  }),
  events: createEventQueue({ client: sqs, queueUrl: environment.QUEUE_URL, logger }),
  wakes,
  mark,
  clock,
  wait,
  newId,
  onMarkFailure: (error) => logger.warn("subscriptions not marked", { error: loggableError(error) }),
});

/** Answers for subscriptions; and delivers their events, one round for the wake-ups of an invocation. */
export const handler = httpOrQueue({
  http: httpHandler({
    routes: notifyRoutes,
    handlers: createNotifyEndpoints({
      store: createSubscriptionStore(writer),
      starts: createJobStarts(writer),
      notifiers,
      wakes,
      mark,
      audit: createAuditLog({ client, table: environment.AUDIT_TABLE }),
      reader: createListReader(reader, { maxOfTenant: TENANT_MAX_QUERIES }),
      events: createEventReader(reader),
      cursors: createCursors(secret),
      newSecret,
      clock,
      newId,
    }),
    checkKey: createKeyCheck(environment, { client, metrics, secret }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger, reserve: QUERY_RESERVE }),
    observability,
  }),
  queue: sqsBatchHandler({
    rule: createRunWakes({
      work,
      wakes,
      received: createReceivedMessages({ client: sqs, queueUrl: environment.WAKE_QUEUE_URL, logger }),
      visibilitySeconds: environment.QUEUE_VISIBILITY_SECONDS,
      clock,
    }),
    observability,
  }),
});
