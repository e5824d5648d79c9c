import { Validations } from "aws-cdk-lib";
import { AttributeType, Table } from "aws-cdk-lib/aws-dynamodb";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import type { AccessEnvironment, KeyCheckEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { ACCESS_TABLE, AUDIT_TABLE, USAGE_TABLE } from "../functions/core/access-tables.ts";
import { ACCESS_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";
import { grantTable as grant, TABLE, text } from "./table.ts";

/** 380 bits; more than the 256 of a key of HMAC-SHA-256. */
const KEY_SECRET_CHARACTERS = 64;

export type AccessProps = {
  readonly stage: StageConfig;
  readonly alarmTopic: AlarmTopic;
};

/**
 * Keys, tenants and the audit log: their tables, the secret under which keys are hashed, and the function that manages
 * them. The tables are three, so that a function which only checks keys can read keys and tenants, write the last use, and
 * nothing else.
 */
export class Access extends Construct {
  readonly function: IFunction;
  private readonly access: Table;
  private readonly usage: Table;
  private readonly audit: Table;
  private readonly keySecret: Secret;

  constructor(scope: Construct, id: string, { stage, alarmTopic }: AccessProps) {
    super(scope, id);
    const kept = { removalPolicy: stage.accessRemovalPolicy, deletionProtection: stage.deletionProtection };
    const { listing } = ACCESS_TABLE;
    this.access = new Table(this, "Keys", {
      ...TABLE,
      ...kept,
      partitionKey: text(ACCESS_TABLE.partitionKey),
      timeToLiveAttribute: ACCESS_TABLE.expires,
    });
    this.access.addGlobalSecondaryIndex({
      indexName: listing.name,
      partitionKey: text(listing.partitionKey),
      sortKey: text(listing.sortKey),
    });
    this.usage = new Table(this, "Usage", {
      ...TABLE,
      ...kept,
      partitionKey: text(USAGE_TABLE.partitionKey),
      timeToLiveAttribute: USAGE_TABLE.expires,
    });
    this.audit = new Table(this, "Audit", {
      ...TABLE,
      ...kept,
      partitionKey: text(AUDIT_TABLE.partitionKey),
      sortKey: { name: AUDIT_TABLE.sortKey, type: AttributeType.NUMBER },
    });
    this.keySecret = new Secret(this, "KeySecret", {
      description: "Keys of the API are hashed under it. Another value ends every key.",
      generateSecretString: { passwordLength: KEY_SECRET_CHARACTERS, excludePunctuation: true },
      removalPolicy: stage.accessRemovalPolicy,
    });
    Validations.of(this.keySecret).acknowledge({
      id: "AwsSolutions-SMG4",
      reason:
        "A rotation would end every key at once. The secret alone opens nothing: it is no key, and it never leaves AWS.",
    });

    const handler = new SluiceFunction<AccessEnvironment>(this, "Function", {
      name: "access",
      timeoutSeconds: ACCESS_TIMEOUT_SECONDS,
      stage,
      environment: { ...this.keyCheckEnvironment(), ...this.auditEnvironment() },
    });
    this.grantKeyCheck(handler);
    grant(handler, this.access.tableArn, ["PutItem", "UpdateItem"]);
    grant(handler, `${this.access.tableArn}/index/${listing.name}`, ["Query"]);
    grant(handler, this.usage.tableArn, ["BatchGetItem"]);
    this.grantAudit(handler);
    this.function = handler;

    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description: "The function that manages keys crashes or times out.",
      runbook: "access-errors",
      metric: handler.metricErrors(),
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
  }

  /**
   * Lets a function check keys and limits: read keys and tenants, remember the last use, lease tokens, and read the secret of the hashes.
   * The right on the table of limits is also one on the mark of stored events in it.
   */
  grantKeyCheck(grantee: IGrantable): void {
    grant(grantee, this.access.tableArn, ["GetItem"]);
    grant(grantee, this.usage.tableArn, ["GetItem", "UpdateItem"]);
    Grant.addToPrincipal({
      grantee,
      actions: ["secretsmanager:GetSecretValue"],
      resourceArns: [this.keySecret.secretArn],
    });
  }

  /** Lets a function write and delete codes and sessions, and no key or tenant. */
  grantSessions(grantee: IGrantable): void {
    const { codes, sessions } = ACCESS_TABLE;
    Grant.addToPrincipal({
      grantee,
      actions: ["dynamodb:PutItem", "dynamodb:DeleteItem"],
      resourceArns: [this.access.tableArn],
      conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [`${codes}*`, `${sessions}*`] } },
    });
  }

  /** Lets a function append to the audit log and read it. */
  grantAudit(grantee: IGrantable): void {
    // Nothing may delete an entry. PutItem can overwrite one: IAM cannot ask for a condition of the call. The chain shows it.
    grant(grantee, this.audit.tableArn, ["GetItem", "PutItem", "Query"]);
  }

  /** The variable of such a function. */
  auditEnvironment(): Pick<AccessEnvironment, "AUDIT_TABLE"> {
    return { AUDIT_TABLE: this.audit.tableName };
  }

  /** Lets a function change the mark of stored events, and no other item of the table. */
  grantStoreMark(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ["dynamodb:UpdateItem"],
      resourceArns: [this.usage.tableArn],
      conditions: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [USAGE_TABLE.storeMark] } },
    });
  }

  /** The variables of a function that changes the mark of stored events. */
  storeMarkEnvironment(): Pick<KeyCheckEnvironment, "USAGE_TABLE"> {
    return { USAGE_TABLE: this.usage.tableName };
  }

  /** The variables of a function that checks keys. */
  keyCheckEnvironment(): KeyCheckEnvironment {
    return {
      ACCESS_TABLE: this.access.tableName,
      USAGE_TABLE: this.usage.tableName,
      KEY_SECRET_ARN: this.keySecret.secretArn,
    };
  }
}
