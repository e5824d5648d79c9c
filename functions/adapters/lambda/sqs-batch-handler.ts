import middy from "@middy/core";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { BatchRule } from "../../core/batch.ts";
import { failpoint } from "./failpoint.ts";
import { failureLine } from "./failure-line.ts";
import { loggableError } from "./loggable-error.ts";
import { monotonicMs } from "./monotonic-ms.ts";
import { type Observability, observed, writeOutcome } from "./observability.ts";
import type { ReceivedMessage } from "../../core/queue-message.ts";
import { toReceivedMessage } from "./received-message.ts";

/**
 * The middy chain of every function behind an SQS event source: it runs the rule on the messages of an invocation, logs
 * one line whatever happens, adds the metrics, and returns the messages that stay in the queue as a partial batch response. An error fails
 * the invocation: it never becomes an empty list, which SQS takes for success.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function sqsBatchHandler({ rule, observability }: { rule: BatchRule; observability: Observability }) {
  return batchHandler<ReceivedMessage>({ rule, read: toReceivedMessage, observability });
}

/** The same for messages that are read in another way. */
export function batchHandler<Message extends { messageId: string }>({
  rule,
  read,
  observability,
}: {
  rule: BatchRule<Message>;
  read: (record: SQSRecord) => Message;
  observability: Observability;
}) {
  const span = (messages: number) => ({
    kind: "consumer" as const,
    attributes: { "messaging.batch.message_count": messages },
  });
  const traces = () => {
    const served = observability.tracing.served();
    return served.length > 0 ? { traces: served } : {};
  };
  return middy<SQSEvent, SQSBatchResponse>()
    .use(observed(observability))
    .use(
      failureLine<SQSEvent, SQSBatchResponse, "batch">(observability, ({ Records: { length } }, failure) => ({
        message: "batch",
        fields: { messages: length, failedMessages: length, requeuedMessages: 0, ...failure, ...traces() },
        span: span(length),
      })),
    )
    .handler(async ({ Records: records }, context) => {
      const started = monotonicMs();
      // SQS may deliver a message twice in a batch; it accepts the later receipt.
      const messages = [...new Map(records.map((record) => [record.messageId, read(record)])).values()];
      const outcome = await rule(messages, Date.now() + context.getRemainingTimeInMillis());
      const durationMs = Math.round(monotonicMs() - started);
      writeOutcome(observability, {
        level: outcome.level,
        message: "batch",
        fields: {
          messages: messages.length,
          durationMs,
          ...outcome.fields,
          ...traces(),
          ...(outcome.error !== undefined && { error: loggableError(outcome.error) }),
        },
        counts: outcome.metrics,
        span: span(messages.length),
      });
      if (outcome.error !== undefined) throw outcome.error;
      FAILPOINT: await failpoint("beforeAnswer");
      return { batchItemFailures: outcome.remaining.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
}
