import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { stageConfig } from "../../lib/stage-config.ts";
import { databaseFunctions, EXPECTED_FUNCTIONS } from "./expected-functions.ts";
import { templateOf } from "./support.ts";

const existingDatabase = {
  clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:restored",
  secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:rds!cluster-restored-AbCdEf",
  databaseName: "elsewhere",
};
const withSettings = (settings: object, like: "dev" | "prod" = "dev") =>
  templateOf({ ...stageConfig(like), ...settings });

type Statement = { Action: string | string[]; Resource: unknown };
const statementsOn = (template: Template, resource: string) =>
  Object.values(template.findResources("AWS::IAM::Policy"))
    .flatMap(
      ({ Properties }) => (Properties as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument.Statement,
    )
    .filter(({ Resource }) => Resource === resource);

describe("an existing database", () => {
  const template = withSettings({ existingDatabase }, "prod");

  it("an existing database replaces the stack's cluster and its network", () => {
    for (const type of ["AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::EC2::VPC"]) {
      template.resourceCountIs(type, 0);
    }
  });

  it("an existing database is the one that every function with a database uses, and the stack's output", () => {
    const { clusterArn, secretArn, databaseName } = existingDatabase;
    const count = (variables: object, functions: number) =>
      template.resourcePropertiesCountIs(
        "AWS::Lambda::Function",
        { Environment: { Variables: { CLUSTER_ARN: clusterArn, DATABASE_NAME: databaseName, ...variables } } },
        functions,
      );

    count({}, databaseFunctions().length);
    count({ SECRET_ARN: secretArn }, databaseFunctions("owner").length);
    template.hasOutput("ClusterArn", { Value: clusterArn });
    template.hasOutput("SecretArn", { Value: secretArn });
    template.hasOutput("DatabaseName", { Value: databaseName });
  });

  it("an existing database is open to the functions that use it, and its owner's secret to those that change tables or passwords", () => {
    const { clusterArn, secretArn } = existingDatabase;
    const transactions = databaseFunctions().filter((name) =>
      EXPECTED_FUNCTIONS[name].actions.includes("rds-data:BeginTransaction"),
    );

    expect(statementsOn(template, clusterArn)).toHaveLength(databaseFunctions().length);
    expect(statementsOn(template, clusterArn).filter(({ Action }) => Array.isArray(Action))).toHaveLength(
      transactions.length,
    );
    expect(transactions).toEqual(["migrate"]);
    expect(statementsOn(template, secretArn)).toHaveLength(databaseFunctions("owner").length);
    expect(databaseFunctions("owner")).toEqual(["migrate", "rotate", "retain"]);
  });

  it("an existing database gets roles with secrets of the stack, which are rotated", () => {
    const secrets = Object.keys(template.findResources("AWS::SecretsManager::Secret"));

    expect(secrets.filter((id) => id.startsWith("DatabaseRoles"))).toHaveLength(2);
    template.resourceCountIs("AWS::SecretsManager::RotationSchedule", 2);
  });
});

describe("the capacity of the database", () => {
  const capacityOf = (template: Template) => {
    const [cluster] = Object.values(template.findResources("AWS::RDS::DBCluster"));
    return (cluster as { Properties: Record<string, unknown> }).Properties["ServerlessV2ScalingConfiguration"];
  };

  it("the capacity of the database falls to zero in dev, where it pauses after five idle minutes", () => {
    expect(capacityOf(withSettings({}))).toEqual({ MinCapacity: 0, MaxCapacity: 8, SecondsUntilAutoPause: 300 });
  });

  it("the capacity of the database never falls to zero in prod, so that it never pauses", () => {
    expect(capacityOf(withSettings({}, "prod"))).toEqual({ MinCapacity: 0.5, MaxCapacity: 8 });
  });

  it("the capacity of the database is what the stage sets", () => {
    const settings = { databaseMinCapacity: 0, databaseMaxCapacity: 64, databaseAutoPauseMinutes: 60 };

    expect(capacityOf(withSettings(settings, "prod"))).toEqual({
      MinCapacity: 0,
      MaxCapacity: 64,
      SecondsUntilAutoPause: 3_600,
    });
  });
});

describe("the instances of the database", () => {
  const zonesOf = (template: Template) =>
    Object.values(template.findResources("AWS::RDS::DBInstance")).map(
      ({ Properties }) => (Properties as Record<string, unknown>)["AvailabilityZone"],
    );
  const zone = (index: number) => ({ "Fn::Select": [index, { "Fn::GetAZs": "" }] });

  it("the instances of the database are one in dev, in a zone that AWS chooses", () => {
    expect(zonesOf(withSettings({}))).toEqual([undefined]);
  });

  it("the instances of the database are two in prod, in two zones, and the reader is as large as the writer", () => {
    const template = withSettings({}, "prod");

    expect(zonesOf(template)).toEqual([zone(0), zone(1)]);
    template.hasResourceProperties("AWS::RDS::DBInstance", { AvailabilityZone: zone(1), PromotionTier: 1 });
  });

  it("the instances of the database are as many as the stage sets, in alternating zones", () => {
    expect(zonesOf(withSettings({ databaseReaders: 2 }))).toEqual([zone(0), zone(1), zone(0)]);
  });
});
