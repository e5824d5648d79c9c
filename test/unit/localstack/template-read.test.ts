import { describe, expect, it } from "vitest";
import { readStack } from "../../../localstack/template/read-stack.ts";
import type { Resource, Template } from "../../../localstack/template/template.ts";

const LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function";
const invocationUri = (logicalId: string) => ({
  "Fn::Join": [
    "",
    [
      "arn:",
      { Ref: "AWS::Partition" },
      ":apigateway:us-east-1:lambda:path/2015-03-31/functions/",
      { "Fn::GetAtt": [logicalId, "Arn"] },
      "/invocations",
    ],
  ],
});

/** The smallest stack that runs: one function behind one route, one queue, one cluster. */
function resources(): Record<string, Resource & { Properties: Record<string, unknown> }> {
  return {
    Consume: {
      Type: "AWS::Lambda::Function",
      Properties: {
        FunctionName: "consume",
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Code: { S3Bucket: "assets", S3Key: "abc.zip" },
      },
    },
    Dead: { Type: "AWS::SQS::Queue", Properties: { QueueName: "dead" } },
    Events: { Type: "AWS::SQS::Queue", Properties: { QueueName: "events" } },
    Mapping: {
      Type: "AWS::Lambda::EventSourceMapping",
      Properties: { EventSourceArn: { "Fn::GetAtt": ["Events", "Arn"] }, FunctionName: { Ref: "Consume" } },
    },
    Api: { Type: "AWS::ApiGateway::RestApi", Properties: { Name: "api" } },
    Stage: { Type: "AWS::ApiGateway::Stage", Properties: { StageName: "v1", RestApiId: { Ref: "Api" } } },
    Resource: {
      Type: "AWS::ApiGateway::Resource",
      Properties: {
        ParentId: { "Fn::GetAtt": ["Api", "RootResourceId"] },
        PathPart: "events",
        RestApiId: { Ref: "Api" },
      },
    },
    Method: {
      Type: "AWS::ApiGateway::Method",
      Properties: {
        HttpMethod: "POST",
        ResourceId: { Ref: "Resource" },
        RestApiId: { Ref: "Api" },
        AuthorizationType: "NONE",
        Integration: { Type: "AWS_PROXY", IntegrationHttpMethod: "POST", Uri: invocationUri("Consume") },
      },
    },
    Response: {
      Type: "AWS::ApiGateway::GatewayResponse",
      Properties: {
        ResponseType: "THROTTLED",
        RestApiId: { Ref: "Api" },
        StatusCode: "429",
        ResponseParameters: { "gatewayresponse.header.Retry-After": "'5'" },
        ResponseTemplates: { "application/json": '{"code":"throttled"}' },
      },
    },
    Rule: {
      Type: "AWS::Events::Rule",
      Properties: {
        Name: "daily",
        ScheduleExpression: "rate(1 day)",
        State: "ENABLED",
        Targets: [{ Id: "Target0", Arn: { "Fn::GetAtt": ["Consume", "Arn"] } }],
      },
    },
    Cluster: {
      Type: "AWS::RDS::DBCluster",
      Properties: {
        DBClusterIdentifier: "events",
        DatabaseName: "sluice",
        Engine: "aurora-postgresql",
        EnableHttpEndpoint: true,
        ManageMasterUserPassword: true,
        BackupRetentionPeriod: 7,
      },
    },
  };
}

type Resources = ReturnType<typeof resources>;

/** The smallest stack after a change to it. */
function read(change: (all: Resources) => unknown = () => undefined, outputs: Template["Outputs"] = {}) {
  const all = resources();
  change(all);
  return readStack(
    {
      stackName: "Stack",
      template: { Resources: all, Outputs: outputs, Conditions: { Never: { "Fn::Equals": [1, 2] } } },
      assetPath: (hash) => `/assets/${hash}`,
    },
    { sqsEndpoint: "http://127.0.0.1:9324" },
  );
}

/** The smallest stack with other properties of one resource. */
const withProperties = (logicalId: string, properties: Record<string, unknown>) =>
  read((all) => Object.assign(all[logicalId]?.Properties ?? {}, properties));

