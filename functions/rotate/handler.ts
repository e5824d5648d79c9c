import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { createDataApi } from "../adapters/data-api/data-api.ts";
import { setPassword } from "../adapters/data-api/set-password.ts";
import { readEnvironment } from "../adapters/lambda/environment.ts";
import { rotateEnvironment } from "../adapters/lambda/environment-schemas.ts";
import { createObservability } from "../adapters/lambda/observability.ts";
import { taskHandler } from "../adapters/lambda/task-handler.ts";
import { createDatabaseSecrets } from "../adapters/secrets-manager/database-secrets.ts";
import { createRotate } from "./rotate.ts";

const environment = readEnvironment(rotateEnvironment);
const observability = createObservability("rotate", environment);

const secretArns = { writer: environment.WRITER_SECRET_ARN, reader: environment.READER_SECRET_ARN };
const rotate = createRotate({
  secrets: createDatabaseSecrets(),
  secretArns,
  owner: createDataApi(environment),
  logins: {
    writer: createDataApi({ ...environment, SECRET_ARN: secretArns.writer }),
    reader: createDataApi({ ...environment, SECRET_ARN: secretArns.reader }),
  },
  setPassword,
  newPassword: () => randomBytes(32).toString("hex"),
  wait,
});

/** Secrets Manager invokes it with each step of a rotation. */
export const handler = taskHandler({ task: (deadline, event) => rotate(event, deadline), observability });
