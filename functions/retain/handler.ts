import { SQSClient } from "@aws-sdk/client-sqs";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createRetentionWork } from "../adapters/data-api/retention-work.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { readEnvironment, retainEnvironment } from "../adapters/lambda/environment.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { httpQueueOrTask } from "../adapters/lambda/http-queue-or-task.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { taskHandler } from "../adapters/lambda/task-handler.ts";
import { createRetentionSteps } from "../adapters/sqs/retention-steps.ts";
import { retainRoutes } from "../routes/retain.ts";
import { createRetainEndpoints } from "./endpoints.ts";
import { createRetain } from "./retain.ts";
import { createRunSteps } from "./run-steps.ts";
import { createRetainStep } from "./step.ts";

const environment = readEnvironment(retainEnvironment);
const observability = createObservability("retain", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();
const clock = () => new Date();

const work = createRetentionWork(createDataApi(environment));
const steps = createRetentionSteps({ client: new SQSClient(), queueUrl: environment.STEPS_QUEUE_URL, logger });
const retain = createRetain({
  work,
  plans: work,
  steps,
  clock,
  metrics,
  ofStage: environment.RETENTION,
  isArchived: false,
});

/** Drops the days whose retention is over, step by step, once a day; and answers what that will be. */
export const handler = httpQueueOrTask({
  http: httpHandler({
    routes: retainRoutes,
    handlers: createRetainEndpoints(retain),
    checkKey: createKeyCheck(environment, { client, metrics }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger }),
    observability,
  }),
  queue: sqsBatchHandler({ rule: createRunSteps(createRetainStep({ work, steps, clock })), observability }),
  task: taskHandler({ task: (deadline) => retain.run(deadline), observability }),
});
