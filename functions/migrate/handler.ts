import { join } from "node:path";
import { SQSClient } from "@aws-sdk/client-sqs";
import { declaredFields } from "../adapters/catalog/declared-fields.ts";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { setPassword } from "../adapters/data-api/set-password.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { migrateEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { readMigrations } from "../adapters/files/read-migrations.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { taskHandler } from "../adapters/lambda/task-handler.ts";
import { createDatabaseSecrets } from "../adapters/secrets-manager/database-secrets.ts";
import { createWakes } from "../adapters/sqs/wakes.ts";
import { createCurrentCredentials } from "./current-credentials.ts";
import { createKeepDeadLetters } from "./keep-dead-letters.ts";
import { createKeepDeliveries } from "./keep-deliveries.ts";
import { createKeepRollups } from "./keep-rollups.ts";
import { createMigrate } from "./migrate.ts";

const environment = readEnvironment(migrateEnvironment);
const observability = createObservability("migrate", environment);

const database = createDataApi(environment);
const clock = () => new Date();

const migrate = createMigrate({
  database,
  clock,
  credentials: createCurrentCredentials({
    secrets: createDatabaseSecrets(),
    secretArns: { writer: environment.WRITER_SECRET_ARN, reader: environment.READER_SECRET_ARN },
  }),
  setPassword,
  declaredFields,
  retention: environment.RETENTION,
  keepRollups: createKeepRollups({ database, clock, metrics: observability.metrics }),
  keepDeadLetters: createKeepDeadLetters({ database, clock, days: environment.DEAD_LETTER_RETENTION_DAYS }),
  keepDeliveries: createKeepDeliveries({ database, clock }),
  wakes: createWakes({
    client: new SQSClient(),
    queueUrl: environment.WAKE_QUEUE_URL,
    logger: observability.logger,
  }),
});
const migrations = readMigrations(join(environment.LAMBDA_TASK_ROOT, "sql"));

/**
 * Runs once per deployment that changes the migrations or the catalog's declared fields, and daily for the partitions of the next
 * days, for the rollups, for closed dead letters, and for deliveries.
 */
export const handler = taskHandler({ task: (deadline) => migrate(migrations, deadline), observability });
