import { join } from "node:path";
import { createDataApi } from "../adapters/data-api.ts";
import { migrateEnvironment, readEnvironment } from "../adapters/environment.ts";
import { readMigrations } from "../adapters/migration-files.ts";
import { createObservability } from "../adapters/observability.ts";
import { taskHandler } from "../adapters/task.ts";
import { createMigrate } from "./migrate.ts";

const environment = readEnvironment(migrateEnvironment);
const observability = createObservability("migrate", environment);

const migrate = createMigrate({ database: createDataApi(environment), clock: () => new Date() });
const migrations = readMigrations(join(environment.LAMBDA_TASK_ROOT, "sql"));

/** Invoked once per deployment, and daily for the partitions of the days to come. */
export const handler = taskHandler({ task: (deadline) => migrate(migrations, deadline), observability });
