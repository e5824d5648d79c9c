import { Duration } from "aws-cdk-lib";
import { type IFunction, MetricType, RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { ConsumeEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import {
  CONSUME_BATCH_MESSAGES,
  CONSUME_MAX_CONCURRENCY,
  CONSUME_TIMEOUT_SECONDS,
  CONSUME_WINDOW_SECONDS,
} from "../functions/core/function-limits.ts";
import { BACKOFF_MAX_SECONDS, QUEUE_VISIBILITY_SECONDS } from "../functions/core/queue-limits.ts";
import type { Access } from "./access.ts";
import { Alarm, type AlarmProps } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { databaseEnvironment, type Database, grantDataApi } from "./database.ts";
import { AGE_ALARM_SECONDS, type EventQueue } from "./event-queue.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

export type ConsumeProps = {
  readonly stage: StageConfig;
  readonly access: Access;
  readonly events: EventQueue;
  readonly database: Database;
  /** The queue that wakes the workers of notify. */
  readonly wakes: IQueue;
  /** The queue of the function `status`, which keeps the numbers. */
  readonly numbers: IQueue;
  readonly alarmTopic: AlarmTopic;
};

/** The consumer: stores the events of the queue in the database, in batches, and sends dead letters one event each. */
export class Consume extends Construct {
  readonly function: IFunction;

  constructor(
    scope: Construct,
    id: string,
    { stage, access, events, database, wakes, numbers, alarmTopic }: ConsumeProps,
  ) {
    super(scope, id);
    const handler = new SluiceFunction<ConsumeEnvironment>(this, "Function", {
      name: "consume",
      timeoutSeconds: CONSUME_TIMEOUT_SECONDS,
      // Failed messages are requeued; after some sixteen rounds Lambda would take that for a runaway loop and stop it.
      // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
      recursiveLoop: RecursiveLoop.ALLOW,
      stage,
      environment: {
        ...databaseEnvironment(database),
        ...access.storeMarkEnvironment(),
        QUEUE_URL: events.queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: events.deadLetters.queueUrl,
        WAKE_QUEUE_URL: wakes.queueUrl,
        STATUS_QUEUE_URL: numbers.queueUrl,
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
    wakes.grantSendMessages(handler);
    numbers.grantSendMessages(handler);
    grantDataApi(database, handler, ["ExecuteStatement"]);
    access.grantStoreMark(handler);
    this.function = handler;

    const alarm = (name: string, props: Omit<AlarmProps, "topic">) =>
      new Alarm(this, name, { topic: alarmTopic, ...props });
    alarm("ErrorsAlarm", {
      description: "The consumer crashes or times out.",
      runbook: "consumer-errors",
      metric: handler.metricErrors(),
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
    alarm("RepeatedErrorsAlarm", {
      description: "A message ends the consumer each time it is received.",
      runbook: "consumer-errors",
      metric: handler.metricErrors(),
      // SQS delivers a lone message again after three to nine minutes: three times in half an hour.
      evaluationPeriods: 30,
      datapointsToAlarm: 3,
    });
    alarm("ThrottlesAlarm", {
      description: "Lambda throttles the consumer.",
      runbook: "consumer-throttled",
      metric: handler.metricThrottles(),
      evaluationPeriods: 30,
      datapointsToAlarm: 3,
    });
    alarm("StoppedAlarm", {
      description: "The database refuses the consumer itself.",
      runbook: "consumer-stopped",
      metric: handler.metricOf("ConsumerStopped", "sum"),
      // Twice in five minutes: a login may fail once where the Data API has kept the value before a rotation for long.
      evaluationPeriods: 5,
      datapointsToAlarm: 2,
    });
    alarm("FailedAgeAlarm", {
      description: "An event fails again and again.",
      runbook: "queue-age",
      metric: handler.metricOf("OldestFailedAgeSeconds", "max"),
      threshold: AGE_ALARM_SECONDS,
      // A lone failing message reports its age only once per retry, so one datapoint within the longest backoff is enough.
      evaluationPeriods: BACKOFF_MAX_SECONDS / 60 + 5,
      datapointsToAlarm: 1,
    });
  }
}
