import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { DataApiCall, Database } from "./database.ts";

export type ExternalDatabaseProps = Pick<Database, "clusterArn" | "secretArn" | "databaseName"> & {
  /** URL of its Data API, as the functions reach it. */
  readonly endpoint: string;
};

/**
 * A database outside the stack, behind a Data API of its own, for emulators without Aurora. The functions get the same
 * rights as with Aurora.
 */
export class ExternalDatabase extends Construct implements Database {
  readonly clusterArn: string;
  readonly secretArn: string;
  readonly databaseName: string;
  readonly endpoint: string;
  /** Empty: the database runs before the stack is deployed. */
  readonly ready: Construct[] = [];

  constructor(scope: Construct, id: string, props: ExternalDatabaseProps) {
    super(scope, id);
    this.clusterArn = props.clusterArn;
    this.secretArn = props.secretArn;
    this.databaseName = props.databaseName;
    this.endpoint = props.endpoint;
  }

  grantDataApi(grantee: IGrantable, calls: readonly DataApiCall[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: calls.map((call) => `rds-data:${call}`),
      resourceArns: [this.clusterArn],
    });
    Grant.addToPrincipal({
      grantee,
      actions: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
      resourceArns: [this.secretArn],
    });
  }
}
