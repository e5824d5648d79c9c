import { Duration } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Grant } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Trigger } from "aws-cdk-lib/triggers";
import { Construct } from "constructs";
import type { MigrateEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { MIGRATE_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { databaseEnvironment, type Database, grantDataApi } from "./database.ts";
import type { DatabaseRoles } from "./database-roles.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

export type MigrateProps = {
  readonly stage: StageConfig;
  /** The database as its owner. */
  readonly database: Database;
  readonly roles: DatabaseRoles;
  /** Constructs that use the schema, and so are updated after it. */
  readonly before: Construct[];
  /** The queue that wakes the workers of notify. */
  readonly wakes: IQueue;
  readonly alarmTopic: AlarmTopic;
};

/**
 * The schema. Migrations run once per deployment that changes them or the catalog's declared fields, after the database exists and
 * before the functions that need them are updated; each run sets the passwords of the database's roles. A daily run makes
 * the partitions of the next days, merges and checks the rollups, and deletes closed dead letters where the stage says so.
 */
export class Migrate extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, database, roles, before, wakes, alarmTopic }: MigrateProps) {
    super(scope, id);
    const handler = new SluiceFunction<MigrateEnvironment>(this, "Function", {
      name: "migrate",
      timeoutSeconds: MIGRATE_TIMEOUT_SECONDS,
      stage,
      environment: {
        ...databaseEnvironment(database),
        ...roles.environment,
        WAKE_QUEUE_URL: wakes.queueUrl,
        RETENTION: stage.retention,
        ...(stage.deadLetterRetentionDays !== undefined && {
          DEAD_LETTER_RETENTION_DAYS: String(stage.deadLetterRetentionDays),
        }),
      },
      copies: ["functions/sql"],
    });
    this.function = handler;
    wakes.grantSendMessages(handler);
    grantDataApi(database, handler, [
      "ExecuteStatement",
      "BeginTransaction",
      "CommitTransaction",
      "RollbackTransaction",
    ]);
    Grant.addToPrincipal({
      grantee: handler,
      actions: ["secretsmanager:GetSecretValue"],
      resourceArns: Object.values(roles.secrets).map(({ secretArn }) => secretArn),
    });
    new Trigger(this, "Trigger", {
      handler,
      timeout: Duration.seconds(MIGRATE_TIMEOUT_SECONDS),
      executeAfter: [...(database.ready ?? []), roles],
      executeBefore: before,
    });
    new Rule(this, "Daily", {
      description: "Makes the event partitions of the next days, and keeps the rollups.",
      schedule: Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(handler, { retryAttempts: 2, maxEventAge: Duration.hours(6) })],
    });
    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description: "Migrations or the daily partitions failed.",
      runbook: "migrations",
      metric: handler.metricErrors(),
      period: Duration.hours(1),
    });
    new Alarm(this, "RollupsAlarm", {
      topic: alarmTopic,
      description: "Rollups differ from the events of yesterday.",
      runbook: "rollups",
      metric: handler.metricOf("RollupsDiffering", "sum"),
      period: Duration.hours(1),
    });
  }
}
