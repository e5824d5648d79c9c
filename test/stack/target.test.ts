import { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { deployTarget, leaveOutOnTarget, stageOnTarget } from "../../lib/deploy-target.ts";
import { databaseFunctions, EXPECTED_FUNCTIONS } from "./expected-functions.ts";
import { databaseContext } from "../../localstack/emulator/deploy.ts";
import { FULL_SETTINGS } from "./full-settings.ts";
import { stageWith, synthesizeStack, synthesizeTemplate, templateOf } from "./support.ts";

const database = {
  clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:outside",
  secretArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:outside",
  databaseName: "sluice",
  endpoint: "http://127.0.0.1:5432",
};
const contextOf = (values: Record<string, unknown>) => (name: string) => values[name];

describe("the target localstack", () => {
  let aws: Template;
  let localstack: Template;
  beforeAll(() => {
    aws = templateOf("dev");
    const target = deployTarget(contextOf({ target: "localstack", database: JSON.stringify(database) }), "Sluice-dev");
    localstack = synthesizeTemplate("dev", { target });
  });

  type Statement = { Effect: string; Action: string | string[]; Resource: unknown };
  type Resource = { Type: string; Properties?: Record<string, unknown> };
  /** Resources by logical id, without the hash of settings that ends a function version's id. */
  const resources = (template: Template): Record<string, Resource> =>
    Object.fromEntries(
      Object.entries(template.toJSON()["Resources"] as Record<string, Resource>).map(([id, resource]) => [
        id.replace(/(CurrentVersion).*$/, "$1"),
        resource,
      ]),
    );

  it("the target localstack has every resource that is deployed to AWS except the database, its network and schedules of rotations", () => {
    const missing = Object.entries(resources(aws)).filter(([id]) => resources(localstack)[id] === undefined);

    expect(Object.keys(resources(localstack)).filter((id) => resources(aws)[id] === undefined)).toEqual([]);
    expect(missing.length).toBeGreaterThan(0);
    for (const [id, { Type: type }] of missing) {
      expect(`${id} ${type}`).toMatch(
        / AWS::(RDS|EC2)::| AWS::SecretsManager::RotationSchedule$|^(Database(?!Roles)|CustomVpcRestrict)/,
      );
    }
  });

  it("the target localstack changes no property of a resource except the address of the database", () => {
    for (const [id, resource] of Object.entries(resources(localstack))) {
      if (["AWS::IAM::Policy", "Custom::Trigger", "AWS::Lambda::Version"].includes(resource.Type)) continue;
      // It shows the cluster too. The stage on an emulator has none.
      if (resource.Type === "AWS::CloudWatch::Dashboard") continue;
      const { Properties } = structuredClone(resources(aws)[id] ?? { Type: "", Properties: {} });
      const variables = (properties: Resource["Properties"]) =>
        (properties?.["Environment"] as { Variables?: Record<string, unknown> } | undefined)?.Variables;
      const ours = variables(Properties);
      const isOwners = databaseFunctions("owner").some((name) => id.toLowerCase().startsWith(`${name}function`));
      if (ours?.["CLUSTER_ARN"] !== undefined) {
        Object.assign(ours, {
          CLUSTER_ARN: database.clusterArn,
          // The secrets of the other roles are those of the stack on AWS too.
          ...(isOwners && { SECRET_ARN: database.secretArn }),
          DATABASE_NAME: database.databaseName,
          AWS_ENDPOINT_URL_RDS_DATA: database.endpoint,
        });
      }

      expect(resource.Properties, id).toEqual(Properties);
    }
  });

  it.each([
    ["localstack", 0],
    ["aws", 1],
    [undefined, 1],
  ])("a stack for the target %s has %i alarm on metric math, and all of the others", (target, number) => {
    const alarms = (template: Template) => Object.values(template.findResources("AWS::CloudWatch::Alarm"));
    const isMath = ({ Properties }: Record<string, { Metrics?: unknown }>) => Properties?.Metrics !== undefined;
    const stage = stageOnTarget(stageWith({}), "localstack");

    const before = alarms(templateOf(stage));
    const after = synthesizeStack(stage, {}, (_, stack) => {
      leaveOutOnTarget(stack, target);
      return alarms(Template.fromStack(stack));
    });

    expect(after.filter(isMath)).toHaveLength(number);
    expect(after.filter((each) => !isMath(each))).toEqual(before.filter((each) => !isMath(each)));
  });

  it("the target localstack lets each function call that database, and the owner's functions read its secret", () => {
    const statements = Object.values(localstack.findResources("AWS::IAM::Policy")).flatMap(
      ({ Properties }) => (Properties as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument.Statement,
    );
    const allowing = (resource: string) => statements.filter((each) => each.Resource === resource);

    const granted = (resource: string) =>
      allowing(resource).map(({ Effect, Action }) => `${Effect} ${[Action].flat().toSorted().join()}`);
    const expected = databaseFunctions().map((name) => {
      const actions = EXPECTED_FUNCTIONS[name].actions.filter((action) => action.startsWith("rds-data:"));
      return `Allow ${actions.toSorted().join()}`;
    });

    expect(granted(database.clusterArn).toSorted()).toEqual(expected.toSorted());
    expect(granted(database.secretArn)).toEqual(
      databaseFunctions("owner").map(() => "Allow secretsmanager:DescribeSecret,secretsmanager:GetSecretValue"),
    );
  });
});

describe("the stage on its target", () => {
  const full = stageWith(FULL_SETTINGS);
  const onEmulator = stageOnTarget(full, "localstack");

  it("the stage on AWS is the stage as it is set", () => {
    expect(stageOnTarget(full, undefined)).toEqual(full);
    expect(stageOnTarget(full, "aws")).toEqual(full);
  });

  it("the stage on an emulator has no domain, so that no command sends its events to the deployed one", () => {
    const template = synthesizeTemplate(onEmulator, { target: { database } });

    expect(JSON.stringify(template.toJSON())).not.toContain(FULL_SETTINGS.domain.name);
    for (const type of ["AWS::ApiGateway::DomainName", "AWS::Route53::RecordSet", "AWS::WAFv2::WebACLAssociation"])
      template.resourceCountIs(type, 0);
  });

  it("the stage on an emulator keeps the settings that functions see", () => {
    const { corsOrigins, reservedConcurrency, tags, alarmEmail, logRetentionDays } = full;

    expect(onEmulator).toMatchObject({ corsOrigins, reservedConcurrency, tags, alarmEmail, logRetentionDays });
  });
});

describe("the deployment target", () => {
  it("the deployment target is AWS by default", () => {
    expect(deployTarget(contextOf({}), "Sluice-dev")).toEqual({});
  });

  it.each([
    [{ target: "azure" }, 'Unknown target "azure". Give one of aws, localstack'],
    [{ target: "localstack" }, "npm run localstack -- deploy"],
    [{ target: "localstack", database: "{" }, "is not JSON"],
    [{ target: "localstack", database: JSON.stringify({ ...database, endpoint: "here" }) }, "endpoint"],
  ])("the deployment target refuses the context %j and says what to do", (context, why) => {
    expect(() => deployTarget(contextOf(context), "Sluice-dev")).toThrow(why);
  });

  it("the deployment target refuses a database with the events of another stack, and accepts an update", () => {
    const [, target, , value = ""] = databaseContext({ database }, "Sluice-dev");
    const context = contextOf({
      target: target?.replace("target=", ""),
      database: value.replace("database=", ""),
    });

    expect(() => deployTarget(context, "Sluice-prod")).toThrow(
      /has the events of Sluice-dev, so Sluice-prod cannot use it.*npm run localstack -- up --data-dir/,
    );
    expect(deployTarget(context, "Sluice-dev")).toHaveProperty("database");
  });
});
