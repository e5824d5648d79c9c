import { Duration } from "aws-cdk-lib";
import { type IFunction, MetricType, RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { DrainEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import {
  DRAIN_BATCH_MESSAGES,
  DRAIN_MAX_CONCURRENCY,
  DRAIN_TIMEOUT_SECONDS,
  DRAIN_WINDOW_SECONDS,
} from "../functions/core/function-limits.ts";
import { BACKOFF_MAX_SECONDS } from "../functions/core/queue-limits.ts";
import { Alarm, type AlarmProps } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { databaseEnvironment, type Database, grantDataApi } from "./database.ts";
import { AGE_ALARM_SECONDS, type EventQueue } from "./event-queue.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

export type DrainProps = {
  readonly stage: StageConfig;
  readonly events: EventQueue;
  readonly database: Database;
  /** The queue of the function `status`, which keeps the numbers. */
  readonly numbers: IQueue;
  readonly alarmTopic: AlarmTopic;
};

/** Drain: moves the messages of the dead-letter queue into the table of dead letters, where they never expire. */
export class Drain extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, events, database, numbers, alarmTopic }: DrainProps) {
    super(scope, id);
    const handler = new SluiceFunction<DrainEnvironment>(this, "Function", {
      name: "drain",
      timeoutSeconds: DRAIN_TIMEOUT_SECONDS,
      // Old messages are requeued; after some sixteen rounds Lambda would take that for a runaway loop and stop it.
      // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
      recursiveLoop: RecursiveLoop.ALLOW,
      stage,
      environment: {
        ...databaseEnvironment(database),
        DEAD_LETTER_QUEUE_URL: events.deadLetters.queueUrl,
        STATUS_QUEUE_URL: numbers.queueUrl,
      },
    });
    handler.addEventSource(
      new SqsEventSource(events.deadLetters, {
        batchSize: DRAIN_BATCH_MESSAGES,
        maxBatchingWindow: Duration.seconds(DRAIN_WINDOW_SECONDS),
        maxConcurrency: DRAIN_MAX_CONCURRENCY,
        reportBatchItemFailures: true,
        metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
      }),
    );
    events.deadLetters.grantSendMessages(handler);
    numbers.grantSendMessages(handler);
    grantDataApi(database, handler, ["ExecuteStatement"]);
    this.function = handler;

    const alarm = (name: string, props: Omit<AlarmProps, "topic">) =>
      new Alarm(this, name, { topic: alarmTopic, ...props });
    alarm("DeadLettersAlarm", {
      description: "There are dead letters.",
      runbook: "dead-letters",
      metric: handler.metricOf("OpenDeadLetters", "max"),
      isKeptWithoutData: true,
    });
    alarm("ErrorsAlarm", {
      description: "The function that records dead letters crashes or times out.",
      runbook: "dead-letters-wait",
      metric: handler.metricErrors(),
      evaluationPeriods: 30,
      datapointsToAlarm: 3,
    });
    // SQS leaves out messages that were received three times; the next alarm has those.
    alarm("QueueAgeAlarm", {
      description: "The oldest dead letter waits too long to be recorded.",
      runbook: "dead-letters-wait",
      metric: events.deadLetters.metricApproximateAgeOfOldestMessage({ statistic: "max" }),
      threshold: AGE_ALARM_SECONDS,
      evaluationPeriods: 3,
    });
    alarm("FailedAgeAlarm", {
      description: "A dead letter cannot be recorded.",
      runbook: "dead-letters-wait",
      metric: handler.metricOf("OldestFailedAgeSeconds", "max"),
      threshold: AGE_ALARM_SECONDS,
      // A lone failing message reports its age only once per retry, so one datapoint within the longest backoff is enough.
      evaluationPeriods: BACKOFF_MAX_SECONDS / 60 + 5,
      datapointsToAlarm: 1,
    });
  }
}
