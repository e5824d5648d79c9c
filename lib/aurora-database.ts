import { Duration, Validations } from "aws-cdk-lib";
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
} from "aws-cdk-lib/aws-rds";
import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import type { Database } from "./database.ts";
import { databaseNetwork } from "./database-network.ts";
import type { StageConfig } from "./stage-config.ts";

export type AuroraDatabaseProps = {
  readonly stage: StageConfig;
  readonly alarmTopic: AlarmTopic;
};

const DATABASE_NAME = "sluice";

/** Percent of its largest capacity. Near it the database scales no further, and stores wait for each other. */
const CAPACITY_ALARM_PERCENT = 95;

/**
 * Aurora PostgreSQL 17, Serverless v2, in isolated subnets without NAT, or in the stage's existing VPC: functions reach it
 * through the Data API only, so nothing needs to be inside the VPC. RDS owns the master password and rotates it.
 */
export class AuroraDatabase extends Construct implements Database {
  readonly clusterArn: string;
  readonly secretArn: string;
  readonly databaseName = DATABASE_NAME;
  readonly ready: Construct[];
  readonly capacity: IMetric;

  constructor(scope: Construct, id: string, { stage, alarmTopic }: AuroraDatabaseProps) {
    super(scope, id);
    const { databaseReaders } = stage;
    const { vpc, vpcSubnets, zones } = databaseNetwork(this, stage.existingVpc);
    // AWS chooses the zone of a lone instance. Of several it might put all into one.
    const zone = (index: number) => databaseReaders > 0 && { availabilityZone: zones[index % zones.length] };
    const cluster = new DatabaseCluster(this, "Cluster", {
      // The newest 17: AWS stops offering old minor versions. The Data API supports 17.4 and up, and not 18 yet.
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_17_9 }),
      writer: ClusterInstance.serverlessV2("writer", { ...zone(0) }),
      readers: Array.from({ length: databaseReaders }, (_, index) =>
        ClusterInstance.serverlessV2(`reader${index + 1}`, { ...zone(index + 1), scaleWithWriter: true }),
      ),
      vpc,
      vpcSubnets,
      serverlessV2MinCapacity: stage.databaseMinCapacity,
      serverlessV2MaxCapacity: stage.databaseMaxCapacity,
      ...(stage.databaseMinCapacity === 0 && {
        serverlessV2AutoPauseDuration: Duration.minutes(stage.databaseAutoPauseMinutes),
      }),
      enableDataApi: true,
      storageEncrypted: true,
      manageMasterUserPassword: true,
      defaultDatabaseName: DATABASE_NAME,
      iamAuthentication: true,
      backup: { retention: Duration.days(7) },
      copyTagsToSnapshot: true,
      deletionProtection: stage.deletionProtection,
      removalPolicy: stage.databaseRemovalPolicy,
    });
    if (cluster.secret === undefined)
      throw new Error("The cluster has no master secret, although manageMasterUserPassword is set.");
    this.clusterArn = cluster.clusterArn;
    this.secretArn = cluster.secret.secretArn;
    this.ready = [cluster];
    this.capacity = cluster.metric("ServerlessDatabaseCapacity", { statistic: "avg" });

    new Alarm(this, "CapacityAlarm", {
      topic: alarmTopic,
      description: "The database is at its largest capacity.",
      runbook: "database-capacity",
      metric: cluster.metric("ACUUtilization", { statistic: "avg" }),
      threshold: CAPACITY_ALARM_PERCENT,
      // A peak of a few minutes is what Serverless is for.
      period: Duration.minutes(5),
      evaluationPeriods: 3,
    });

    if (stage.existingVpc !== undefined) {
      Validations.of(cluster).acknowledge({
        id: "CloudFormation-Validate::W3010",
        reason: "The stage names the zones of its existing network.",
      });
    }
    if (!stage.deletionProtection) {
      Validations.of(cluster).acknowledge({
        id: "AwsSolutions-RDS10",
        reason: "A development stage must be deletable; stage=prod has deletion protection.",
      });
    }
  }
}
