import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { Api } from "./api.ts";
import { AlarmTopic } from "./alarm-topic.ts";
import { AuroraDatabase } from "./aurora-database.ts";
import { Consume } from "./consume.ts";
import type { Database } from "./database.ts";
import { addHelperLogs } from "./helper-logs.ts";
import { Ingest } from "./ingest.ts";
import { Migrate } from "./migrate.ts";
import { Query } from "./query.ts";
import { EventQueue } from "./event-queue.ts";
import { ApiDocs } from "./api-docs.ts";
import type { StageConfig } from "./stage-config.ts";

export type SluiceStackProps = StackProps & {
  readonly stage: StageConfig;
  /** The database of another target. @default the stage's existing one, or else Aurora in this stack */
  readonly database?: Database;
};

/** The whole stack, wired in the order an event flows. */
export class SluiceStack extends Stack {
  constructor(scope: Construct, id: string, props: SluiceStackProps) {
    super(scope, id, props);
    const { stage } = props;

    const alarmTopic = new AlarmTopic(this, "AlarmTopic", { stage });
    const api = new Api(this, "Api", { stage, alarmTopic });
    const events = new EventQueue(this, "Queue", { stage, alarmTopic });
    const database = props.database ?? stage.existingDatabase ?? new AuroraDatabase(this, "Database", { stage });
    const ingest = new Ingest(this, "Ingest", { stage, events, alarmTopic });
    const consume = new Consume(this, "Consume", { stage, events, database, alarmTopic });
    const query = new Query(this, "Query", { stage, database });
    const apiDocs = new ApiDocs(this, "ApiDocs", { stage });
    api.addRoutes({ ingest: ingest.function, query: query.function, "api-docs": apiDocs.function });
    new Migrate(this, "Migrate", { stage, database, before: [consume, query], alarmTopic });
    addHelperLogs(this, stage);

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
