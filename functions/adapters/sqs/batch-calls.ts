import type { BatchResultErrorEntry } from "@aws-sdk/client-sqs";
import { SEND_BATCH_MAX_ENTRIES, SQS_CALL_MS, SQS_CALLS_IN_FLIGHT } from "../../core/limits.ts";
import { inFlight } from "../../core/map-concurrently.ts";
import type { Logger } from "../lambda/logger.ts";

type BatchCall<T> = (
  batch: T[],
  options: { abortSignal: AbortSignal },
) => Promise<{ Failed?: BatchResultErrorEntry[] }>;

/**
 * Calls a batch action of SQS for any number of messages, ten a call and some calls at a time. What SQS did not confirm by
 * the deadline (ms since the epoch) is logged as `failure`; answers whether it confirmed all. Never throws.
 */
export async function inBatchCalls<T>(
  messages: T[],
  call: BatchCall<T>,
  { deadline, logger, failure }: { deadline: number; logger: Logger; failure: string },
): Promise<boolean> {
  let unconfirmed = 0;
  let answeredAt = Date.now();
  await inFlight(inBatches(messages), SQS_CALLS_IN_FLIGHT, async (batch) => {
    // Once SQS has not answered for a call's time, those that wait for their turn would only use up the others' time.
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

/** As many as a batch action takes. */
export function inBatches<T>(messages: T[]): T[][] {
  return Array.from({ length: Math.ceil(messages.length / SEND_BATCH_MAX_ENTRIES) }, (_, i) =>
    messages.slice(i * SEND_BATCH_MAX_ENTRIES, (i + 1) * SEND_BATCH_MAX_ENTRIES),
  );
}
