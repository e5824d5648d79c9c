import { describe, expect, it } from "vitest";
import { createResolver } from "../../../localstack/template/resolver.ts";
import type { Template } from "../../../localstack/template/template.ts";

const ENVIRONMENT = {
  stackName: "Stack",
  region: "us-east-1",
  accountId: "000000000000",
  sqsEndpoint: "http://127.0.0.1:9324",
};

const TEMPLATE: Template = {
  Conditions: {
    Yes: { "Fn::Equals": [{ Ref: "AWS::Region" }, "us-east-1"] },
    No: { "Fn::Equals": [{ Ref: "AWS::Region" }, "eu-west-1"] },
    Either: { "Fn::Or": [{ "Fn::Equals": [1, 2] }, { "Fn::Equals": [{ Ref: "AWS::Region" }, "us-east-1"] }] },
    Neither: { "Fn::Or": [{ "Fn::Equals": [1, 2] }, { "Fn::Equals": [{ Ref: "AWS::Region" }, "eu-west-1"] }] },
    Odd: { "Fn::Contains": [] },
  },
  Resources: {
    Named: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::Join": ["-", ["my", "queue"]] } } },
    Nameless: { Type: "AWS::SQS::Queue" },
    Function: { Type: "AWS::Lambda::Function", Properties: { FunctionName: "ingest" } },
    Version: { Type: "AWS::Lambda::Version", Properties: { FunctionName: { Ref: "Function" } } },
    VersionByArn: { Type: "AWS::Lambda::Version", Properties: { FunctionName: { "Fn::GetAtt": ["Function", "Arn"] } } },
    Api: { Type: "AWS::ApiGateway::RestApi" },
    Stage: { Type: "AWS::ApiGateway::Stage", Properties: { StageName: "v1" } },
    Cluster: { Type: "AWS::RDS::DBCluster", Properties: { DBClusterIdentifier: "Events" } },
    Rule: { Type: "AWS::Events::Rule", Properties: { Name: "daily" } },
    Topic: { Type: "AWS::SNS::Topic", Properties: { TopicName: "alarms" } },
    Subscription: { Type: "AWS::SNS::Subscription" },
    Hen: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::GetAtt": ["Egg", "QueueName"] } } },
    Egg: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::GetAtt": ["Hen", "QueueName"] } } },
    Absent: { Type: "AWS::SQS::Queue", Condition: "No" },
  },
};

const resolver = createResolver(TEMPLATE, ENVIRONMENT);
const resolve = (value: unknown) => resolver.resolve(value, "Here");

