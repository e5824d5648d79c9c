import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Trigger } from "aws-cdk-lib/triggers";
import { Construct } from "constructs";
import type { CommonEnvironment, MigrateEnvironment } from "../functions/adapters/lambda/environment.ts";
import { MIGRATE_TIMEOUT_SECONDS } from "../functions/core/limits.ts";
import { databaseEnvironment, type SluiceDatabase } from "./database.ts";
import { SluiceFunction } from "./sluice-function.ts";

export type MigrateProps = {
  readonly common: CommonEnvironment;
  readonly database: SluiceDatabase;
  /** What reads and writes the schema, and so is updated after it. */
  readonly before: Construct[];
};

/**
 * The schema: the migrations run once per deployment that changes them, after the database is there and before the
 * functions that need them; daily, so that the partitions of the days to come exist.
 */
export class Migrate extends Construct {
  constructor(scope: Construct, id: string, { common, database, before }: MigrateProps) {
    super(scope, id);
    const handler = new SluiceFunction<MigrateEnvironment>(this, "Function", {
      stage: "migrate",
      timeoutSeconds: MIGRATE_TIMEOUT_SECONDS,
      environment: { ...common, ...databaseEnvironment(database) },
      copies: ["functions/sql"],
    });
    database.grantDataApi(handler, [
      "ExecuteStatement",
      "BeginTransaction",
      "CommitTransaction",
      "RollbackTransaction",
    ]);
    new Trigger(this, "Trigger", {
      handler,
      timeout: Duration.seconds(MIGRATE_TIMEOUT_SECONDS),
      executeAfter: database.ready,
      executeBefore: before,
    });
    new Rule(this, "Daily", {
      description: "Makes the event partitions of the days to come.",
      schedule: Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(handler, { retryAttempts: 2, maxEventAge: Duration.hours(6) })],
    });
    new Alarm(this, "ErrorsAlarm", {
      alarmDescription: "Migrations or the daily partitions failed. See docs/runbook.md#migrations.",
      metric: handler.metricErrors({ period: Duration.hours(1) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
