import { en } from "zod/locales";
import type * as z from "zod/mini";

/**
 * Parses the process's environment by a schema of environment-schemas.ts, once, at cold start. Only this file reads `process.env`
 * (the linter checks it).
 * @throws Error that names every missing or bad variable at once
 */
export function readEnvironment<T extends z.ZodMiniType>(makeSchema: () => T): z.output<T> {
  // zod/mini, the only zod in most bundles, has no messages of its own. To compile the schema takes longer than the one parse.
  const parsed = makeSchema().safeParse(process.env, { error: en().localeError, jitless: true });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`The function's environment is not valid. ${faults.join("; ")}`);
}

/** Variables that Lambda sets. The trace header changes with each invocation, so it is read each time. */
export const lambdaEnvironment = {
  isStartedOnDemand: () => process.env["AWS_LAMBDA_INITIALIZATION_TYPE"] === "on-demand",
  traceHeader: () => process.env["_X_AMZN_TRACE_ID"],
};

/** Variables of the fault tests. A function of its own, so that nothing of it is in deployed code (see failpoint.ts). */
export function failpointEnvironment(): { url: string | undefined; functionName: string | undefined } {
  return { url: process.env["FAILPOINTS_URL"], functionName: process.env["AWS_LAMBDA_FUNCTION_NAME"] };
}

/** The region, and the credentials of the function's role, which Lambda sets for the life of a process. A function of its own, for the bundles without it. */
export function awsEnvironment() {
  return {
    region: process.env["AWS_REGION"] ?? "",
    credentials: {
      accessKeyId: process.env["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: process.env["AWS_SECRET_ACCESS_KEY"] ?? "",
      sessionToken: process.env["AWS_SESSION_TOKEN"],
    },
  };
}
