import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { CommonEnvironment } from "../functions/adapters/lambda/environment.ts";
import { Api } from "./api.ts";
import { AlarmTopic } from "./alarm-topic.ts";
import { AuroraDatabase } from "./aurora-database.ts";
import { Consume } from "./consume.ts";
import type { Database } from "./database.ts";
import { Ingest } from "./ingest.ts";
import { Migrate } from "./migrate.ts";
import { Query } from "./query.ts";
import { EventQueue } from "./event-queue.ts";
import { ApiDocs } from "./api-docs.ts";
import type { StageConfig } from "./stage-config.ts";

export type SluiceStackProps = StackProps & {
  readonly stage: StageConfig;
  /** Makes the database of another target. @default Aurora in this stack */
  readonly database?: (scope: Construct) => Database;
};

/** The whole stack, wired in the order an event flows. */
export class SluiceStack extends Stack {
  constructor(scope: Construct, id: string, props: SluiceStackProps) {
    super(scope, id, props);
    const { stage } = props;
    const common: CommonEnvironment = { STAGE: stage.name, METRICS_NAMESPACE: "Sluice", LOG_LEVEL: stage.logLevel };

    const api = new Api(this, "Api", { stage });
    const alarmTopic = new AlarmTopic(this, "AlarmTopic", { stage });
    const events = new EventQueue(this, "Queue", { stage, alarmTopic });
    const database = props.database?.(this) ?? new AuroraDatabase(this, "Database", { stage });
    const ingest = new Ingest(this, "Ingest", { stage, common, events });
    const consume = new Consume(this, "Consume", { common, events, database, alarmTopic });
    const query = new Query(this, "Query", { common, database });
    const apiDocs = new ApiDocs(this, "ApiDocs", { common });
    api.addRoutes({ ingest: ingest.function, query: query.function, "api-docs": apiDocs.function });
    new Migrate(this, "Migrate", { common, database, before: [consume, query], alarmTopic });

    const outputs = {
      ApiUrl: api.restApi.url,
      QueueUrl: events.queue.queueUrl,
      DeadLetterQueueUrl: events.deadLetters.queueUrl,
      ClusterArn: database.clusterArn,
      SecretArn: database.secretArn,
      DatabaseName: database.databaseName,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
