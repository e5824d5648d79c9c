import middy from "@middy/core";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { BatchRule, ReceivedMessage } from "../../core/batch.ts";
import type { Acknowledge, Postpone } from "../../core/ports.ts";
import {
  ANSWER_RESERVE_MS,
  CONFLICTS_MAX_NAMED,
  RENEW_FROM_ATTEMPT,
  SETTLE_RESERVE_MS,
  SETTLE_RESERVE_SHARE,
} from "../../core/limits.ts";
import { type MetricName, metricNames } from "../../core/metric-names.ts";
import { failpoint } from "./failpoint.ts";
import { type Observability, observed } from "./observability.ts";
import { toReceivedMessage } from "./received-message.ts";
import type { Renew } from "../sqs/requeue-messages.ts";
import { takeInTurns, type TurnsResult } from "../../consume/isolate.ts";

type Options = {
  rule: BatchRule;
  postpone: Postpone;
  renew: Renew;
  acknowledge: Acknowledge;
  /** Seconds until a message that was tried so often comes again. */
  backoffSeconds: (attempts: number, random: number) => number;
  /** How long the queue hides a message that it handed out. */
  visibilitySeconds: number;
  /** From 0 (included) to 1 (excluded). */
  random: () => number;
  observability: Observability;
};

/**
 * The chain of every function behind an SQS event source: context to the log, metrics flushed, failed messages brought
 * back later, one log line per batch, and a partial batch response. What the rule throws fails the invocation: an error
 * never becomes an empty list, which SQS takes for success.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function sqsBatchHandler(options: Options) {
  const { observability } = options;
  return middy<SQSEvent, SQSBatchResponse>()
    .use(observed(observability))
    .handler(async ({ Records: records }, context) => {
      const started = performance.now();
      const remaining = context.getRemainingTimeInMillis();
      const until = Date.now() + remaining;
      // Whole milliseconds: timers refuse others.
      const settleReserve = Math.min(SETTLE_RESERVE_MS, Math.ceil(remaining * SETTLE_RESERVE_SHARE));
      // SQS may hand out a message twice in a batch; the later receipt is the one it takes.
      const deliveries = [...new Map(records.map((record) => [record.messageId, toReceivedMessage(record)])).values()];
      const result = await takeInTurns(deliveries, until - ANSWER_RESERVE_MS - settleReserve, options);
      const { waiting, renewed } = await bringBack(result, until, options);
      report(result, { messages: deliveries.length, renewed, started }, observability);
      if (result.errors.length > 0) throw result.errors[0];
      FAILPOINT: await failpoint("beforeAnswer");
      return { batchItemFailures: waiting.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
}

/**
 * Sees that messages come again after their backoff, and answers those that wait in the queue as they are. SQS counts
 * receives, and a crash is to use them up but an outage is not: so a failure that was answered makes a new message from
 * some attempt on. What the rule threw counts as a crash does, and is hidden as long once it is no passing fault.
 * @see docs/decisions/0005-outages-and-crashes.md
 */
async function bringBack(
  { failed, broken }: TurnsResult,
  until: number,
  { postpone, renew, backoffSeconds, random }: Options,
): Promise<{ waiting: ReceivedMessage[]; renewed: number }> {
  const withBackoff = (message: ReceivedMessage) => ({
    ...message,
    seconds: backoffSeconds(message.attempts, random()),
  });
  const isLate = ({ attempts }: ReceivedMessage) => attempts >= RENEW_FROM_ATTEMPT;
  const again = failed.map(withBackoff);
  const renewed = await renew(again.filter(isLate), until - 2 * ANSWER_RESERVE_MS);
  const waiting = again.filter(({ messageId }) => !renewed.has(messageId));
  const brokenEarly = broken.filter((message) => !isLate(message)).map(withBackoff);
  await postpone([...waiting, ...brokenEarly], until - ANSWER_RESERVE_MS);
  return { waiting, renewed: renewed.size };
}

type Counts = { messages: number; renewed: number; started: number };

function report({ failed, broken, failure, conflicts, metrics }: TurnsResult, counts: Counts, to: Observability) {
  const stopped = failure?.disposition === "stop";
  const again = [...failed, ...broken];
  const fields = {
    messages: counts.messages,
    failedMessages: again.length,
    renewedMessages: counts.renewed,
    durationMs: Math.round(performance.now() - counts.started),
    ...metrics,
    ...(failure !== undefined && {
      reason: failure.reason,
      sqlState: failure.sqlState,
      disposition: failure.disposition,
    }),
    ...(conflicts.length > 0 && {
      conflicts: conflicts
        .slice(0, CONFLICTS_MAX_NAMED)
        .map(({ tenant, source, id }) => ({ tenant, source, eventId: id })),
    }),
  };
  if (stopped) to.logger.error("batch", fields);
  else if (again.length > 0) to.logger.warn("batch", fields);
  else to.logger.info("batch", fields);
  const events = {
    ...metrics,
    [metricNames.messagesFailed]: again.length,
    [metricNames.consumerStopped]: stopped ? 1 : 0,
  };
  for (const [metric, value] of Object.entries(events) as [MetricName, number][])
    to.metrics.addMetric(metric, "Count", value);
  const age = Math.max(0, ...again.map(({ sentAt }) => Math.round((Date.now() - sentAt) / 1_000)));
  to.metrics.addMetric(metricNames.oldestFailedAgeSeconds, "Seconds", age);
}
