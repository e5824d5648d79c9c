import { SQSClient } from "@aws-sdk/client-sqs";
import { v7 as uuidv7 } from "uuid";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { createListReader } from "../adapters/data-api/list-reader.ts";
import { createAccessReader } from "../adapters/dynamodb/access-reader.ts";
import { createAuditLog } from "../adapters/dynamodb/audit-log.ts";
import { createDynamoDb } from "../adapters/dynamodb/client.ts";
import { createExportJobs } from "../adapters/dynamodb/export-jobs.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { exportEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { httpHandler } from "../adapters/lambda/http-handler.ts";
import { httpOrQueue } from "../adapters/lambda/http-or-queue.ts";
import { createKeyCheck } from "../adapters/lambda/key-check.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { createSharedLimiter } from "../adapters/lambda/shared-limiter.ts";
import { sqsBatchHandler } from "../adapters/lambda/sqs-batch-handler.ts";
import { createS3 } from "../adapters/s3/client.ts";
import { createExportFiles } from "../adapters/s3/export-files.ts";
import { createExportSteps } from "../adapters/sqs/export-steps.ts";
import { QUERY_RESERVE } from "../core/limiter.ts";
import { createWorkCheck } from "../core/work-allowed.ts";
import { allowedMethods } from "../adapters/lambda/allowed-methods.ts";
import { exportRoutes } from "../routes/export.ts";
import { createExportEndpoints } from "./endpoints.ts";
import { createEventPages } from "./event-pages.ts";
import { createExport } from "./export.ts";
import { createRunSteps } from "./run-steps.ts";
import { createExportStep } from "./step.ts";

const environment = readEnvironment(exportEnvironment);
const observability = createObservability("export", environment);
const { logger, metrics } = observability;
const client = createDynamoDb();
const clock = () => new Date();

const jobs = createExportJobs({ client, table: environment.JOBS_TABLE });
const files = createExportFiles({ client: createS3(environment), bucket: environment.BUCKET });
const steps = createExportSteps({ client: new SQSClient(), queueUrl: environment.QUEUE_URL, logger });
const pages = createEventPages(createListReader(createDataApi(environment)));
const audit = createAuditLog({ client, table: environment.AUDIT_TABLE });
const newId = () => `exp_${uuidv7().replaceAll("-", "")}`;
const whyEnded = createWorkCheck({ reader: createAccessReader({ client, table: environment.ACCESS_TABLE }), clock });

/** Starts exports and answers for them; and writes them, one step a message. */
export const handler = httpOrQueue({
  http: httpHandler({
    routes: exportRoutes,
    handlers: createExportEndpoints({
      exports: createExport({ jobs, steps, pages, audit, clock, newId }),
      files,
      clock,
    }),
    checkKey: createKeyCheck(environment, { client, metrics }),
    allowedMethods,
    corsOrigins: environment.CORS_ORIGINS,
    limiter: createSharedLimiter(environment, { client, logger, reserve: QUERY_RESERVE }),
    observability,
  }),
  queue: sqsBatchHandler({
    rule: createRunSteps(createExportStep({ jobs, files, steps, pages, whyEnded, clock })),
    observability,
  }),
});
