import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { stageConfig } from "../../lib/stage-config.ts";
import { templateOf } from "./support.ts";

type Resource = {
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
};
type Statement = { Action: string | string[]; Effect: string; Resource: unknown };

let dev: Template;
let prod: Template;
beforeAll(() => {
  dev = templateOf("dev");
  prod = templateOf("prod");
});

const all = (type: string, from: Template) => Object.entries(from.findResources(type)) as [string, Resource][];
const tables = (from: Template) => all("AWS::DynamoDB::Table", from);
const keySecret = (from: Template) =>
  all("AWS::SecretsManager::Secret", from).find(([id]) => id.startsWith("AccessKeySecret"));

const five = <Each>(each: Each): Each[] => [each, each, each, each, each];

/** The name of a construct, without the hash of its path. */
const nameOf = (id: string) => id.replace(/[0-9A-F]{8}$/, "");

/** The resources of access that a statement names, as the constructs' names with what follows them in an ARN. */
function resourcesOf({ Resource: resource }: Statement): string[] {
  return [resource].flat().flatMap((each) => {
    const text = JSON.stringify(each);
    const [, id = "", rest = ""] = /"(Access\w+)"(?:,"Arn"\]\},"([^"]+)")?/.exec(text) ?? [];
    return id === "" ? [] : [`${nameOf(id)}${rest}`];
  });
}

/** Every right about tables and about the secret of the keys, by the role that has it. */
function rights(from: Template): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [, { Properties }] of all("AWS::IAM::Policy", from)) {
    const { Statement: statements } = Properties["PolicyDocument"] as { Statement: Statement[] };
    const [role = ""] = (Properties["Roles"] as { Ref: string }[]).map(({ Ref }) => Ref);
    for (const statement of statements) {
      const actions = [statement.Action].flat().filter((action) => /^(dynamodb|secretsmanager):/.test(action));
      for (const resource of resourcesOf(statement))
        for (const action of actions) (found[nameOf(role)] ??= []).push(`${action} ${resource}`);
    }
  }
  return Object.fromEntries(Object.entries(found).map(([role, actions]) => [role, actions.toSorted()]));
}

const KEY_CHECK = [
  "dynamodb:GetItem AccessKeys",
  "dynamodb:GetItem AccessUsage",
  "dynamodb:UpdateItem AccessUsage",
  "secretsmanager:GetSecretValue AccessKeySecret",
];

describe("the tables of access", () => {
  it("the tables are on demand, encrypted and can be brought back to any second of the last 35 days", () => {
    expect(tables(dev).map(([id]) => nameOf(id))).toEqual([
      "AccessKeys",
      "AccessUsage",
      "AccessAudit",
      "StatusTableItems",
      "ExportJobs",
    ]);
    for (const [id, { Properties }] of tables(dev)) {
      expect(Properties, id).toMatchObject({
        BillingMode: "PAY_PER_REQUEST",
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      });
      // DynamoDB encrypts every table; without a specification with its own key, which costs nothing.
      expect<unknown>(Properties["SSESpecification"] ?? { SSEEnabled: false }, id).toEqual({ SSEEnabled: false });
      expect(Properties["TableName"], id).toBeUndefined();
    }
  });

  it("the tables have the keys that the adapters use, and ended keys and the last use expire", () => {
    const key = (...names: string[]) =>
      names.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? "HASH" : "RANGE" }));

    expect(tables(dev).map(([, { Properties }]) => Properties)).toMatchObject([
      {
        KeySchema: key("pk"),
        GlobalSecondaryIndexes: [
          { IndexName: "listing", KeySchema: key("kind", "sort"), Projection: { ProjectionType: "ALL" } },
        ],
        TimeToLiveSpecification: { AttributeName: "expires", Enabled: true },
      },
      { KeySchema: key("pk"), TimeToLiveSpecification: { AttributeName: "expires", Enabled: true } },
      {
        KeySchema: key("tenant", "number"),
        AttributeDefinitions: expect.arrayContaining([{ AttributeName: "number", AttributeType: "N" }]),
      },
      { KeySchema: key("pk", "sk"), TimeToLiveSpecification: { AttributeName: "expires", Enabled: true } },
      { KeySchema: key("tenant", "id"), TimeToLiveSpecification: { AttributeName: "expires", Enabled: true } },
    ]);
    expect(tables(dev).map(([, { Properties }]) => Properties["TimeToLiveSpecification"] !== undefined)).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
  });

  it("the tables and the secret of the keys are deleted with dev, and kept and protected in prod", () => {
    const kept = (from: Template) => [
      ...tables(from).map(([, { DeletionPolicy, UpdateReplacePolicy, Properties }]) => [
        DeletionPolicy,
        UpdateReplacePolicy,
        Properties["DeletionProtectionEnabled"],
      ]),
      [keySecret(from)?.[1].DeletionPolicy, keySecret(from)?.[1].UpdateReplacePolicy],
    ];

    expect(kept(dev)).toEqual([...five(["Delete", "Delete", false]), ["Delete", "Delete"]]);
    expect(kept(prod)).toEqual([...five(["Retain", "Retain", true]), ["Retain", "Retain"]]);
  });

  it("the tables are kept or not as the stage says, apart from the protection", () => {
    const mixed = templateOf({ ...stageConfig("prod"), accessRemovalPolicy: "destroy" as never });

    expect(tables(mixed).map(([, { DeletionPolicy }]) => DeletionPolicy)).toEqual(five("Delete"));
  });
});

