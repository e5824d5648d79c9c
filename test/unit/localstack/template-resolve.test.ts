import { describe, expect, it } from "vitest";
import { createResolver } from "../../../localstack/template/resolve.ts";
import { NO_VALUE, type Template } from "../../../localstack/template/template.ts";

const ENVIRONMENT = {
  stackName: "Stack",
  region: "us-east-1",
  accountId: "000000000000",
  sqsEndpoint: "http://127.0.0.1:9324",
};

const TEMPLATE: Template = {
  Parameters: { Given: { Type: "String" }, Default: { Type: "String", Default: "of parameter" } },
  Mappings: { Sizes: { prod: { memory: 1024 }, dev: { memory: 512 } } },
  Conditions: {
    Yes: { "Fn::Equals": [{ Ref: "AWS::Region" }, "us-east-1"] },
    No: { "Fn::Not": [{ Condition: "Yes" }] },
    Both: { "Fn::And": [{ Condition: "Yes" }, { Condition: "No" }] },
    Either: { "Fn::Or": [{ Condition: "No" }, { Condition: "Yes" }] },
    Endless: { "Fn::Not": [{ Condition: "Endless" }] },
    Odd: { "Fn::Contains": [] },
  },
  Resources: {
    Named: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::Join": ["-", ["my", "queue"]] } } },
    Nameless: { Type: "AWS::SQS::Queue" },
    Function: { Type: "AWS::Lambda::Function", Properties: { FunctionName: "ingest" } },
    Version: { Type: "AWS::Lambda::Version", Properties: { FunctionName: { Ref: "Function" } } },
    Alias: {
      Type: "AWS::Lambda::Alias",
      Properties: { FunctionName: { "Fn::GetAtt": ["Function", "Arn"] }, Name: "live" },
    },
    Api: { Type: "AWS::ApiGateway::RestApi" },
    Stage: { Type: "AWS::ApiGateway::Stage", Properties: { StageName: "v1" } },
    Cluster: { Type: "AWS::RDS::DBCluster", Properties: { DBClusterIdentifier: "Events" } },
    Secret: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "password" } },
    Logs: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: "/logs" } },
    Role: { Type: "AWS::IAM::Role", Properties: { RoleName: "role" } },
    Rule: { Type: "AWS::Events::Rule", Properties: { Name: "daily" } },
    Topic: { Type: "AWS::SNS::Topic", Properties: { TopicName: "alarms" } },
    Group: { Type: "AWS::EC2::SecurityGroup" },
    Hen: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::GetAtt": ["Egg", "QueueName"] } } },
    Egg: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::GetAtt": ["Hen", "QueueName"] } } },
    Absent: { Type: "AWS::SQS::Queue", Condition: "No" },
  },
};

const resolver = createResolver(TEMPLATE, { ...ENVIRONMENT, parameters: { Given: "given" } });
const resolve = (value: unknown) => resolver.resolve(value, "Here");

