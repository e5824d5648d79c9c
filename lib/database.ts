import { Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import { SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import type { IGrantable } from "aws-cdk-lib/aws-iam";
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
} from "aws-cdk-lib/aws-rds";
import { Construct } from "constructs";
import type { DatabaseEnvironment } from "../functions/adapters/environment.ts";
import type { StageConfig } from "./stage-config.ts";

/**
 * What the stages need of a database, wherever it is: the Data API's names for it, an endpoint where it is not AWS's,
 * and the right to call it.
 */
export type SluiceDatabase = {
  readonly environment: DatabaseEnvironment;
  /** Data API endpoint outside AWS, for functions to reach it by `AWS_ENDPOINT_URL_RDS_DATA`. */
  readonly endpoint?: string;
  /** Lets a function run statements. */
  grantDataApi(grantee: IGrantable): void;
};

/** Aurora's lowest. @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html */
const AUTO_PAUSE_MINUTES = 5;
const DATABASE_NAME = "sluice";
/** ACU; each has about 2 GiB. Zero lets the database pause, when it costs only its storage. */
const MIN_CAPACITY = 0;
const MAX_CAPACITY = 8;

/**
 * Aurora PostgreSQL 17, Serverless v2, in isolated subnets without NAT: functions reach it through the Data API only,
 * so nothing needs to be inside the VPC. RDS owns the master password and rotates it.
 */
export class AuroraDatabase extends Construct implements SluiceDatabase {
  readonly environment: DatabaseEnvironment;
  readonly cluster: DatabaseCluster;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    const vpc = new Vpc(this, "Vpc", {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: "database", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }],
    });
    this.cluster = new DatabaseCluster(this, "Cluster", {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_17_4 }),
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
    const secretArn = this.cluster.secret?.secretArn;
    if (secretArn === undefined)
      throw new Error("The cluster has no master secret; manageMasterUserPassword gives it one.");
    this.environment = { CLUSTER_ARN: this.cluster.clusterArn, SECRET_ARN: secretArn, DATABASE_NAME };

    Validations.of(vpc).acknowledge({
      id: "AwsSolutions-VPC7",
      reason: "Nothing but the cluster is in the VPC, it has no route out, and callers come through the Data API.",
    });
    if (stage.databaseRemovalPolicy === RemovalPolicy.DESTROY) {
      Validations.of(this.cluster).acknowledge({
        id: "AwsSolutions-RDS10",
        reason: "A development stage must be deletable; stage=prod has deletion protection.",
      });
    }
  }

  grantDataApi(grantee: IGrantable): void {
    this.cluster.grantDataApiAccess(grantee);
  }
}
