import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { QueryEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { QUERY_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { HORIZON_AGE_ALARM_SECONDS } from "../functions/core/feed-limits.ts";
import type { Access } from "./access.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { type Database, databaseEnvironment, grantDataApi } from "./database.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

export type QueryProps = {
  readonly stage: StageConfig;
  readonly access: Access;
  readonly database: Database;
  readonly alarmTopic: AlarmTopic;
};

/** Reads events from the database. */
export class Query extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { stage, access, database, alarmTopic }: QueryProps) {
    super(scope, id);
    const handler = new SluiceFunction<QueryEnvironment>(this, "Function", {
      name: "query",
      timeoutSeconds: QUERY_TIMEOUT_SECONDS,
      stage,
      environment: { ...access.keyCheckEnvironment(), ...databaseEnvironment(database) },
    });
    access.grantKeyCheck(handler);
    grantDataApi(database, handler, ["ExecuteStatement"]);
    this.function = handler;

    new Alarm(this, "HorizonAgeAlarm", {
      topic: alarmTopic,
      description: "An open transaction holds the feed back.",
      runbook: "feed-held-back",
      metric: handler.metricOf("HorizonAgeSeconds", "max"),
      threshold: HORIZON_AGE_ALARM_SECONDS,
      // A statement of the consumer may be slow once, and ends within a minute.
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
  }
}
