import { Table } from "aws-cdk-lib/aws-dynamodb";
import { type IFunction, RecursiveLoop } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import type { ExportEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { EXPORT_KEPT_DAYS, EXPORT_MAX_CONCURRENCY } from "../functions/core/export-limits.ts";
import { EXPORT_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { JOBS_TABLE } from "../functions/core/jobs-table.ts";
import { EXPORT_MAX_RECEIVE_COUNT, EXPORT_VISIBILITY_SECONDS } from "../functions/core/queue-limits.ts";
import type { Access } from "./access.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { type Database, databaseEnvironment, grantDataApi } from "./database.ts";
import { FilesBucket } from "./files-bucket.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";
import { StepsQueue } from "./steps-queue.ts";
import { grantTable, TABLE, text } from "./table.ts";

export type ExportProps = {
  readonly stage: StageConfig;
  readonly access: Access;
  readonly database: Database;
  readonly alarmTopic: AlarmTopic;
};

/** Exports: the table of the jobs, the bucket of the files, the queue of the steps, and the function that does them. */
export class Export extends Construct {
  readonly function: IFunction;
  private readonly jobs: Table;
  private readonly bucket: FilesBucket;

  constructor(scope: Construct, id: string, { stage, access, database, alarmTopic }: ExportProps) {
    super(scope, id);
    const jobs = new Table(this, "Jobs", {
      ...TABLE,
      removalPolicy: stage.accessRemovalPolicy,
      deletionProtection: stage.deletionProtection,
      partitionKey: text(JOBS_TABLE.partitionKey),
      sortKey: text(JOBS_TABLE.sortKey),
      timeToLiveAttribute: JOBS_TABLE.expires,
    });
    const bucket = new FilesBucket(this, "Bucket", { stage, folder: "exports", keptDays: EXPORT_KEPT_DAYS });
    const { queue } = new StepsQueue(this, "Queue", {
      stage,
      alarmTopic,
      step: "The step of an export",
      runbook: "export-steps",
      visibilitySeconds: EXPORT_VISIBILITY_SECONDS,
      maxReceiveCount: EXPORT_MAX_RECEIVE_COUNT,
    });

    const handler = new SluiceFunction<ExportEnvironment>(this, "Function", {
      name: "export",
      timeoutSeconds: EXPORT_TIMEOUT_SECONDS,
      // Each step sends the message of the next one; Lambda would take that for a runaway loop and stop it.
      // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
      recursiveLoop: RecursiveLoop.ALLOW,
      stage,
      environment: {
        ...access.keyCheckEnvironment(),
        ...access.auditEnvironment(),
        ...databaseEnvironment(database),
        JOBS_TABLE: jobs.tableName,
        BUCKET: bucket.name,
        QUEUE_URL: queue.queueUrl,
      },
    });
    handler.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 1,
        maxConcurrency: EXPORT_MAX_CONCURRENCY,
        reportBatchItemFailures: true,
      }),
    );
    queue.grantSendMessages(handler);
    access.grantKeyCheck(handler);
    access.grantAudit(handler);
    grantDataApi(database, handler, ["ExecuteStatement"]);
    grantTable(handler, jobs.tableArn, ["GetItem", "PutItem", "Query"]);
    bucket.grantFiles(handler, ["AbortMultipartUpload", "GetObject", "PutObject"]);
    this.function = handler;
    this.jobs = jobs;
    this.bucket = bucket;

    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description: "The function that writes exports crashes or times out.",
      runbook: "export-errors",
      metric: handler.metricErrors(),
      evaluationPeriods: 60,
      datapointsToAlarm: 3,
    });
    new Alarm(this, "FailedAlarm", {
      topic: alarmTopic,
      description: "An export ended before it had written everything.",
      runbook: "export-failed",
      metric: handler.metricOf("ExportsFailed", "sum"),
    });
  }

  /** The variables of a function that takes erased events out of exports. */
  erasureEnvironment() {
    return { JOBS_TABLE: this.jobs.tableName, EXPORT_BUCKET: this.bucket.name };
  }

  /** Lets a function take erased events out of exports: end jobs, and delete files. */
  grantErasure(grantee: IFunction): void {
    grantTable(grantee, this.jobs.tableArn, ["GetItem", "PutItem", "Query"]);
    this.bucket.grantFiles(grantee, ["DeleteObject", "GetObject"]);
    this.bucket.grantList(grantee);
  }
}
