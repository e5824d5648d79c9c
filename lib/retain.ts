import { CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { type IFunction, RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import type { RetainEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { RETAIN_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { RETAIN_MAX_RECEIVE_COUNT, RETAIN_VISIBILITY_SECONDS } from "../functions/core/queue-limits.ts";
import {
  PARTITIONS_MISSING_ALARM_DAYS,
  RETAIN_MAX_CONCURRENCY,
  RETENTION_BEHIND_ALARM_DAYS,
} from "../functions/core/retention-limits.ts";
import type { Access } from "./access.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { type Database, databaseEnvironment, grantDataApi } from "./database.ts";
import type { Export } from "./export.ts";
import { FilesBucket } from "./files-bucket.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";
import type { StatusTable } from "./status-table.ts";
import { StepsQueue } from "./steps-queue.ts";

export type RetainProps = {
  readonly stage: StageConfig;
  readonly access: Access;
  /** The database as its owner, who may change tables. */
  readonly database: Database;
  /** The places of events beside the database and the archive, for erasures. */
  readonly exporter: Export;
  readonly table: StatusTable;
  readonly alarmTopic: AlarmTopic;
};

/** Retention: the daily run, the queue of its steps, the bucket of the archive, and the function that does them. */
export class Retain extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, access, database, exporter, table, alarmTopic }: RetainProps) {
    super(scope, id);
    const { queue } = new StepsQueue(this, "Queue", {
      stage,
      alarmTopic,
      step: "The step of retention",
      runbook: "retention-steps",
      visibilitySeconds: RETAIN_VISIBILITY_SECONDS,
      maxReceiveCount: RETAIN_MAX_RECEIVE_COUNT,
    });
    const bucket = new FilesBucket(this, "Archive", { stage, folder: "archive" });
    new CfnOutput(Stack.of(this), "ArchiveBucketName", { value: bucket.name });
    const handler = new SluiceFunction<RetainEnvironment>(this, "Function", {
      name: "retain",
      timeoutSeconds: RETAIN_TIMEOUT_SECONDS,
      // Each step sends the message of the next one; Lambda would take that for a runaway loop and stop it.
      // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
      recursiveLoop: RecursiveLoop.ALLOW,
      stage,
      environment: {
        ...access.keyCheckEnvironment(),
        ...databaseEnvironment(database),
        ...access.auditEnvironment(),
        STEPS_QUEUE_URL: queue.queueUrl,
        RETENTION: stage.retention,
        ...(stage.rollupRetentionDays !== undefined && { ROLLUP_RETENTION_DAYS: String(stage.rollupRetentionDays) }),
        ARCHIVE: stage.archive,
        ARCHIVE_BUCKET: bucket.name,
        ...exporter.erasureEnvironment(),
        STATUS_TABLE: table.name,
      },
    });
    handler.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 1,
        maxConcurrency: RETAIN_MAX_CONCURRENCY,
        reportBatchItemFailures: true,
      }),
    );
    queue.grantSendMessages(handler);
    access.grantKeyCheck(handler);
    access.grantAudit(handler);
    bucket.grantFiles(handler, ["DeleteObject", "GetObject", "PutObject"]);
    bucket.grantList(handler);
    exporter.grantErasure(handler);
    table.grantRefusals(handler);
    grantDataApi(database, handler, ["ExecuteStatement"]);
    this.function = handler;

    new Rule(this, "Daily", {
      description: "Drops the days of events whose retention is over.",
      schedule: Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(handler, { retryAttempts: 2, maxEventAge: Duration.hours(6) })],
    });
    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description: "The run of retention failed, or a step of it crashes or times out.",
      runbook: "retention-errors",
      metric: handler.metricErrors(),
      period: Duration.hours(1),
      threshold: 2,
    });
    new Alarm(this, "BehindAlarm", {
      topic: alarmTopic,
      description: "Days of events are kept for longer than their retention.",
      runbook: "retention-behind",
      metric: handler.metricOf("RetentionDaysBehind", "max"),
      period: Duration.hours(1),
      threshold: RETENTION_BEHIND_ALARM_DAYS,
      isKeptWithoutData: true,
    });
    if (stage.archive === "before-drop")
      new Alarm(this, "ArchiveAlarm", {
        topic: alarmTopic,
        description: "Days of events wait for their archive.",
        runbook: "archive-behind",
        metric: handler.metricOf("ArchiveDaysBehind", "max"),
        period: Duration.hours(1),
        threshold: RETENTION_BEHIND_ALARM_DAYS,
        isKeptWithoutData: true,
      });
    new Alarm(this, "RestoresAlarm", {
      topic: alarmTopic,
      description: "A restore ended before it had read everything.",
      runbook: "restore-failed",
      metric: handler.metricOf("RestoresFailed", "sum"),
    });
    new Alarm(this, "ErasuresAlarm", {
      topic: alarmTopic,
      description: "An erasure ended before it had erased everything.",
      runbook: "erasure-failed",
      metric: handler.metricOf("ErasuresFailed", "sum"),
    });
    new Alarm(this, "PartitionsAlarm", {
      topic: alarmTopic,
      description: "Tables of the next days are missing.",
      runbook: "partitions-ahead",
      metric: handler.metricOf("PartitionDaysMissing", "max"),
      period: Duration.hours(1),
      threshold: PARTITIONS_MISSING_ALARM_DAYS,
      isKeptWithoutData: true,
    });
  }
}