describe("an intrinsic function", () => {
  it.each([
    [{ Ref: "Function" }, "ingest"],
    [{ "Fn::Join": [":", ["a", { Ref: "Function" }, 1]] }, "a:ingest:1"],
    [
      { "Fn::Sub": "${Function}/${Named.QueueName}/${!Literal}/${AWS::Region}" },
      "ingest/my-queue/${Literal}/us-east-1",
    ],
    [{ "Fn::Sub": ["${Own}-${Function}", { Own: { Ref: "Rule" } }] }, "daily-ingest"],
    [{ "Fn::GetAtt": ["Named", "QueueName"] }, "my-queue"],
    [{ "Fn::Split": ["-", { "Fn::GetAtt": ["Named", "QueueName"] }] }, ["my", "queue"]],
    [{ "Fn::Select": [1, { "Fn::Split": ["-", "my-queue"] }] }, "queue"],
    [{ "Fn::Select": ["0", ["a", "b"]] }, "a"],
  ])("an intrinsic function %j is %j", (value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  it.each([
    [{ "Fn::Cidr": ["10.0.0.0/16", 1, 8] }, "Here: the intrinsic function Fn::Cidr is not known locally"],
    [{ "Fn::If": ["Yes", 1, 2] }, "the intrinsic function Fn::If is not known locally. Add it to intrinsics.ts"],
    [{ "Fn::Select": [2, ["a", "b"]] }, "Here.Fn::Select: there is no item 2 in a list of 2"],
    [{ "Fn::Join": ["", [{ a: 1 }]] }, 'expected text, found {"a":1}'],
    [{ a: [{ Ref: "Nobody" }] }, "Here.a[0].Ref: there is no resource Nobody"],
    [{ Ref: "constructor" }, "no resource constructor"],
    [{ Ref: "Subscription" }, "the Ref of Subscription (AWS::SNS::Subscription) is not known locally"],
    [{ "Fn::GetAtt": ["Named", "Color"] }, "the attribute Color of Named (AWS::SQS::Queue) is not known locally"],
    [{ "Fn::GetAtt": ["Named", "Color"] }, "known: Arn, QueueName"],
  ])("an intrinsic function %j is an error that says %j", (value, message) => {
    expect(() => resolve(value)).toThrow(message);
  });

  it("an intrinsic function is found at any depth, and an object with more keys is not one", () => {
    const value = { list: [{ deep: { Ref: "Rule" } }], plain: { Ref: "Rule", and: "more" } };

    expect(resolve(value)).toEqual({ list: [{ deep: "daily" }], plain: { Ref: "Rule", and: "more" } });
  });

  it("an intrinsic function leaves dynamic references as they are", () => {
    expect(resolve("{{resolve:secretsmanager:arn:SecretString:password}}")).toContain("{{resolve:");
  });
});

describe("a pseudo parameter", () => {
  it.each([
    ["AWS::AccountId", "000000000000"],
    ["AWS::Partition", "aws"],
    ["AWS::Region", "us-east-1"],
    ["AWS::StackName", "Stack"],
    ["AWS::URLSuffix", "amazonaws.com"],
  ])("a pseudo parameter %s is %s", (name, expected) => {
    expect(resolve({ Ref: name })).toBe(expected);
  });
});

describe("the id of the stack", () => {
  const idIn = (stackName: string) =>
    createResolver(TEMPLATE, { ...ENVIRONMENT, stackName }).resolve({ Ref: "AWS::StackId" }, "Here");

  it("the id of the stack is the same on every start, and another for another stack", () => {
    const arn = "arn:aws:cloudformation:us-east-1:000000000000:stack";

    expect(idIn("Stack")).toMatch(new RegExp(`^${arn}/Stack/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`));
    expect(idIn("Stack")).toBe(idIn("Stack"));
    expect(String(idIn("Other")).split("/")[2]).not.toBe(String(idIn("Stack")).split("/")[2]);
  });
});

describe("a condition", () => {
  it.each([
    ["Yes", true],
    ["No", false],
    ["Either", true],
    ["Neither", false],
  ])("a condition %s is %s", (name, expected) => {
    expect(resolver.condition(name, "Here")).toBe(expected);
  });

  it("a condition with an unknown function or name is an error", () => {
    expect(() => resolver.condition("Maybe", "Here")).toThrow("Here: there is no condition Maybe");
    expect(() => resolver.condition("Odd", "Here")).toThrow("Conditions.Odd: the condition function Fn::Contains");
  });

  it("a condition that is false takes its resource out", () => {
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
    ["VersionByArn", `${lambda}:1`],
    ["Stage", "v1"],
    ["Cluster", "events"],
    ["Rule", "daily"],
    ["Topic", "arn:aws:sns:us-east-1:000000000000:alarms"],
  ])("a resource %s has the Ref %s", (logicalId, expected) => {
    expect(resolve({ Ref: logicalId })).toBe(expected);
  });

  it.each([
    ["Named", "Arn", "arn:aws:sqs:us-east-1:000000000000:my-queue"],
    ["Named", "QueueName", "my-queue"],
    ["Function", "Arn", lambda],
    ["Cluster", "DBClusterArn", `${rds}:cluster:events`],
    ["Rule", "Arn", "arn:aws:events:us-east-1:000000000000:rule/daily"],
  ])("a resource %s has the attribute %s: %s", (logicalId, attribute, expected) => {
    expect(resolve({ "Fn::GetAtt": [logicalId, attribute] })).toBe(expected);
  });

  it.each([
    ["Cluster", "MasterUserSecret.SecretArn", /:secret:rds!events-[a-z0-9]{6}$/],
    ["Api", "RootResourceId", /^[a-z0-9]{10}$/],
  ])("a resource %s has the attribute %s like %s", (logicalId, attribute, expected) => {
    expect(resolve({ "Fn::GetAtt": [logicalId, attribute] })).toMatch(expected);
  });

  it("a resource without a name has the same generated one on every start", () => {
    const again = createResolver(TEMPLATE, ENVIRONMENT);
    const name = resolve({ "Fn::GetAtt": ["Nameless", "QueueName"] });

    expect(name).toMatch(/^Stack-Nameless-[A-Z0-9]{12}$/);
    expect(again.getAtt("Nameless", "QueueName", "Here")).toBe(name);
  });

  it("a resource has a generated name that AWS accepts, however long its logical id", () => {
    const LongId = "L".repeat(200);
    const long = createResolver(
      { Resources: { [LongId]: { Type: "AWS::SQS::Queue" }, [`${LongId}2`]: { Type: "AWS::Lambda::Function" } } },
      ENVIRONMENT,
    );

    expect(long.getAtt(LongId, "QueueName", "Here")).toHaveLength(80);
    expect(long.ref(`${LongId}2`, "Here")).toHaveLength(64);
  });

  it("a resource whose name depends on itself is an error that names the circle", () => {
    expect(() => resolve({ "Fn::GetAtt": ["Hen", "QueueName"] })).toThrow(
      "circular reference: Hen.QueueName → Egg.QueueName → Hen.QueueName",
    );
  });
});