describe("a function", () => {
  it("a function has Lambda's own settings where the template gives none", () => {
    expect(read().functions).toEqual([
      {
        logicalId: "Consume",
        name: "consume",
        arn: `${LAMBDA}:consume`,
        handler: "index.handler",
        assetPath: "/assets/abc",
        timeoutSeconds: 3,
        memoryMegabytes: 128,
        environment: {},
        reservedConcurrency: undefined,
        metricFilters: [],
      },
    ]);
  });

  it("a function has the settings of the template, with its environment resolved to texts", () => {
    const { functions } = withProperties("Consume", {
      Timeout: 60,
      MemorySize: 512,
      ReservedConcurrentExecutions: 5,
      Environment: { Variables: { QUEUE_URL: { Ref: "Events" }, LIMIT: 10 } },
    });

    expect(functions[0]).toMatchObject({ timeoutSeconds: 60, memoryMegabytes: 512, reservedConcurrency: 5 });
    expect(functions[0]?.environment).toEqual({
      QUEUE_URL: "http://127.0.0.1:9324/000000000000/events",
      LIMIT: "10",
    });
  });

  it("a function that only provides a custom resource is not run", () => {
    const { functions } = read((all) => {
      all["Provider"] = {
        ...resources()["Consume"],
        Type: "AWS::Lambda::Function",
        Properties: { Runtime: "python3" },
      };
      all["Trigger"] = {
        Type: "Custom::Trigger",
        Properties: { ServiceToken: { "Fn::GetAtt": ["Provider", "Arn"] }, HandlerArn: `${LAMBDA}:consume:1` },
      };
    });

    expect(functions.map(({ logicalId }) => logicalId)).toEqual(["Consume"]);
  });

  it.each([
    ["a container image", { PackageType: "Image" }, "PackageType: container images do not run locally"],
    ["another language", { Runtime: "python3.13" }, "python3.13 does not run locally"],
    ["code in the template", { Code: { ZipFile: "x" } }, "Consume.Properties.Code.ZipFile is not supported"],
    ["layers", { Layers: ["arn"] }, "Consume.Properties.Layers is not supported by the local stack"],
    ["a timeout that is no number", { Timeout: "soon" }, 'Timeout: expected a number, found "soon"'],
  ])("a function with %s is an error", (_, properties, message) => {
    expect(() => withProperties("Consume", properties)).toThrow(message);
  });
});

describe("a queue", () => {
  it("a queue has SQS's own attributes where the template gives none", () => {
    expect(read().queues[1]).toEqual({
      logicalId: "Events",
      name: "events",
      arn: "arn:aws:sqs:us-east-1:000000000000:events",
      visibilityTimeoutSeconds: 30,
      messageRetentionSeconds: 345_600,
      maximumMessageSizeBytes: undefined,
      receiveWaitSeconds: 0,
      delaySeconds: 0,
      redrive: undefined,
    });
  });

  it("a queue has the attributes of the template", () => {
    const { queues } = withProperties("Events", {
      VisibilityTimeout: 370,
      MessageRetentionPeriod: 60,
      MaximumMessageSize: 2048,
      ReceiveMessageWaitTimeSeconds: 20,
      DelaySeconds: 5,
      RedrivePolicy: { deadLetterTargetArn: { "Fn::GetAtt": ["Dead", "Arn"] }, maxReceiveCount: 100 },
    });

    expect(queues[1]).toMatchObject({
      visibilityTimeoutSeconds: 370,
      messageRetentionSeconds: 60,
      maximumMessageSizeBytes: 2048,
      receiveWaitSeconds: 20,
      delaySeconds: 5,
      redrive: { deadLetterArn: "arn:aws:sqs:us-east-1:000000000000:dead", maxReceiveCount: 100 },
    });
  });

  it.each([
    ["FIFO", { FifoQueue: true }, "FIFO queues do not run locally"],
    [
      "deduplication",
      { ContentBasedDeduplication: true },
      "Events.Properties.ContentBasedDeduplication is not supported",
    ],
    [
      "dead letters of another stack",
      { RedrivePolicy: { deadLetterTargetArn: "arn:aws:sqs:us-east-1:1:other", maxReceiveCount: 1 } },
      "arn:aws:sqs:us-east-1:1:other is not a queue of this stack",
    ],
  ])("a queue with %s is an error", (_, properties, message) => {
    expect(() => withProperties("Events", properties)).toThrow(message);
  });
});

