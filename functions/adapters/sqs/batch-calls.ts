import type { BatchResultErrorEntry } from "@aws-sdk/client-sqs";
import { SQS_CALL_MS, SQS_CALLS_IN_FLIGHT } from "../../core/queue-limits.ts";
import { forEachConcurrently } from "../../core/for-each-concurrently.ts";
import { intoBatchesOfTen } from "../../core/queue-message.ts";
import type { Logger } from "../lambda/logger.ts";

type BatchCall<T> = (
  batch: T[],
  options: { abortSignal: AbortSignal },
) => Promise<{ Failed?: BatchResultErrorEntry[] }>;

/**
 * Calls a batch action of SQS for any number of messages, ten a call and some calls at a time. Messages that SQS did not
 * confirm by the deadline (ms since the epoch) are logged as `failure`. Returns whether it confirmed all. Never throws.
 */
export async function batchCalls<T>(
  messages: readonly T[],
  call: BatchCall<T>,
  {
    deadline,
    logger,
    failure,
  }: { deadline: number; logger: Logger; failure: "message not deleted" | "visibility not changed" },
): Promise<boolean> {
  let unconfirmed = 0;
  let answeredAt = Date.now();
  await forEachConcurrently(intoBatchesOfTen(messages), SQS_CALLS_IN_FLIGHT, async (batch) => {
    // Where SQS has not answered for a call's time, the waiting calls would only use up the time of the others.
    if (Date.now() >= answeredAt + SQS_CALL_MS) {
      unconfirmed += batch.length;
      return;
    }
    try {
      const abortSignal = AbortSignal.timeout(Math.max(Math.min(deadline - Date.now(), SQS_CALL_MS), 1));
      const { Failed = [] } = await call(batch, { abortSignal });
      answeredAt = Date.now();
      for (const { Code } of Failed) logger.warn(failure, { code: Code });
      unconfirmed += Failed.length;
    } catch (error) {
      logger.warn(failure, { code: error instanceof Error ? error.name : "unknown" });
      unconfirmed += batch.length;
    }
  });
  return unconfirmed === 0;
}
