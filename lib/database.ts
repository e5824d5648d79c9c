import type { IGrantable } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { DatabaseEnvironment } from "../functions/adapters/lambda/environment.ts";

/**
 * A database for the functions, wherever it is: its names in the Data API, an endpoint where it is not AWS's, the
 * constructs it depends on, and the right to call it. Another target brings its own (`SluiceStackProps.database`).
 */
export type Database = {
  readonly clusterArn: string;
  readonly secretArn: string;
  readonly databaseName: string;
  /** Data API endpoint outside AWS. @default the region's own */
  readonly endpoint?: string;
  /** Constructs that must exist before a statement can run. */
  readonly ready: Construct[];
  /** Lets a function make these calls of the Data API, with the secret they need. */
  grantDataApi(grantee: IGrantable, calls: readonly DataApiCall[]): void;
};

export type DataApiCall = "ExecuteStatement" | "BeginTransaction" | "CommitTransaction" | "RollbackTransaction";

/** The variables that lead a function to the database. */
export function databaseEnvironment({ clusterArn, secretArn, databaseName, endpoint }: Database): DatabaseEnvironment {
  return {
    CLUSTER_ARN: clusterArn,
    SECRET_ARN: secretArn,
    DATABASE_NAME: databaseName,
    ...(endpoint !== undefined && { AWS_ENDPOINT_URL_RDS_DATA: endpoint }),
  };
}