describe("the API", () => {
  it("the API has its routes, stage and gateway responses", () => {
    const { api } = read((all) => {
      all["Item"] = {
        Type: "AWS::ApiGateway::Resource",
        Properties: { ParentId: { Ref: "Resource" }, PathPart: "{id}", RestApiId: { Ref: "Api" } },
      };
      all["Get"] = { Type: "AWS::ApiGateway::Method", Properties: { ...all["Method"]?.Properties } };
      Object.assign(all["Get"].Properties, { HttpMethod: "get", ResourceId: { Ref: "Item" } });
      all["Root"] = { Type: "AWS::ApiGateway::Method", Properties: { ...all["Method"]?.Properties } };
      Object.assign(all["Root"].Properties, {
        HttpMethod: "ANY",
        ResourceId: { "Fn::GetAtt": ["Api", "RootResourceId"] },
      });
    });

    expect(api).toMatchObject({ name: "api", stageName: "v1", binaryMediaTypes: [] });
    expect(api.routes).toEqual([
      { method: "POST", path: "/events", functionArn: `${LAMBDA}:consume` },
      { method: "GET", path: "/events/{id}", functionArn: `${LAMBDA}:consume` },
      { method: "ANY", path: "/", functionArn: `${LAMBDA}:consume` },
    ]);
    expect(api.gatewayResponses).toEqual([
      {
        type: "THROTTLED",
        statusCode: 429,
        headers: { "Retry-After": "5" },
        templates: { "application/json": '{"code":"throttled"}' },
      },
    ]);
  });

  it.each([
    ["an integration that is no proxy", { Integration: { Type: "MOCK" } }, "only AWS_PROXY runs locally, not MOCK"],
    ["no integration", { Integration: undefined }, "only AWS_PROXY runs locally"],
    ["an API key", { ApiKeyRequired: true }, "authorizers and API keys do not run locally"],
    ["an authorizer", { AuthorizationType: "AWS_IAM" }, "authorizers and API keys do not run locally"],
    ["a request validator", { RequestValidatorId: "x" }, "Method.Properties.RequestValidatorId is not supported"],
    [
      "another timeout",
      { Integration: { Type: "AWS_PROXY", Uri: invocationUri("Consume"), TimeoutInMillis: 5000 } },
      "a timeout of 29000 ms",
    ],
    [
      "a function of another stack",
      { Integration: { Type: "AWS_PROXY", Uri: "arn:aws:apigateway:x/functions/arn:aws:lambda:other/invocations" } },
      "arn:aws:lambda:other is not a function of this stack",
    ],
  ])("the API with a method that has %s is an error", (_, properties, message) => {
    expect(() => withProperties("Method", properties)).toThrow(message);
  });

  it("the API with a gateway response header copied from the request is an error", () => {
    const ResponseParameters = { "gatewayresponse.header.Origin": "method.request.header.Origin" };

    expect(() => withProperties("Response", { ResponseParameters })).toThrow("not a header with a literal in quotes");
  });

  it.each([
    ["a cache", { CacheClusterEnabled: true }, "responses are not cached locally"],
    ["stage variables", { Variables: { a: "b" } }, "Stage.Properties.Variables is not supported"],
  ])("the API with a stage that has %s is an error", (_, properties, message) => {
    expect(() => withProperties("Stage", properties)).toThrow(message);
  });

  it("a template without an API, or with two, is an error", () => {
    expect(() => read((all) => delete all["Api"])).toThrow("has no AWS::ApiGateway::RestApi");
    expect(() => read((all) => (all["Api2"] = { Type: "AWS::ApiGateway::RestApi", Properties: {} }))).toThrow(
      "several AWS::ApiGateway::RestApi (Api, Api2)",
    );
  });
});

