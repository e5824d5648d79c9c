import { randomBytes } from "node:crypto";
import { devNull } from "node:os";
import type { FunctionModel } from "../template/model.ts";

/**
 * The whole environment of a function's process: the template's variables, the endpoints of the local services and
 * Lambda's reserved variables. Nothing of the developer's environment or AWS configuration reaches a function.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
export function functionEnvironment(
  model: FunctionModel,
  options: { region: string; endpoints: Record<string, string> },
): Record<string, string> {
  return {
    LANG: "en_US.UTF-8",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    // Windows opens no socket without it.
    ...(process.platform === "win32" ? { SystemRoot: process.env.SystemRoot ?? "C:\\Windows" } : {}),
    ...model.environment,
    ...options.endpoints,
    TZ: "UTC",
    AWS_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: model.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(model.memoryMegabytes),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${model.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName(),
    // The local services check no signature, but the SDK signs.
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_SESSION_TOKEN: "local",
    // Lambda has no ~/.aws. Without these variables the SDK would read the developer's.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    LAMBDA_TASK_ROOT: model.assetPath,
    LAMBDA_RUNTIME_DIR: import.meta.dirname,
    _HANDLER: model.handler,
  };
}

function logStreamName(): string {
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[$LATEST]${randomBytes(16).toString("hex")}`;
}
