import { Table } from "aws-cdk-lib/aws-dynamodb";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { STATUS_TABLE } from "../functions/core/status-table.ts";
import type { StageConfig } from "./stage-config.ts";
import { grantTable, TABLE, text } from "./table.ts";

/** The table of the numbers that are answered without the database. Apart from the function `status`, because ingest writes it too. */
export class StatusTable extends Construct {
  readonly name: string;
  private readonly table: Table;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    this.table = new Table(this, "Items", {
      ...TABLE,
      removalPolicy: stage.accessRemovalPolicy,
      deletionProtection: stage.deletionProtection,
      partitionKey: text(STATUS_TABLE.partitionKey),
      sortKey: text(STATUS_TABLE.sortKey),
      timeToLiveAttribute: STATUS_TABLE.expires,
    });
    this.name = this.table.tableName;
  }

  /** Lets ingest write the numbers of the events that it has sent, and no other item. */
  grantProducer(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ["dynamodb:PutItem"],
      resourceArns: [this.table.tableArn],
      conditions: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [STATUS_TABLE.producer] } },
    });
  }

  /** Lets a function read and write refused events, for an erasure. */
  grantRefusals(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
      resourceArns: [this.table.tableArn],
      conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [STATUS_TABLE.refusalsOf("*")] } },
    });
  }

  /** Lets the function `status` read and write all items. */
  grantAll(grantee: IGrantable): void {
    grantTable(grantee, this.table.tableArn, ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]);
  }
}