describe("an event source", () => {
  it("an event source has Lambda's own settings where the template gives none", () => {
    expect(read().eventSources).toEqual([
      {
        queueArn: "arn:aws:sqs:us-east-1:000000000000:events",
        functionArn: `${LAMBDA}:consume`,
        batchSize: 10,
        windowSeconds: 0,
        maximumConcurrency: undefined,
        reportBatchItemFailures: false,
      },
    ]);
  });

  it("an event source has the settings of the template", () => {
    const { eventSources } = withProperties("Mapping", {
      BatchSize: 1000,
      MaximumBatchingWindowInSeconds: 1,
      ScalingConfig: { MaximumConcurrency: 5 },
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });

    expect(eventSources[0]).toMatchObject({
      batchSize: 1000,
      windowSeconds: 1,
      maximumConcurrency: 5,
      reportBatchItemFailures: true,
    });
  });

  it("an event source that is switched off is left out", () => {
    expect(withProperties("Mapping", { Enabled: false }).eventSources).toEqual([]);
  });

  it.each([
    ["a filter", { FilterCriteria: { Filters: [] } }, "Mapping.Properties.FilterCriteria is not supported"],
    ["a stream", { EventSourceArn: "arn:aws:kinesis:x" }, "arn:aws:kinesis:x is not a queue of this stack"],
    ["an unknown function", { FunctionName: "other" }, "Mapping.Properties.FunctionName: other is not a function"],
  ])("an event source with %s is an error", (_, properties, message) => {
    expect(() => withProperties("Mapping", properties)).toThrow(message);
  });
});

describe("a schedule", () => {
  it("a schedule is one for each target of a rule", () => {
    const target = { Id: "x", Arn: { "Fn::GetAtt": ["Consume", "Arn"] } };

    expect(withProperties("Rule", { Targets: [target, { ...target, Input: '{"a":1}' }] }).schedules).toEqual(
      [undefined, '{"a":1}'].map((input) => ({
        name: "daily",
        arn: "arn:aws:events:us-east-1:000000000000:rule/daily",
        expression: "rate(1 day)",
        functionArn: `${LAMBDA}:consume`,
        input,
      })),
    );
  });

  it("a schedule that is switched off is left out", () => {
    expect(withProperties("Rule", { State: "DISABLED" }).schedules).toEqual([]);
  });

  it.each([
    ["an event pattern", { EventPattern: {} }, "Rule.Properties.EventPattern is not supported"],
    ["an input transformer", { Targets: [{ Arn: "x", InputTransformer: {} }] }, "InputTransformer is not supported"],
    ["a target that is no function", { Targets: [{ Arn: "arn:aws:sqs:x" }] }, "arn:aws:sqs:x is not a function"],
  ])("a schedule with %s is an error", (_, properties, message) => {
    expect(() => withProperties("Rule", properties)).toThrow(message);
  });
});

describe("a trigger", () => {
  const trigger = (properties: Record<string, unknown>, dependsOn: string[] = []) => ({
    Type: "Custom::Trigger",
    DependsOn: dependsOn,
    Properties: { ServiceToken: "arn:provider", HandlerArn: `${LAMBDA}:consume:1`, ...properties },
  });

  it("a trigger runs after those it depends on, also through other resources", () => {
    const { triggers } = read((all) => {
      all["Last"] = trigger({}, ["Between"]);
      all["Between"] = { Type: "AWS::IAM::Role", DependsOn: "First", Properties: {} };
      all["First"] = trigger({ Timeout: "300000" });
    });

    expect(triggers).toEqual([
      { name: "First", functionArn: `${LAMBDA}:consume`, timeoutSeconds: 300 },
      { name: "Last", functionArn: `${LAMBDA}:consume`, timeoutSeconds: 120 },
    ]);
  });

  it("a trigger that does not wait for its function is an error", () => {
    const asynchronous = trigger({ InvocationType: "Event" });

    expect(() => read((all) => (all["Trigger"] = asynchronous))).toThrow("only RequestResponse runs locally");
  });
});

