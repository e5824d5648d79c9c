import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { type IFunction, MetricType, RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import type { CommonEnvironment, ConsumeEnvironment } from "../functions/adapters/lambda/environment.ts";
import {
  BACKOFF_MAX_SECONDS,
  CONSUME_BATCH_MESSAGES,
  CONSUME_MAX_CONCURRENCY,
  CONSUME_TIMEOUT_SECONDS,
  CONSUME_WINDOW_SECONDS,
  QUEUE_VISIBILITY_SECONDS,
} from "../functions/core/limits.ts";
import { databaseEnvironment, type SluiceDatabase } from "./database.ts";
import { AGE_ALARM_SECONDS, type EventQueue } from "./queue.ts";
import { SluiceFunction } from "./sluice-function.ts";

export type ConsumeProps = {
  readonly common: CommonEnvironment;
  readonly events: EventQueue;
  readonly database: SluiceDatabase;
};

/** The batch consumer: queue to database, partial batch responses, dead letters one event each. */
export class Consume extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { common, events, database }: ConsumeProps) {
    super(scope, id);
    const handler = new SluiceFunction<ConsumeEnvironment>(this, "Function", {
      stage: "consume",
      timeoutSeconds: CONSUME_TIMEOUT_SECONDS,
      // Failed messages go back to the queue; after some sixteen rounds Lambda would take that for a runaway loop and
      // stop it. https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
      recursiveLoop: RecursiveLoop.ALLOW,
      environment: {
        ...common,
        ...databaseEnvironment(database),
        QUEUE_URL: events.queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: events.deadLetters.queueUrl,
        QUEUE_VISIBILITY_SECONDS: String(QUEUE_VISIBILITY_SECONDS),
      },
    });
    handler.addEventSource(
      new SqsEventSource(events.queue, {
        batchSize: CONSUME_BATCH_MESSAGES,
        maxBatchingWindow: Duration.seconds(CONSUME_WINDOW_SECONDS),
        maxConcurrency: CONSUME_MAX_CONCURRENCY,
        reportBatchItemFailures: true,
        metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
      }),
    );
    events.queue.grantSendMessages(handler);
    events.deadLetters.grantSendMessages(handler);
    database.grantDataApi(handler, ["ExecuteStatement"]);
    this.function = handler;

    new Alarm(this, "ErrorsAlarm", {
      alarmDescription: "The consumer crashes or times out. See docs/runbook.md#consumer-errors.",
      metric: handler.metricErrors({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    new Alarm(this, "RepeatedErrorsAlarm", {
      alarmDescription: "A message ends the consumer again and again. See docs/runbook.md#consumer-errors.",
      metric: handler.metricErrors({ period: Duration.minutes(1) }),
      threshold: 1,
      // A lone message comes back after three to nine minutes: three times in half an hour.
      evaluationPeriods: 30,
      datapointsToAlarm: 3,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    new Alarm(this, "ThrottlesAlarm", {
      alarmDescription: "Lambda throttles the consumer. See docs/runbook.md#consumer-throttled.",
      metric: handler.metricThrottles({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 30,
      datapointsToAlarm: 3,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    new Alarm(this, "StoppedAlarm", {
      alarmDescription: "The database refuses the consumer itself. See docs/runbook.md#consumer-stopped.",
      metric: metric(common, "ConsumerStopped", "sum"),
      threshold: 1,
      // Twice in five minutes: one refusal while RDS rotates the password is no cause to wake anybody.
      evaluationPeriods: 5,
      datapointsToAlarm: 2,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    new Alarm(this, "FailedAgeAlarm", {
      alarmDescription: "An event fails again and again. See docs/runbook.md#queue-age.",
      metric: metric(common, "OldestFailedAgeSeconds", "max"),
      threshold: AGE_ALARM_SECONDS,
      // A lone message is heard of only as often as it comes again, so any minute of its longest wait counts.
      evaluationPeriods: BACKOFF_MAX_SECONDS / 60 + 5,
      datapointsToAlarm: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}

/** What the consumer itself reports of each batch, by the minute. */
function metric(
  { METRICS_NAMESPACE: namespace, STAGE: stage }: CommonEnvironment,
  metricName: string,
  statistic: string,
) {
  const dimensionsMap = { service: "consume", stage };
  return new Metric({ namespace, metricName, dimensionsMap, period: Duration.minutes(1), statistic });
}
