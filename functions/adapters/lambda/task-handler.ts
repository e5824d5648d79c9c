import middy from "@middy/core";
import type { TaskFields } from "../../core/log-lines.ts";
import { ANSWER_RESERVE_MS } from "../../core/function-limits.ts";
import { type Observability, observed } from "./observability.ts";

/**
 * The chain of every function that a deployment or a schedule invokes: it runs one task and logs one line with the result.
 * An error of the task fails the invocation, so that the deployment stops or the alarm goes off.
 */
export function taskHandler<T extends TaskFields>(options: {
  task: (deadline: number) => Promise<T>;
  observability: Observability;
}) {
  const { logger } = options.observability;
  return middy<unknown, T>()
    .use(observed(options.observability))
    .handler(async (_event, context) => {
      const started = performance.now();
      const result = await options.task(Date.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS);
      logger.info("task", { ...result, durationMs: Math.round(performance.now() - started) });
      return result;
    });
}
