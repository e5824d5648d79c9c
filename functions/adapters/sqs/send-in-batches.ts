import { setTimeout as delay } from "node:timers/promises";
import { SQS_CALL_MS, SQS_CALLS_IN_FLIGHT } from "../../core/queue-limits.ts";
import { forEachConcurrently } from "../../core/for-each-concurrently.ts";
import type { SendOutcome } from "../../core/ports.ts";
import { intoSendBatches, type OutgoingMessage, toSendEntry } from "../../core/queue-message.ts";
import { failpoint } from "../lambda/failpoint.ts";
import type { Logger } from "../lambda/logger.ts";

/** The pause between attempts doubles from the first to the longest, each drawn from its upper half. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

export type SendBatchInput = { QueueUrl: string; Entries: ReturnType<typeof toSendEntry>[] };

export type SendBatchOutput = {
  Successful?: { Id?: string | undefined }[] | undefined;
  Failed?: { Id?: string | undefined; Code?: string | undefined; SenderFault?: boolean | undefined }[] | undefined;
};

/** Calls `SendMessageBatch` once. @throws Error whose name is the code, where there is no answer */
export type SendBatch = (input: SendBatchInput, options: { abortSignal: AbortSignal }) => Promise<SendBatchOutput>;

export type SendOptions = {
  queueUrl: string;
  messages: readonly OutgoingMessage[];
  /** Ms since the epoch. */
  deadline: number;
  giveUpMs?: number;
  logger: Logger;
};

/**
 * Sends messages in as few batches as SQS allows, some at a time. SQS answers 200 with `Failed` entries: these are sent
 * again until the deadline, unless the message itself is at fault, or SQS has judged no message at all for `giveUpMs`. A
 * message is enqueued only when SQS named its entry in `Successful`.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export async function sendInBatches(
  sendBatch: SendBatch,
  { queueUrl, messages, deadline, giveUpMs = Number.POSITIVE_INFINITY, logger }: SendOptions,
): Promise<SendOutcome[]> {
  let judgedAt = Date.now();
  const outcomes = messages.map((): SendOutcome => "failed");
  const indexed = messages.map((message, index) => ({ ...message, index }));
  await forEachConcurrently(intoSendBatches(indexed), SQS_CALLS_IN_FLIGHT, async (batch) => {
    let pending = batch.map((message) => toSendEntry(message, String(message.index)));
    // Once SQS accepts nothing, the waiting batches are not tried either.
    for (let attempt = 1; Date.now() <= judgedAt + giveUpMs; attempt++) {
      const input = { QueueUrl: queueUrl, Entries: pending };
      const { enqueued, refused } = await sendOnce(sendBatch, input, deadline, logger);
      for (const id of enqueued) outcomes[Number(id)] = "enqueued";
      if (enqueued.size + refused.size > 0) judgedAt = Date.now();
      pending = pending.filter(({ Id }) => !enqueued.has(Id) && !refused.has(Id));
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
      if (pending.length === 0 || Date.now() + pause > Math.min(deadline, judgedAt + giveUpMs)) return;
      await delay(pause);
    }
  });
  return outcomes;
}

type Answer = {
  /** Ids that SQS confirmed; none when the call failed or its answer was lost. */
  enqueued: ReadonlySet<string | undefined>;
  /** Ids that SQS will never accept, because the message is at fault. */
  refused: ReadonlySet<string | undefined>;
};

async function sendOnce(
  sendBatch: SendBatch,
  input: SendBatchInput,
  deadline: number,
  logger: Logger,
): Promise<Answer> {
  // This timer is cleared; the one of AbortSignal.timeout would hold the signal for seconds after each call.
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), Math.max(Math.min(deadline - Date.now(), SQS_CALL_MS), 1));
  try {
    FAILPOINT: await failpoint("beforeSend");
    const answer = await sendBatch(input, { abortSignal: stop.signal });
    FAILPOINT: await failpoint("afterSend");
    for (const failed of answer.Failed ?? []) {
      logger.warn("queue refused a message", { code: failed.Code, senderFault: failed.SenderFault });
    }
    return {
      enqueued: new Set(answer.Successful?.map(({ Id }) => Id)),
      refused: new Set(answer.Failed?.filter(({ SenderFault }) => SenderFault).map(({ Id }) => Id)),
    };
  } catch (error) {
    logger.warn("queue did not answer", { code: error instanceof Error ? error.name : "unknown" });
    return { enqueued: new Set(), refused: new Set() };
  } finally {
    clearTimeout(timer);
  }
}