describe("the database", () => {
  it("the database is the cluster with its managed secret", () => {
    expect(read().database).toEqual({
      clusterArn: "arn:aws:rds:us-east-1:000000000000:cluster:events",
      secretArn: expect.stringContaining("secret:rds!events-"),
      databaseName: "sluice",
    });
  });

  it.each([
    ["another engine", { Engine: "aurora-mysql" }, "only aurora-postgresql runs locally"],
    ["no Data API", { EnableHttpEndpoint: false }, "must be true: the Data API is off"],
    ["a password of its own", { ManageMasterUserPassword: false }, "the managed secret only"],
  ])("the database with %s is an error", (_, properties, message) => {
    expect(() => withProperties("Cluster", properties)).toThrow(message);
  });

  it("the database of a stack whose cluster is outside has the names in the functions' variables", () => {
    const names = { clusterArn: "arn:aws:rds:cluster", secretArn: "arn:aws:secret", databaseName: "elsewhere" };
    const { clusterArn, secretArn, databaseName } = names;
    const variables = { CLUSTER_ARN: clusterArn, SECRET_ARN: secretArn, DATABASE_NAME: databaseName };
    const writer = { ...variables, SECRET_ARN: "arn:aws:writer" };
    const owner = { ...variables, WRITER_SECRET_ARN: "arn:aws:writer" };

    const { database } = read((all) => {
      delete all["Cluster"];
      const consume = all["Consume"] ?? { Type: "", Properties: {} };
      const functionWith = (Variables: object) => ({
        ...consume,
        Properties: { ...consume.Properties, Environment: { Variables } },
      });
      Object.assign(all, { Consume: functionWith(writer), Migrate: functionWith(owner) });
    });

    expect(database).toEqual(names);
  });

  it("a template without a database cluster is an error", () => {
    expect(() => read((all) => delete all["Cluster"])).toThrow("has 0 AWS::RDS::DBCluster");
  });
});

describe("the outputs", () => {
  it("the outputs have their export name, or their key", () => {
    const { outputs } = read(undefined, {
      ApiUrl: { Value: { "Fn::Sub": "https://${Api}/" }, Export: { Name: { "Fn::Sub": "${AWS::StackName}-url" } } },
      QueueUrl: { Value: { Ref: "Events" } },
      Absent: { Value: "x", Condition: "Never" },
    });

    expect(outputs).toEqual({
      "Stack-url": expect.stringMatching(/^https:\/\/[a-z0-9]{10}\/$/),
      QueueUrl: "http://127.0.0.1:9324/000000000000/events",
    });
  });
});

describe("a resource type", () => {
  it("a resource type that neither runs nor is inert is an error that names every one and what to do", () => {
    const change = (all: Resources) => {
      all["Stream"] = { Type: "AWS::Kinesis::Stream", Properties: {} };
      all["Magic"] = { Type: "Custom::Magic", Properties: {} };
    };

    expect(() => read(change)).toThrow(
      /AWS::Kinesis::Stream \(Stream\)\n\s+Custom::Magic \(Magic\)[^]*inert-types\.ts[^]*read-stack\.ts/,
    );
  });

  it("a resource type that is inert may use anything, because nobody looks inside", () => {
    const role = { Type: "AWS::IAM::Role", Properties: { Path: { "Fn::Cidr": [] } } };

    expect(() => read((all) => (all["Role"] = role))).not.toThrow();
  });

  it("a resource type of alarms and their topic is inert", () => {
    const change = (all: Resources) => {
      all["Topic"] = { Type: "AWS::SNS::Topic", Properties: { KmsMasterKeyId: "alias/aws/sns" } };
      all["Mail"] = { Type: "AWS::SNS::Subscription", Properties: { TopicArn: { Ref: "Topic" } } };
      all["Policy"] = { Type: "AWS::SNS::TopicPolicy", Properties: { Topics: [{ Ref: "Topic" }] } };
      all["Alarm"] = { Type: "AWS::CloudWatch::Alarm", Properties: { AlarmActions: [{ Ref: "Topic" }] } };
    };

    expect(read(change)).toEqual(read());
  });

  it("a resource type whose condition is false is not looked at", () => {
    const absent = { Type: "AWS::Kinesis::Stream", Condition: "Never", Properties: {} };

    expect(() => read((all) => (all["Stream"] = absent))).not.toThrow();
  });
});
