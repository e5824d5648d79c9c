import { DatabaseError, RequestError } from "../../core/errors.ts";

/** Names and stacks of an error and its causes; messages only of our own errors, because others may quote an event. */
export function loggableError(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const [, ...frames] = (error.stack ?? "").split("\n    at ");
  const isOurs = error instanceof RequestError || error instanceof DatabaseError;
  const cause = loggableError(error.cause);
  return { name: error.name, message: isOurs ? error.message : undefined, stack: frames, cause };
}
