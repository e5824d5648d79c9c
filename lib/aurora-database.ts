import { Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import { SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
} from "aws-cdk-lib/aws-rds";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import type { Database, DataApiCall } from "./database.ts";
import type { StageConfig } from "./stage-config.ts";

/** The shortest that Aurora takes. @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html */
const AUTO_PAUSE_MINUTES = 5;
const DATABASE_NAME = "sluice";
/** ACU; each has about 2 GiB. Zero lets the database pause, when it costs only its storage. */
const MIN_CAPACITY = 0;
const MAX_CAPACITY = 8;

/**
 * Aurora PostgreSQL 17, Serverless v2, in isolated subnets without NAT: functions reach it through the Data API only,
 * so nothing needs to be inside the VPC. RDS owns the master password and rotates it.
 */
export class AuroraDatabase extends Construct implements Database {
  readonly clusterArn: string;
  readonly secretArn: string;
  readonly databaseName = DATABASE_NAME;
  readonly ready: Construct[];
  private readonly secret: ISecret;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    const vpc = new Vpc(this, "Vpc", {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: "database", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }],
    });
    const cluster = new DatabaseCluster(this, "Cluster", {
      // The newest 17: AWS stops offering old minor versions. The Data API supports 17.4 and up, and not 18 yet.
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_17_9 }),
      writer: ClusterInstance.serverlessV2("writer"),
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      serverlessV2MinCapacity: MIN_CAPACITY,
      serverlessV2MaxCapacity: MAX_CAPACITY,
      serverlessV2AutoPauseDuration: Duration.minutes(AUTO_PAUSE_MINUTES),
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
    this.secret = cluster.secret;
    this.clusterArn = cluster.clusterArn;
    this.secretArn = cluster.secret.secretArn;
    this.ready = [cluster];

    Validations.of(vpc).acknowledge({
      id: "AwsSolutions-VPC7",
      reason: "The VPC holds the cluster alone and has no route out; callers come through the Data API.",
    });
    if (stage.databaseRemovalPolicy === RemovalPolicy.DESTROY) {
      Validations.of(cluster).acknowledge({
        id: "AwsSolutions-RDS10",
        reason: "A development stage must be deletable; stage=prod has deletion protection.",
      });
    }
  }

  grantDataApi(grantee: IGrantable, calls: readonly DataApiCall[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: calls.map((call) => `rds-data:${call}`),
      resourceArns: [this.clusterArn],
    });
    this.secret.grantRead(grantee);
  }
}
