import { Duration, Stack } from "aws-cdk-lib";
import { Grant, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnRotationSchedule } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import type { RotateEnvironment } from "../functions/adapters/lambda/environment-schemas.ts";
import { ROTATE_TIMEOUT_SECONDS } from "../functions/core/function-limits.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTopic } from "./alarm-topic.ts";
import { databaseEnvironment, type Database, grantDataApi } from "./database.ts";
import type { DatabaseRoles } from "./database-roles.ts";
import { SluiceFunction } from "./sluice-function.ts";
import type { StageConfig } from "./stage-config.ts";

export type RotateProps = {
  readonly stage: StageConfig;
  /** The database as its owner, who may set passwords. RDS rotates the owner's own secret. */
  readonly database: Database;
  readonly roles: DatabaseRoles;
  readonly alarmTopic: AlarmTopic;
};

const ROTATE_EVERY_DAYS = 30;

/** Gives the roles of the database new passwords, through the Data API: the function needs no VPC and no endpoint in one. */
export class Rotate extends Construct {
  constructor(scope: Construct, id: string, { stage, database, roles, alarmTopic }: RotateProps) {
    super(scope, id);
    const handler = new SluiceFunction<RotateEnvironment>(this, "Function", {
      name: "rotate",
      timeoutSeconds: ROTATE_TIMEOUT_SECONDS,
      stage,
      environment: { ...databaseEnvironment(database), ...roles.environment },
    });
    grantDataApi(database, handler, ["ExecuteStatement"]);
    const secrets = Object.values(roles.secrets);
    Grant.addToPrincipal({
      grantee: handler,
      actions: ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"].map(
        (action) => `secretsmanager:${action}`,
      ),
      resourceArns: secrets.map(({ secretArn }) => secretArn),
    });
    handler.addPermission("SecretsManager", {
      principal: new ServicePrincipal("secretsmanager.amazonaws.com"),
      sourceAccount: Stack.of(this).account,
    });
    // An emulator runs no schedule, and MiniStack does not deploy one.
    const scheduled = database.endpoint === undefined ? Object.entries(roles.secrets) : [];
    for (const [role, { secretArn }] of scheduled) {
      // The schedule of the CDK would let the function ask for random passwords of every secret, which it does not do.
      const schedule = new CfnRotationSchedule(this, `${role}Schedule`, {
        secretId: secretArn,
        rotationLambdaArn: handler.functionArn,
        rotationRules: { automaticallyAfterDays: ROTATE_EVERY_DAYS },
        // A deployment would otherwise wait for the database twice, and rotate what it has just made.
        rotateImmediatelyOnUpdate: false,
      });
      schedule.node.addDependency(handler);
    }
    new Alarm(this, "ErrorsAlarm", {
      topic: alarmTopic,
      description: "A rotation of a database password failed.",
      runbook: "rotation",
      metric: handler.metricErrors(),
      period: Duration.hours(1),
    });
  }
}
