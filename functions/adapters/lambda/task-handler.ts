import middy from "@middy/core";
import type { TaskFields } from "../../core/log-lines.ts";
import { ANSWER_RESERVE_MS } from "../../core/function-limits.ts";
import { failureLine } from "./failure-line.ts";
import { monotonicMs } from "./monotonic-ms.ts";
import { type Observability, observed, writeOutcome } from "./observability.ts";

/**
 * The chain of every function that a deployment, a schedule or a rotation invokes: it runs one task and logs one line with the result, or its error.
 * An error of the task fails the invocation, so that the deployment stops or the alarm goes off.
 */
export function taskHandler<T extends TaskFields>(options: {
  task: (deadline: number, event: unknown) => Promise<T>;
  observability: Observability;
}) {
  const span = { kind: "internal" as const, attributes: {} };
  return middy<unknown, T>()
    .use(observed(options.observability))
    .use(
      failureLine<unknown, T, "task">(options.observability, (_event, failure) => ({
        message: "task",
        fields: failure,
        span,
      })),
    )
    .handler(async (event, context) => {
      const started = monotonicMs();
      const deadline = Date.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS;
      const result = await options.task(deadline, event);
      const fields = { ...result, durationMs: Math.round(monotonicMs() - started) };
      writeOutcome(options.observability, { level: "info", message: "task", fields, counts: {}, span });
      return result;
    });
}
