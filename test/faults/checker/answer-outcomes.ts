import type * as z from "zod";
import type { ingestAnswer, verdict } from "../../../functions/core/answer.ts";
import type { Outcome } from "./history.ts";

/** What `POST /events` answered; undefined where no whole answer came. */
export type Answer = { status: number; body: unknown } | undefined;

/**
 * What an answer tells about the events of its request: one outcome for all of them, or one for each in order.
 * Verdicts count wherever there are any. Without them 4xx refuses every event, and 5xx tells nothing: an event may have
 * been queued before the failure. Not for `?validate=only`, which accepts nothing.
 * @throws where a request was taken and no verdict says which of its events were accepted
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
  // The queue did not confirm it, though it may have it.
  retry: "indeterminate",
};
