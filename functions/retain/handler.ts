import { SQSClient } from "@aws-sdk/client-sqs";
import { v7 as uuidv7 } from "uuid";
import { createArchiveSource } from "../adapters/data-api/archive-source.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createRestoreJobs } from "../adapters/data-api/restore-jobs.ts";
import { createRestoreWork } from "../adapters/data-api/restore-work.ts";
import { createRetentionWork } from "../adapters/data-api/retention-work.ts";
import { createAccessReader } from "../adapters/dynamodb/access-reader.ts";
import { createAuditLog } from "../adapters/dynamodb/audit-log.ts";
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
import { createArchiveFiles } from "../adapters/s3/archive-files.ts";
import { createS3 } from "../adapters/s3/client.ts";
import { createRestoreSteps } from "../adapters/sqs/restore-steps.ts";
import { createRetentionSteps } from "../adapters/sqs/retention-steps.ts";
import { createWorkCheck } from "../core/work-allowed.ts";
import { retainRoutes } from "../routes/retain.ts";
import { createArchiveDay } from "./archive-day.ts";
import { createRetainEndpoints } from "./endpoints.ts";
import { createRestore } from "./restore.ts";
import { createRestoreEndpoints } from "./restore-endpoints.ts";
import { createRestoreStep } from "./restore-step.ts";
import { createRetain } from "./retain.ts";
import { createRunRestores } from "./run-restores.ts";
import { createRunSteps } from "./run-steps.ts";
import { createRetainStep } from "./step.ts";

const environment = readEnvironment(retainEnvironment);
const observability = createObservability("retain", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();
const clock = () => new Date();

const database = createDataApi(environment);
const work = createRetentionWork(database);
const queue = { client: new SQSClient(), queueUrl: environment.STEPS_QUEUE_URL, logger };
const steps = createRetentionSteps(queue);
const restoreSteps = createRestoreSteps(queue);
const files = createArchiveFiles({ client: createS3(environment), bucket: environment.ARCHIVE_BUCKET });
const jobs = createRestoreJobs(database);
const audit = createAuditLog({ client, table: environment.AUDIT_TABLE });
const newId = () => `rst_${uuidv7().replaceAll("-", "")}`;
const whyEnded = createWorkCheck({ reader: createAccessReader({ client, table: environment.ACCESS_TABLE }), clock });
const archive = createArchiveDay({ source: createArchiveSource(database), files, clock });
const retain = createRetain({
  work,
  plans: work,
  steps,
  restores: jobs,
  clock,
  metrics,
  ofStage: environment.RETENTION,
  isArchived: environment.ARCHIVE === "before-drop",
});
const restores = createRestore({ jobs, files, steps: restoreSteps, audit, clock, newId });
const retainStep = createRetainStep({ work, steps, clock, ...(environment.ARCHIVE === "before-drop" && { archive }) });
const restoreStep = createRestoreStep({
  work: createRestoreWork(database),
  files,
  steps: restoreSteps,
  whyEnded,
  clock,
});

/** Archives and drops the days whose retention is over, step by step, once a day; answers what that will be; and restores. */
export const handler = httpQueueOrTask({
  http: httpHandler({
    routes: retainRoutes,
    handlers: createRetainEndpoints(retain, createRestoreEndpoints({ restores, clock })),
    checkKey: createKeyCheck(environment, { client, metrics }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger }),
    observability,
  }),
  queue: sqsBatchHandler({ rule: createRunRestores(restoreStep, createRunSteps(retainStep)), observability }),
  task: taskHandler({ task: (deadline) => retain.run(deadline), observability }),
});
