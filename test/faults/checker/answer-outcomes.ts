import type * as z from "zod";
import type { ingestAnswer, verdict } from "../../../functions/core/answer.ts";
import type { Outcome } from "./history.ts";

/** The answer of `POST /events`; undefined if no complete answer arrived. */
export type Answer = { status: number; body: unknown } | undefined;

/**
 * Derives the outcome of a request's events from its answer: one for all events, or one each in order. Verdicts decide if
 * there are any. Otherwise 4xx rejects every event, and 5xx is indeterminate, because an event may have been enqueued before
 * the failure. Not for `?validate=only`, which accepts nothing.
 * @throws Error for a success without verdicts
 */
export function outcomesOf(answer: Answer): Outcome | Outcome[] {
  if (answer === undefined) return "indeterminate";
  const results = (answer.body as Partial<IngestAnswer> | undefined | null)?.results;
  if (results !== undefined) return results.map(({ status }) => OUTCOME_OF_VERDICT[status]);
  if (answer.status >= 500) return "indeterminate";
  if (answer.status >= 400) return "rejected";
  throw new Error(`An answer with status ${answer.status} and no results.`);
}

type IngestAnswer = z.output<typeof ingestAnswer>;

const OUTCOME_OF_VERDICT: Record<z.output<typeof verdict>["status"], Outcome> = {
  accepted: "acked",
  // The first copy in the same request was accepted.
  duplicate: "acked",
  invalid: "rejected",
  // The queue did not confirm the message, but may hold it.
  retry: "indeterminate",
};
