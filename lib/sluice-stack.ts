import { CfnOutput, Stack, type StackProps, Tags } from "aws-cdk-lib";
import { ManagedPolicy, PermissionsBoundary } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { Access } from "./access.ts";
import { Api } from "./api.ts";
import { AlarmTopic } from "./alarm-topic.ts";
import { AuroraDatabase } from "./aurora-database.ts";
import { Console } from "./console.ts";
import { Consume } from "./consume.ts";
import { Dashboard } from "./dashboard.ts";
import type { Database } from "./database.ts";
import { DatabaseRoles } from "./database-roles.ts";
import { Drain } from "./drain.ts";
import { Export } from "./export.ts";
import { addHelperLogs } from "./helper-logs.ts";
import { Ingest } from "./ingest.ts";
import { Migrate } from "./migrate.ts";
import { Notify } from "./notify.ts";
import { Objectives } from "./objectives.ts";
import { Query } from "./query.ts";
import { Replay } from "./replay.ts";
import { Retain } from "./retain.ts";
import { Rotate } from "./rotate.ts";
import { EventQueue } from "./event-queue.ts";
import { ApiDocs } from "./api-docs.ts";
import type { StageConfig } from "./stage-config.ts";
import { Status } from "./status.ts";
import { StatusQueue } from "./status-queue.ts";
import { StatusTable } from "./status-table.ts";
import { isTraced, TraceSampling } from "./trace-sampling.ts";
import { WakeQueue } from "./wake-queue.ts";

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
    const database =
      props.database ?? stage.existingDatabase ?? new AuroraDatabase(this, "Database", { stage, alarmTopic });
    const roles = new DatabaseRoles(this, "DatabaseRoles", { database });
    const access = new Access(this, "Access", { stage, alarmTopic });
    const table = new StatusTable(this, "StatusTable", { stage });
    const { queue: numbers } = new StatusQueue(this, "StatusQueue", { stage, alarmTopic });
    const ingest = new Ingest(this, "Ingest", { stage, access, events, table, numbers, alarmTopic });
    const { queue: wakes } = new WakeQueue(this, "Wakes", { stage, alarmTopic });
    const consume = new Consume(this, "Consume", {
      stage,
      access,
      events,
      database: roles.writer,
      wakes,
      numbers,
      alarmTopic,
    });
    const drain = new Drain(this, "Drain", { stage, events, database: roles.writer, numbers, alarmTopic });
    const query = new Query(this, "Query", { stage, access, database: roles.reader, alarmTopic });
    const exporter = new Export(this, "Export", { stage, access, database: roles.reader, alarmTopic });
    const replay = new Replay(this, "Replay", { stage, access, events, database: roles.writer, numbers, alarmTopic });
    const notify = new Notify(this, "Notify", { stage, access, events, roles, wakes, alarmTopic });
    const status = new Status(this, "Status", {
      stage,
      access,
      events,
      database: roles.writer,
      wakes,
      queue: numbers,
      table,
      alarmTopic,
    });
    const page = new Console(this, "Console", { stage, access });
    const retain = new Retain(this, "Retain", { stage, access, database, exporter, table, alarmTopic });
    const apiDocs = new ApiDocs(this, "ApiDocs", { stage });
    api.addRoutes({
      ingest: ingest.function,
      query: query.function,
      access: access.function,
      export: exporter.function,
      replay: replay.function,
      notify: notify.function,
      status: status.function,
      console: page.function,
      retain: retain.function,
      "api-docs": apiDocs.function,
    });
    const rotate = new Rotate(this, "Rotate", { stage, database, roles, alarmTopic });
    const migrate = new Migrate(this, "Migrate", {
      stage,
      database,
      roles,
      before: [consume, drain, query, exporter, replay, notify, status, retain, rotate],
      wakes,
      alarmTopic,
    });
    if (stage.objectives)
      new Objectives(this, "Objectives", { stage, ingest: ingest.function, events: events.queue, alarmTopic });
    if (stage.dashboard)
      new Dashboard(this, "Dashboard", {
        stage,
        api: api.restApi,
        events,
        database,
        functions: {
          ingest: ingest.function,
          consume: consume.function,
          drain: drain.function,
          query: query.function,
          export: exporter.function,
          replay: replay.function,
          notify: notify.function,
          status: status.function,
          access: access.function,
          migrate: migrate.function,
        },
      });
    if (isTraced(stage)) new TraceSampling(this, "TraceSampling", { stage });
    addHelperLogs(this, stage);
    for (const [key, value] of Object.entries(stage.tags ?? {})) Tags.of(this).add(key, value);
    if (stage.permissionsBoundaryArn !== undefined) {
      const boundary = ManagedPolicy.fromManagedPolicyArn(this, "Boundary", stage.permissionsBoundaryArn);
      PermissionsBoundary.of(this).apply(boundary);
    }

    const outputs = {
      ApiUrl: api.url,
      QueueUrl: events.queue.queueUrl,
      DeadLetterQueueUrl: events.deadLetters.queueUrl,
      ClusterArn: database.clusterArn,
      SecretArn: database.secretArn,
      DatabaseName: database.databaseName,
      AccessFunctionName: access.function.functionName,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
