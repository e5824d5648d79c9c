import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { BatchResult, BatchRule, QueueMessage } from "../core/batch.ts";
import { ANSWER_RESERVE_MS } from "../core/limits.ts";
import { failpoint } from "./failpoint.ts";
import type { Observability } from "./observability.ts";
import type { Postpone } from "./sqs-visibility.ts";

type Options = {
  rule: BatchRule;
  postpone: Postpone;
  /** Seconds until a failed message comes again. */
  backoffSeconds: (receiveCount: number, random: number) => number;
  observability: Observability;
};

/**
 * The chain of every function behind an SQS event source: context to the log, metrics flushed, failed messages backed
 * off, one log line per batch, and a partial batch response. A rule that throws fails the whole batch: an error never
 * becomes an empty list, which SQS takes for success.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function sqsBatchHandler({ rule, postpone, backoffSeconds, observability }: Options) {
  return middy<SQSEvent, SQSBatchResponse>()
    .use(injectLambdaContext(observability.logger, { clearState: true }))
    .use(logMetrics(observability.metrics))
    .handler(async ({ Records: records }, context) => {
      const started = performance.now();
      const until = Date.now() + context.getRemainingTimeInMillis();
      // The rule leaves one reserve to the postponing and one to the answer.
      const messages = records.map(toMessage);
      const receiptHandles = new Map(records.map((record) => [record.messageId, record.receiptHandle]));
      const backOff = (failed: QueueMessage[]) =>
        postpone(
          failed.map(({ messageId, receiveCount }) => ({
            receiptHandle: receiptHandles.get(messageId) ?? "",
            seconds: backoffSeconds(receiveCount, Math.random()),
          })),
          until - ANSWER_RESERVE_MS,
        );
      const result = await rule(messages, until - 2 * ANSWER_RESERVE_MS).catch(async (error: unknown) => {
        await backOff(messages);
        throw error;
      });
      await backOff(result.failed);
      report(result, records.length, performance.now() - started, observability);
      FAILPOINT: await failpoint("beforeAnswer");
      return { batchItemFailures: result.failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
}

function report({ failed, blockedBy, metrics }: BatchResult, messages: number, durationMs: number, to: Observability) {
  const stopped = blockedBy?.verdict === "stop";
  const fields = {
    messages,
    failedMessages: failed.length,
    durationMs: Math.round(durationMs),
    ...metrics,
    ...(blockedBy !== undefined && {
      reason: blockedBy.reason,
      sqlState: blockedBy.sqlState,
      verdict: blockedBy.verdict,
    }),
  };
  if (stopped) to.logger.error("batch", fields);
  else if (failed.length > 0) to.logger.warn("batch", fields);
  else to.logger.info("batch", fields);
  const counts = { ...metrics, MessagesFailed: failed.length, ConsumerStopped: stopped ? 1 : 0 };
  for (const [metric, value] of Object.entries(counts)) to.metrics.addMetric(metric, MetricUnit.Count, value);
}

function toMessage(record: SQSRecord): QueueMessage {
  return {
    messageId: record.messageId,
    body: record.body,
    receiveCount: Number(record.attributes.ApproximateReceiveCount),
    replays: Number(record.messageAttributes["replays"]?.stringValue ?? 0),
  };
}
