import type { MiddlewareObj } from "@middy/core";
import { loggableError } from "./loggable-error.ts";
import { monotonicMs } from "./monotonic-ms.ts";
import { type Observability, type Outcome, writeOutcome } from "./observability.ts";

/** The facts of a line about an invocation that failed. */
type Failure = { durationMs: number; error: unknown };

/**
 * Writes the line of an invocation that ends without one: its rule threw, or its time was over. Lambda's own line about the error has
 * no trace. The error still fails the invocation.
 */
export function failureLine<Event, Result, Message extends "batch" | "task">(
  observability: Observability,
  describe: (event: Event, failure: Failure) => Pick<Outcome<Message>, "message" | "fields" | "span">,
): MiddlewareObj<Event, Result> {
  let started = 0;
  return {
    before: () => {
      started = monotonicMs();
    },
    onError: ({ event, error }) => {
      if (observability.tracing.hasEnded()) return;
      const failure = { durationMs: Math.round(monotonicMs() - started), error: loggableError(error) };
      writeOutcome(observability, { level: "error", counts: {}, ...describe(event, failure) });
    },
  };
}
