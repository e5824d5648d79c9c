import { SQSClient } from "@aws-sdk/client-sqs";
import { v7 as uuidv7 } from "uuid";
import { createArchiveRewrites } from "../adapters/data-api/archive-rewrites.ts";
import { createArchiveSource } from "../adapters/data-api/archive-source.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createErasureJobs } from "../adapters/data-api/erasure-jobs.ts";
import { createErasureWork } from "../adapters/data-api/erasure-work.ts";
import { createHolds } from "../adapters/data-api/holds.ts";
import { createListReader } from "../adapters/data-api/list-reader.ts";
import { createRestoreJobs } from "../adapters/data-api/restore-jobs.ts";
import { createRestoreWork } from "../adapters/data-api/restore-work.ts";
import { createRetentionWork } from "../adapters/data-api/retention-work.ts";
import { createAccessReader } from "../adapters/dynamodb/access-reader.ts";
import { createAuditLog } from "../adapters/dynamodb/audit-log.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createExportJobs } from "../adapters/dynamodb/export-jobs.ts";
import { createRefusalSamples } from "../adapters/dynamodb/refusal-samples.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { retainEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { httpQueueOrTask } from "../adapters/lambda/http-queue-or-task.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { taskHandler } from "../adapters/lambda/task-handler.ts";
import { createArchiveFiles } from "../adapters/s3/archive-files.ts";
import { createS3 } from "../adapters/s3/client.ts";
import { createErasableFiles } from "../adapters/s3/erasable-files.ts";
import { createErasureSteps } from "../adapters/sqs/erasure-steps.ts";
import { createRestoreSteps } from "../adapters/sqs/restore-steps.ts";
import { createRetentionSteps } from "../adapters/sqs/retention-steps.ts";
import { createWorkCheck } from "../core/work-allowed.ts";
import { retainRoutes } from "../routes/retain.ts";
import { createArchiveDay } from "./archive-day.ts";
import { createRetainEndpoints } from "./endpoints.ts";
import { createErasure } from "./erasure.ts";
import { createErasureEndpoints } from "./erasure-endpoints.ts";
import { createErasureStep } from "./erasure-step.ts";
import { createErasedObjects } from "./erased-objects.ts";
import { createHoldEndpoints } from "./hold-endpoints.ts";
import { createHoldMatches } from "./hold-matches.ts";
import { createHoldRule } from "./holds.ts";
import { createRestore } from "./restore.ts";
import { createRestoreEndpoints } from "./restore-endpoints.ts";
import { createRestoreStep } from "./restore-step.ts";
import { createRetain } from "./retain.ts";
import { createRunJobs } from "./run-jobs.ts";
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
const erasureSteps = createErasureSteps(queue);
const s3 = createS3(environment);
const files = createArchiveFiles({ client: s3, bucket: environment.ARCHIVE_BUCKET });
const jobs = createRestoreJobs(database);
const holds = createHolds(database);
const erasureJobs = createErasureJobs(database);
const objects = createErasedObjects({
  exports: {
    jobs: createExportJobs({ client, table: environment.JOBS_TABLE }),
    files: createErasableFiles({ client: s3, bucket: environment.EXPORT_BUCKET }),
  },
  archive: { files, rewrites: createArchiveRewrites(database) },
  samples: createRefusalSamples({ client, table: environment.STATUS_TABLE }),
  clock,
});
const audit = createAuditLog({ client, table: environment.AUDIT_TABLE });
const newId = (kind: "rst" | "hld" | "ers") => () => `${kind}_${uuidv7().replaceAll("-", "")}`;
const whyEnded = createWorkCheck({ reader: createAccessReader({ client, table: environment.ACCESS_TABLE }), clock });
const archive = createArchiveDay({ source: createArchiveSource(database), files, clock });
const retain = createRetain({
  work,
  plans: work,
  steps,
  restores: jobs,
  erasures: erasureJobs,
  holds,
  clock,
  metrics,
  ofStage: environment.RETENTION,
  isArchived: environment.ARCHIVE === "before-drop",
  rollupDays: environment.ROLLUP_RETENTION_DAYS,
});
const restores = createRestore({ jobs, files, steps: restoreSteps, audit, clock, newId: newId("rst") });
const erasures = createErasure({
  jobs: erasureJobs,
  objects,
  steps: erasureSteps,
  audit,
  clock,
  newId: newId("ers"),
});
const holdRule = createHoldRule({ holds, audit, clock, newId: newId("hld") });
const matchesOf = createHoldMatches({ reader: createListReader(database), clock });
const retainStep = createRetainStep({
  work,
  steps,
  clock,
  ...(environment.ARCHIVE === "before-drop" && { archive }),
  rollupDays: environment.ROLLUP_RETENTION_DAYS,
});
const restoreStep = createRestoreStep({
  work: createRestoreWork(database),
  files,
  steps: restoreSteps,
  whyEnded,
  clock,
});
const erasureStep = createErasureStep({
  work: createErasureWork(database),
  objects,
  steps: erasureSteps,
  whyEnded,
  clock,
});

/** Archives and drops the days whose retention is over, step by step, once a day; answers what that will be; restores and erases. */
export const handler = httpQueueOrTask({
  http: httpHandler({
    routes: retainRoutes,
    handlers: createRetainEndpoints(
      retain,
      createRestoreEndpoints({ restores, clock }),
      createHoldEndpoints({ holds: holdRule, matchesOf, clock }),
      createErasureEndpoints({ erasures, clock }),
    ),
    checkKey: createKeyCheck(environment, { client, metrics }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger }),
    observability,
  }),
  queue: sqsBatchHandler({
    rule: createRunJobs("erasure", erasureStep, createRunJobs("restore", restoreStep, createRunSteps(retainStep))),
    observability,
  }),
  task: taskHandler({ task: (deadline) => retain.run(deadline), observability }),
});
