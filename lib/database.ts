import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { DatabaseEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";

/**
 * A database for the functions, wherever it is: its names in the Data API, an endpoint where it is not AWS's,
 * and the constructs it depends on. One outside the stack is only its names. The secret decides the role that a function
 * has there: the owner's, or one of DatabaseRoles.
 */
export type Database = {
  readonly clusterArn: string;
  readonly secretArn: string;
  readonly databaseName: string;
  /** Data API endpoint outside AWS. @default the region's own */
  readonly endpoint?: string;
  /** Constructs that must exist before a statement can run. @default none, because it is outside the stack */
  readonly ready?: Construct[];
  /** Its capacity in ACU. @default unknown, because it is outside the stack */
  readonly capacity?: IMetric;
};

type DataApiCall = "ExecuteStatement" | "BeginTransaction" | "CommitTransaction" | "RollbackTransaction";

/** Lets a function make these calls of the Data API, with the secret they need. */
export function grantDataApi(
  { clusterArn, secretArn }: Database,
  grantee: IGrantable,
  calls: readonly DataApiCall[],
): void {
  const actions = calls.map((call) => `rds-data:${call}`);
  Grant.addToPrincipal({ grantee, actions, resourceArns: [clusterArn] });
  const secretActions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"];
  Grant.addToPrincipal({ grantee, actions: secretActions, resourceArns: [secretArn] });
}

/** The variables that lead a function to the database. */
export function databaseEnvironment({ clusterArn, secretArn, databaseName, endpoint }: Database): DatabaseEnvironment {
  return {
    CLUSTER_ARN: clusterArn,
    SECRET_ARN: secretArn,
    DATABASE_NAME: databaseName,
    ...(endpoint !== undefined && { AWS_ENDPOINT_URL_RDS_DATA: endpoint }),
  };
}