describe("an intrinsic function", () => {
  it.each([
    [{ Ref: "Given" }, "given"],
    [{ Ref: "Default" }, "of parameter"],
    [{ "Fn::Join": [":", ["a", { Ref: "Given" }, 1]] }, "a:given:1"],
    [{ "Fn::Sub": "${Given}/${Named.QueueName}/${!Literal}/${AWS::Region}" }, "given/my-queue/${Literal}/us-east-1"],
    [{ "Fn::Sub": ["${Own}-${Given}", { Own: { Ref: "Default" } }] }, "of parameter-given"],
    [{ "Fn::Select": ["1", ["a", "b"]] }, "b"],
    [{ "Fn::Split": ["/", "a/b"] }, ["a", "b"]],
    [{ "Fn::Select": [2, { "Fn::Split": [":", { "Fn::GetAtt": ["Named", "Arn"] }] }] }, "sqs"],
    [{ "Fn::If": ["Yes", "then", "else"] }, "then"],
    [{ "Fn::If": ["No", { Ref: "NoSuchThing" }, "else"] }, "else"],
    [{ "Fn::FindInMap": ["Sizes", "dev", "memory"] }, 512],
    [{ "Fn::Base64": "é" }, "w6k="],
    [{ "Fn::GetAZs": "" }, ["us-east-1a", "us-east-1b", "us-east-1c"]],
    [{ "Fn::GetAtt": "Named.QueueName" }, "my-queue"],
  ])("%j is %j", (value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  it.each([
    [{ "Fn::Cidr": ["10.0.0.0/16", 1, 8] }, "Here: the intrinsic function Fn::Cidr is not known locally"],
    [{ "Fn::ImportValue": "Other" }, "exported by another stack"],
    [{ "Fn::Select": [2, ["a"]] }, "Here.Fn::Select: index 2 is outside a list of 1"],
    [{ "Fn::FindInMap": ["Sizes", "test", "memory"] }, "nothing under Sizes.test.memory"],
    [{ "Fn::Join": ["", [{ a: 1 }]] }, 'expected text, found {"a":1}'],
    [{ "Fn::If": ["Maybe", 1, 2] }, "there is no condition Maybe"],
    [{ a: [{ Ref: "Nobody" }] }, "Here.a[0].Ref: there is no resource or parameter Nobody"],
    [{ Ref: "constructor" }, "no resource or parameter constructor"],
    [{ "Fn::GetAtt": ["Named", "Color"] }, "the attribute Color of Named (AWS::SQS::Queue) is not known locally"],
    [{ "Fn::GetAtt": ["Named", "Color"] }, "known: Arn, QueueName, QueueUrl"],
  ])("%j is an error that says %j", (value, message) => {
    expect(() => resolve(value)).toThrow(message);
  });

  it("is found at any depth, and an object with more keys is not one", () => {
    const value = { list: [{ deep: { Ref: "Given" } }], plain: { Ref: "Given", and: "more" } };

    expect(resolve(value)).toEqual({ list: [{ deep: "given" }], plain: { Ref: "Given", and: "more" } });
  });

  it("leaves dynamic references as they are", () => {
    expect(resolve("{{resolve:secretsmanager:arn:SecretString:password}}")).toContain("{{resolve:");
  });
});

describe("AWS::NoValue", () => {
  it("removes its key or list item", () => {
    const none = { Ref: "AWS::NoValue" };

    expect(resolve({ a: none, b: { "Fn::If": ["No", 1, none] }, c: [1, none, 2] })).toEqual({ c: [1, 2] });
    expect(resolve(none)).toBe(NO_VALUE);
  });
});

describe("a pseudo parameter", () => {
  it.each([
    ["AWS::AccountId", "000000000000"],
    ["AWS::Partition", "aws"],
    ["AWS::Region", "us-east-1"],
    ["AWS::StackName", "Stack"],
    ["AWS::URLSuffix", "amazonaws.com"],
    ["AWS::StackId", "arn:aws:cloudformation:us-east-1:000000000000:stack/Stack/00000000-0000-0000-0000-000000000000"],
  ])("%s is %s", (name, expected) => {
    expect(resolve({ Ref: name })).toBe(expected);
  });
});

describe("a parameter", () => {
  it("without a value and a default is an error that names it", () => {
    const bare = createResolver(TEMPLATE, ENVIRONMENT);

    expect(() => bare.resolve({ Ref: "Given" }, "Here")).toThrow("the parameter Given has no default and no value");
  });
});

describe("a condition", () => {
  it.each([
    ["Yes", true],
    ["No", false],
    ["Both", false],
    ["Either", true],
  ])("%s is %s", (name, expected) => {
    expect(resolver.condition(name, "Here")).toBe(expected);
  });

  it("that depends on itself is an error that names the circle", () => {
    expect(() => resolver.condition("Endless", "Here")).toThrow("condition Endless → condition Endless");
  });

  it("with an unknown function is an error", () => {
    expect(() => resolver.condition("Odd", "Here")).toThrow("Conditions.Odd: the condition function Fn::Contains");
  });

  it("that is false takes its resource out", () => {
    expect(Object.keys(resolver.resources)).toContain("Named");
    expect(Object.keys(resolver.resources)).not.toContain("Absent");
  });
});

describe("a resource", () => {
  const lambda = "arn:aws:lambda:us-east-1:000000000000:function:ingest";
  const rds = "arn:aws:rds:us-east-1:000000000000";

  it.each([
    ["Named", "http://127.0.0.1:9324/000000000000/my-queue"],
    ["Function", "ingest"],
    ["Version", `${lambda}:1`],
    ["Alias", `${lambda}:live`],
    ["Stage", "v1"],
    ["Cluster", "events"],
    ["Logs", "/logs"],
    ["Role", "role"],
    ["Rule", "daily"],
    ["Topic", "arn:aws:sns:us-east-1:000000000000:alarms"],
  ])("%s has the Ref %s", (logicalId, expected) => {
    expect(resolve({ Ref: logicalId })).toBe(expected);
  });

  it.each([
    ["Named", "Arn", "arn:aws:sqs:us-east-1:000000000000:my-queue"],
    ["Named", "QueueName", "my-queue"],
    ["Function", "Arn", lambda],
    ["Version", "Version", "1"],
    ["Cluster", "DBClusterArn", `${rds}:cluster:events`],
    ["Cluster", "Endpoint.Port", "5432"],
    ["Logs", "Arn", "arn:aws:logs:us-east-1:000000000000:log-group:/logs:*"],
    ["Role", "Arn", "arn:aws:iam::000000000000:role/role"],
    ["Rule", "Arn", "arn:aws:events:us-east-1:000000000000:rule/daily"],
  ])("%s has the attribute %s: %s", (logicalId, attribute, expected) => {
    expect(resolve({ "Fn::GetAtt": [logicalId, attribute] })).toBe(expected);
  });

  it.each([
    ["Secret", "Id", /^arn:aws:secretsmanager:us-east-1:000000000000:secret:password-[a-z0-9]{6}$/],
    ["Cluster", "MasterUserSecret.SecretArn", /:secret:rds!events-[a-z0-9]{6}$/],
    ["Cluster", "Endpoint.Address", /^events\.cluster-[a-z0-9]{10}\.us-east-1\.rds\.amazonaws\.com$/],
    ["Cluster", "ReadEndpoint.Address", /^events\.cluster-ro-[a-z0-9]{10}\.us-east-1\.rds\.amazonaws\.com$/],
    ["Api", "RootResourceId", /^[a-z0-9]{10}$/],
    ["Group", "GroupId", /^sg-[0-9a-f]{17}$/],
  ])("%s has the attribute %s like %s", (logicalId, attribute, expected) => {
    expect(resolve({ "Fn::GetAtt": [logicalId, attribute] })).toMatch(expected);
  });

  it("without a name has the same generated one on every start", () => {
    const again = createResolver(TEMPLATE, ENVIRONMENT);
    const name = resolve({ "Fn::GetAtt": ["Nameless", "QueueName"] });

    expect(name).toMatch(/^Stack-Nameless-[A-Z0-9]{12}$/);
    expect(again.getAtt("Nameless", "QueueName", "Here")).toBe(name);
  });

  it("has a generated name that AWS would take, however long its logical id", () => {
    const LongId = "L".repeat(200);
    const long = createResolver(
      { Resources: { [LongId]: { Type: "AWS::SQS::Queue" }, [`${LongId}2`]: { Type: "AWS::Lambda::Function" } } },
      ENVIRONMENT,
    );

    expect(long.getAtt(LongId, "QueueName", "Here")).toHaveLength(80);
    expect(long.ref(`${LongId}2`, "Here")).toHaveLength(64);
  });

  it("whose name depends on itself is an error that names the circle", () => {
    expect(() => resolve({ "Fn::GetAtt": ["Hen", "QueueName"] })).toThrow(
      "circular reference: Hen.QueueName → Egg.QueueName → Hen.QueueName",
    );
  });
});
