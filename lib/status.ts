import { Duration } from "aws-cdk-lib";
import { Grant } from "aws-cdk-lib/aws-iam";
import { type IFunction, RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { StatusEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import {
  STATUS_BATCH_MESSAGES,
  STATUS_MAX_CONCURRENCY,
  STATUS_TIMEOUT_SECONDS,
  STATUS_WINDOW_SECONDS,
} from "../functions/core/function-limits.ts";
import type { Access } from "./access.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { type Database, databaseEnvironment, grantDataApi } from "./database.ts";
import type { EventQueue } from "./event-queue.ts";
import { release } from "./release.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";
import type { StatusTable } from "./status-table.ts";

export type StatusProps = {
  readonly stage: StageConfig;
  readonly access: Access;
  readonly events: EventQueue;
  readonly database: Database;
  /** The queue of the wake-ups for notify. */
  readonly wakes: IQueue;
  /** Its own queue and table. */
  readonly queue: IQueue;
  readonly table: StatusTable;
  readonly alarmTopic: AlarmTopic;
};

/** The state of the installation: the function that answers for it and keeps its numbers. */
export class Status extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, props: StatusProps) {
    super(scope, id);
    const { stage, access, events, database, wakes, queue, table, alarmTopic } = props;
    const handler = new SluiceFunction<StatusEnvironment>(this, "Function", {
      name: "status",
      timeoutSeconds: STATUS_TIMEOUT_SECONDS,
      // While the database does not answer, the message of a snapshot is sent again and again; Lambda would take that for a runaway loop.
      // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
      recursiveLoop: RecursiveLoop.ALLOW,
      stage,
      environment: {
        ...access.keyCheckEnvironment(),
        ...databaseEnvironment(database),
        STATUS_TABLE: table.name,
        STATUS_QUEUE_URL: queue.queueUrl,
        QUEUE_URL: events.queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: events.deadLetters.queueUrl,
        WAKE_QUEUE_URL: wakes.queueUrl,
        ALARM_TOPIC_ARN: alarmTopic.topicArn,
        ...release(this),
      },
    });
    handler.addEventSource(
      new SqsEventSource(queue, {
        batchSize: STATUS_BATCH_MESSAGES,
        maxBatchingWindow: Duration.seconds(STATUS_WINDOW_SECONDS),
        maxConcurrency: STATUS_MAX_CONCURRENCY,
        reportBatchItemFailures: true,
      }),
    );
    Grant.addToPrincipal({
      grantee: handler,
      actions: ["sqs:GetQueueAttributes"],
      resourceArns: [events.queue, events.deadLetters, wakes, queue].map(({ queueArn }) => queueArn),
    });
    // CloudWatch answers for composite alarms only to a right on all of them:
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    Grant.addToPrincipal({ grantee: handler, actions: ["cloudwatch:DescribeAlarms"], resourceArns: ["*"] });
    queue.grantSendMessages(handler);
    access.grantKeyCheck(handler);
    table.grantAll(handler);
    grantDataApi(database, handler, ["ExecuteStatement"]);
    this.function = handler;

    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description: "The function that keeps the numbers crashes or times out.",
      runbook: "status-errors",
      metric: handler.metricErrors(),
      evaluationPeriods: 60,
      datapointsToAlarm: 3,
    });
    new Alarm(this, "LedgerAlarm", {
      topic: alarmTopic,
      description: "The ledger does not add up: of accepted events nobody knows what became of them.",
      runbook: "ledger-difference",
      metric: handler.metricOf("LedgerDifference", "max"),
      // A snapshot is taken behind batches, and none while nothing happens.
      isKeptWithoutData: true,
    });
  }
}