describe("the secret of the keys", () => {
  it("the secret has 64 characters that AWS draws, and is in no template and no output", () => {
    expect(keySecret(dev)?.[1].Properties).toMatchObject({
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
    });
    expect(keySecret(dev)?.[1].Properties["SecretString"]).toBeUndefined();
    expect(JSON.stringify(dev.findOutputs("*"))).not.toContain("AccessKeySecret");
  });
});

describe("the rights about keys", () => {
  it("the rights of access are exact: nothing deletes an item, scans a table or changes a part of an entry", () => {
    expect(rights(dev)["AccessFunctionRole"]).toEqual(
      [
        ...KEY_CHECK,
        "dynamodb:PutItem AccessKeys",
        "dynamodb:UpdateItem AccessKeys",
        "dynamodb:Query AccessKeys/index/listing",
        "dynamodb:BatchGetItem AccessUsage",
        "dynamodb:GetItem AccessAudit",
        "dynamodb:PutItem AccessAudit",
        "dynamodb:Query AccessAudit",
      ].toSorted(),
    );
  });

  it("the rights of export, replay, retain and notify are those of a check of keys and of the audit log, which has each job", () => {
    const audit = ["GetItem", "PutItem", "Query"].map((call) => `dynamodb:${call} AccessAudit`);

    expect(rights(dev)["ExportFunctionRole"]).toEqual([...KEY_CHECK, ...audit].toSorted());
    expect(rights(dev)["ReplayFunctionRole"]).toEqual([...KEY_CHECK, ...audit].toSorted());
    expect(rights(dev)["RetainFunctionRole"]).toEqual([...KEY_CHECK, ...audit].toSorted());
    // It reads and sets the mark of subscriptions in the table of usage, which checks of keys write as well.
    expect(rights(dev)["NotifyFunctionRole"]).toEqual([...KEY_CHECK, ...audit].toSorted());
  });

  it("the rights of console are those of a check of keys and of the audit log, and it writes codes and sessions, no key or tenant", () => {
    const written = ["dynamodb:DeleteItem AccessKeys", "dynamodb:PutItem AccessKeys"];
    const audit = ["GetItem", "PutItem", "Query"].map((call) => `dynamodb:${call} AccessAudit`);
    expect(rights(dev)["ConsoleFunctionRole"]).toEqual([...KEY_CHECK, ...written, ...audit].toSorted());

    const policies = all("AWS::IAM::Policy", dev).filter(([id]) => id.startsWith("ConsoleFunction"));
    const statements = policies.flatMap(
      ([, { Properties }]) => (Properties["PolicyDocument"] as { Statement: Statement[] }).Statement,
    );
    const writing = statements.filter(
      (each) =>
        resourcesOf(each).includes("AccessKeys") &&
        [each.Action].flat().some((action) => /(Put|Delete|Update)Item/.test(action)),
    );
    expect(writing).toMatchObject([
      { Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["code#*", "session#*"] } } },
    ]);
  });

  it("the rights of every other function are those of a check of keys, and of no audit log", () => {
    const {
      AccessFunctionRole: _own,
      ExportFunctionRole: _export,
      ReplayFunctionRole: _replay,
      NotifyFunctionRole: _notify,
      ConsoleFunctionRole: _console,
      RetainFunctionRole: _retain,
      ConsumeFunctionRole: consume,
      ...others
    } = rights(dev);

    for (const [role, actions] of Object.entries(others)) expect(actions, role).toEqual(KEY_CHECK);
    expect(consume).toEqual(["dynamodb:UpdateItem AccessUsage"]);
  });

  it("the consumer may change the mark of stored events in the table of limits, and no other item", () => {
    const policies = all("AWS::IAM::Policy", dev).filter(([id]) => id.startsWith("ConsumeFunction"));
    const statements = policies.flatMap(
      ([, { Properties }]) =>
        (Properties["PolicyDocument"] as { Statement: (Statement & { Condition?: unknown })[] }).Statement,
    );

    expect(statements.filter(({ Action: action }) => action === "dynamodb:UpdateItem")).toMatchObject([
      { Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["stored"] } } },
    ]);
  });
});

describe("the first key", () => {
  it("the first key is made by the function that an output names", () => {
    const [{ Value: value }] = Object.values(dev.findOutputs("AccessFunctionName")) as [{ Value: { Ref: string } }];

    expect(value.Ref).toMatch(/^AccessFunction/);
    // API Gateway alone may invoke it; anybody else needs a right of their own.
    const permissions = all("AWS::Lambda::Permission", dev).filter(([, { Properties }]) =>
      JSON.stringify(Properties["FunctionName"]).includes("AccessFunction"),
    );
    expect(permissions.map(([, { Properties }]) => Properties["Principal"])).toEqual(["apigateway.amazonaws.com"]);
  });
});
