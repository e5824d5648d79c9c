import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Match, type Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { FUNCTIONS, type FunctionName } from "../../functions/core/functions.ts";
import { BACKOFF_MAX_SECONDS, REQUEUE_FROM_ATTEMPT } from "../../functions/consume/limits.ts";
import { CONSUME_TIMEOUT_SECONDS, CONSUME_WINDOW_SECONDS } from "../../functions/core/function-limits.ts";
import { MAX_RECEIVE_COUNT, QUEUE_VISIBILITY_SECONDS } from "../../functions/core/queue-limits.ts";
import { openApi } from "../../functions/api-docs/openapi.ts";
import { routes } from "../../functions/routes/routes.ts";
import { stageConfig } from "../../lib/stage-config.ts";
import { EXPECTED_FUNCTIONS } from "./expected-functions.ts";
import { routesOf, synthesizeStack } from "./support.ts";

type Resource = { Properties: Record<string, unknown>; DeletionPolicy?: string };

let template: Template;
let production: Template;
beforeAll(() => {
  template = synthesizeStack("dev").template();
  production = synthesizeStack("prod").template();
});

const all = (type: string, from = template) => Object.entries(from.findResources(type)) as [string, Resource][];
/** The functions of this project, without the two of CDK's own custom resources. */
const functions = () => all("AWS::Lambda::Function").filter(([id]) => !/^(AWSCDK|Custom)/.test(id));

describe("functions", () => {
  it("functions are the folders of functions/ that have a handler, each with one construct in the stack", () => {
    const folders = readdirSync("functions").filter((name) => existsSync(`functions/${name}/handler.ts`));
    const deployed = functions().map(([id]) => id.replace(/[0-9A-F]{8}$/, ""));

    expect([...FUNCTIONS].toSorted()).toEqual(folders.toSorted());
    expect(deployed.toSorted()).toEqual(FUNCTIONS.map((name) => `${constructOf(name)}Function`).toSorted());
  });

  it("functions run on nodejs24.x and arm64, with tracing and a log group that keeps logs for 30 days", () => {
    expect(functions()).toHaveLength(FUNCTIONS.length);
    for (const [, { Properties }] of functions()) {
      expect(Properties).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        Handler: "index.handler",
        TracingConfig: { Mode: "Active" },
        LoggingConfig: { LogGroup: { Ref: expect.any(String) } },
      });
    }
    for (const [, { Properties }] of all("AWS::Logs::LogGroup")) expect(Properties["RetentionInDays"]).toBe(30);
  });

  it("functions refuse an unknown version of a known type, because its data would go unchecked", () => {
    for (const from of [template, production]) {
      const variables = all("AWS::Lambda::Function", from).map(([, { Properties }]) => Properties["Environment"]);

      expect(variables).toContainEqual({ Variables: expect.objectContaining({ UNKNOWN_VERSIONS: "refuse" }) });
    }
  });

  it("functions each have a role of their own, which has no managed policy", () => {
    const roles = functions().map(([, { Properties }]) => JSON.stringify(Properties["Role"]));
    expect(new Set(roles).size).toBe(FUNCTIONS.length);
    for (const [id, { Properties }] of all("AWS::IAM::Role")) {
      if (/^(AWSCDK|Custom|ApiCloudWatch)/.test(id)) continue;
      expect(Properties["ManagedPolicyArns"]).toBeUndefined();
    }
  });

  it("functions have no wildcard action, and a wildcard resource only for X-Ray", () => {
    for (const statement of statements()) {
      for (const action of [statement.Action].flat()) expect(action).not.toContain("*");
      if (statement.Resource === "*") {
        expect([statement.Action].flat().toSorted()).toEqual(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]);
      }
    }
  });

  it.each(FUNCTIONS)("the function %s has exactly the rights that it uses", (name) => {
    expect(actionsOf(name)).toEqual(EXPECTED_FUNCTIONS[name].actions.toSorted());
  });

  it("functions send to the queue of events alone, and consume to the dead-letter queue too", () => {
    const arn = (start: string) => ({ "Fn::GetAtt": [queue(start)[0], "Arn"] });
    const [events, deadLetters] = [arn("QueueEvents"), arn("QueueDead")];

    expect(resourcesOf("ingest", "sqs:SendMessage")).toEqual([events]);
    expect(resourcesOf("consume", "sqs:SendMessage")).toEqual([events, deadLetters]);
    expect(resourcesOf("consume", "sqs:DeleteMessage")).toEqual([events]);
    expect(resourcesOf("consume", "sqs:ChangeMessageVisibility")).toEqual([events]);
  });

  it("Lambda stops functions that invoke themselves in a loop, except consume, which requeues messages", () => {
    const allowed = functions().filter(([, { Properties }]) => Properties["RecursiveLoop"] === "Allow");

    expect(allowed.map(([id]) => id)).toEqual([expect.stringMatching(/^ConsumeFunction/)]);
  });
});

describe("queues", () => {
  it("the queues are encrypted and refuse calls without TLS", () => {
    expect(all("AWS::SQS::Queue")).toHaveLength(2);
    for (const [id, { Properties }] of all("AWS::SQS::Queue")) {
      expect(Properties["SqsManagedSseEnabled"]).toBe(true);
      template.hasResourceProperties("AWS::SQS::QueuePolicy", {
        Queues: [{ Ref: id }],
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
          ]),
        },
      });
    }
  });

  it("the queues keep dead letters longer than events, because age counts from the first enqueue", () => {
    const [deadLetters, events] = [retention("QueueDeadLetters"), retention("QueueEvents")];

    expect(events).toBe(4 * 86_400);
    expect(deadLetters).toBe(14 * 86_400);
  });

  it("the queues redrive poison messages from the event queue only, and before their retention ends", () => {
    const [, { Properties: events }] = queue("QueueEvents");
    const [deadId, { Properties: dead }] = queue("QueueDead");

    expect(events["RedrivePolicy"]).toEqual({
      deadLetterTargetArn: { "Fn::GetAtt": [deadId, "Arn"] },
      maxReceiveCount: MAX_RECEIVE_COUNT,
    });
    expect(MAX_RECEIVE_COUNT).toBeGreaterThan(REQUEUE_FROM_ATTEMPT);
    expect(MAX_RECEIVE_COUNT * QUEUE_VISIBILITY_SECONDS).toBeLessThan(Number(retention("QueueEvents")));
    expect(events["RedriveAllowPolicy"]).toEqual({ redrivePermission: "denyAll" });
    expect(dead["RedriveAllowPolicy"]).toMatchObject({ redrivePermission: "byQueue" });
  });

  it("the queues have a visibility timeout of at least six timeouts of consume plus the batch window", () => {
    const [, { Properties }] = queue("QueueEvents");

    expect(Properties["VisibilityTimeout"]).toBeGreaterThanOrEqual(
      6 * CONSUME_TIMEOUT_SECONDS + CONSUME_WINDOW_SECONDS,
    );
  });
});

describe("event source", () => {
  it("the event source reports partial batch failures, caps its concurrency and counts events", () => {
    template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      BatchSize: 1_000,
      MaximumBatchingWindowInSeconds: 1,
      ScalingConfig: { MaximumConcurrency: 5 },
      MetricsConfig: { Metrics: ["EventCount"] },
    });
  });
});

describe("database", () => {
  it("the database is an encrypted Aurora PostgreSQL 17 that pauses, with the Data API and an RDS-managed password", () => {
    template.hasResourceProperties("AWS::RDS::DBCluster", {
      Engine: "aurora-postgresql",
      EngineVersion: Match.stringLikeRegexp("^17\\."),
      EnableHttpEndpoint: true,
      ManageMasterUserPassword: true,
      MasterUserPassword: Match.absent(),
      StorageEncrypted: true,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, SecondsUntilAutoPause: 300 },
    });
  });

  it("the database is in subnets without a route to the internet", () => {
    template.resourceCountIs("AWS::EC2::NatGateway", 0);
    template.resourceCountIs("AWS::EC2::InternetGateway", 0);
    expect(all("AWS::EC2::Subnet").map(([, { Properties }]) => Properties["MapPublicIpOnLaunch"])).toEqual([
      false,
      false,
    ]);
  });

  it("the database is deletable in dev; in prod it is protected, and snapshot and queues are kept", () => {
    const [[, dev]] = all("AWS::RDS::DBCluster") as [[string, Resource]];
    const [[, prod]] = all("AWS::RDS::DBCluster", production) as [[string, Resource]];

    expect([dev.Properties["DeletionProtection"], dev.DeletionPolicy]).toEqual([false, "Delete"]);
    expect([prod.Properties["DeletionProtection"], prod.DeletionPolicy]).toEqual([true, "Snapshot"]);
    expect(all("AWS::SQS::Queue").map(([, queue]) => queue.DeletionPolicy)).toEqual(["Delete", "Delete"]);
    expect(all("AWS::SQS::Queue", production).map(([, queue]) => queue.DeletionPolicy)).toEqual(["Retain", "Retain"]);
  });
});

describe("migrations", () => {
  it("migrations run after the database exists and before the functions that need the schema are updated", () => {
    const [[triggerId, trigger]] = all("Custom::Trigger") as [[string, Resource & { DependsOn: string[] }]];
    const consume = functions().find(([id]) => id.startsWith("Consume"))?.[1] as Resource & { DependsOn: string[] };
    const query = functions().find(([id]) => id.startsWith("Query"))?.[1] as Resource & { DependsOn: string[] };

    expect(trigger.DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^DatabaseClusterwriter/)]));
    expect(consume.DependsOn).toContain(triggerId);
    expect(query.DependsOn).toContain(triggerId);
    template.hasResourceProperties("AWS::Events::Rule", { ScheduleExpression: "rate(1 day)" });
  });
});

describe("api", () => {
  it("the API is regional, throttled and logged, and the only public resource", () => {
    template.hasResourceProperties("AWS::ApiGateway::RestApi", { EndpointConfiguration: { Types: ["REGIONAL"] } });
    template.hasResourceProperties("AWS::ApiGateway::Stage", {
      AccessLogSetting: Match.objectLike({ DestinationArn: Match.anyValue() }),
      MethodSettings: Match.arrayWith([Match.objectLike({ ThrottlingRateLimit: 2_000, ThrottlingBurstLimit: 1_000 })]),
    });
    template.resourceCountIs("AWS::ApiGateway::RestApi", 1);
    template.resourceCountIs("AWS::Lambda::Url", 0);
  });

  it("the API has exactly the routes of the OpenAPI document", () => {
    const documented = Object.entries(openApi().paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );

    expect(routesOf(template).toSorted()).toEqual(documented.toSorted());
  });

  it("the API sends each route to the function that answers it", () => {
    const resources = all("AWS::ApiGateway::Method").map(([id, { Properties }]) => [
      id,
      JSON.stringify((Properties["Integration"] as { Uri: unknown }).Uri),
    ]);
    const answeredBy = (name: string) => resources.filter(([, uri]) => uri?.includes(`"${name}Function`)).length;

    expect([answeredBy("Ingest"), answeredBy("Query"), answeredBy("ApiDocs")]).toEqual(
      [routes.ingest, routes.query, routes["api-docs"]].map((ofFunction) => Object.keys(ofFunction).length),
    );
  });

  it("the API answers its own errors as problem documents, with Retry-After where a retry helps", () => {
    const responses = all("AWS::ApiGateway::GatewayResponse").map(([, { Properties }]) => Properties);
    expect(responses.length).toBeGreaterThan(5);
    for (const response of responses) {
      const status = Number(response["StatusCode"]);
      const body = (response["ResponseTemplates"] as Record<string, string>)["application/json"] ?? "";
      expect(JSON.parse(body)).toMatchObject({
        status,
        code: expect.stringMatching(/^[a-z_]+$/),
        title: expect.any(String),
        detail: expect.stringMatching(/\.$/),
        requestId: "$context.requestId",
      });
      const { "gatewayresponse.header.retry-after": retryAfter } = response["ResponseParameters"] as Record<
        string,
        string
      >;
      expect(retryAfter, String(response["ResponseType"])).toBe(
        [429, 502, 503, 504].includes(status) ? "'5'" : undefined,
      );
    }
  });
});

describe("alarms", () => {
  it("alarms each name a section of the runbook", () => {
    const headings = [...readFileSync("docs/runbook.md", "utf8").matchAll(/^## (.+)$/gm)];
    const sections = headings.map(([, heading = ""]) => heading.toLowerCase().replaceAll(" ", "-"));
    const named = all("AWS::CloudWatch::Alarm").map(
      ([, { Properties }]) =>
        /^[A-Z][^.]+\. See docs\/runbook\.md#(.+)\.$/.exec(String(Properties["AlarmDescription"]))?.[1],
    );

    expect(named).toHaveLength(8);
    for (const section of named) expect(sections).toContain(section);
  });

  it("alarms each notify the topic, which CloudWatch alone may publish to, over TLS", () => {
    const [[topic]] = all("AWS::SNS::Topic") as [[string, Resource]];
    for (const [id, { Properties }] of all("AWS::CloudWatch::Alarm"))
      expect(Properties["AlarmActions"], id).toEqual([{ Ref: topic }]);

    template.hasResourceProperties("AWS::SNS::TopicPolicy", {
      Topics: [{ Ref: topic }],
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Effect: "Deny",
            Action: "sns:Publish",
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          }),
          Match.objectLike({
            Effect: "Allow",
            Action: "sns:Publish",
            Principal: { Service: "cloudwatch.amazonaws.com" },
            Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
          }),
        ],
      },
    });
  });

  it("alarms go to the e-mail address of the stage, and nobody where it has none", () => {
    const stage = { ...stageConfig("dev"), alarmEmail: "on-call@example.com" };

    template.resourceCountIs("AWS::SNS::Subscription", 0);
    synthesizeStack(stage)
      .template()
      .hasResourceProperties("AWS::SNS::Subscription", { Protocol: "email", Endpoint: "on-call@example.com" });
  });

  it.each(["on-call", "", "on-call@", "https://example.com"])(
    "synthesis refuses the e-mail address %j by its name",
    (alarmEmail) => {
      expect(() => synthesizeStack({ ...stageConfig("dev"), alarmEmail })).toThrow(
        `alarmEmail of the stage dev is ${JSON.stringify(alarmEmail)}, which is not an e-mail address.`,
      );
    },
  );

  it.each(["Errors", "Throttles"])("alarms go off for %s of consume in three minutes of thirty", (name) => {
    const alarms = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
    const consume = functions().find(([id]) => id.startsWith("Consume"))?.[0];

    // SQS delivers a lone poison message again after at most one and a half visibility timeouts.
    expect(3 * 1.5 * QUEUE_VISIBILITY_SECONDS).toBeLessThan(30 * 60);
    expect(alarms).toContainEqual(
      expect.objectContaining({
        MetricName: name,
        Dimensions: [{ Name: "FunctionName", Value: { Ref: consume } }],
        Period: 60,
        EvaluationPeriods: 30,
        DatapointsToAlarm: 3,
      }),
    );
  });

  it("alarms go off for failed events older than a quarter of an hour, even at the longest backoff", () => {
    const alarms = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
    const failedAge = alarms.find(({ MetricName }) => MetricName === "OldestFailedAgeSeconds") as {
      [name: string]: number;
    };

    expect(failedAge).toMatchObject({ Statistic: "Maximum", Threshold: 900, Period: 60, DatapointsToAlarm: 1 });
    expect(failedAge["EvaluationPeriods"]).toBeGreaterThan(BACKOFF_MAX_SECONDS / 60);
  });
});

describe("outputs", () => {
  it("the outputs are the addresses that the scripts need", () => {
    expect(Object.keys(template.findOutputs("*")).toSorted()).toEqual([
      "ApiUrl",
      "ClusterArn",
      "DatabaseName",
      "DeadLetterQueueUrl",
      "QueueUrl",
      "SecretArn",
    ]);
  });
});

type Statement = { Action: string | string[]; Resource: unknown };

/** The policies of the functions' roles. */
function statements(role = ""): Statement[] {
  return all("AWS::IAM::Policy")
    .filter(([id]) => id.startsWith(role))
    .flatMap(([, { Properties }]) => (Properties["PolicyDocument"] as { Statement: Statement[] }).Statement);
}

/** The construct of a function in the stack: `ApiDocs` for `api-docs`. */
function constructOf(name: FunctionName): string {
  return name.replaceAll(/(?:^|-)([a-z])/g, (_, initial: string) => initial.toUpperCase());
}

/** All actions a function is allowed, except for logs and traces. */
function actionsOf(name: FunctionName): string[] {
  const actions = statements(`${constructOf(name)}Function`).flatMap((statement) => statement.Action);
  return [...new Set(actions)].filter((action) => !/^(logs|xray):/.test(action)).toSorted();
}

/** The resources that a function may use with an action. */
function resourcesOf(name: FunctionName, action: string): unknown[] {
  const granting = statements(`${constructOf(name)}Function`).filter((statement) =>
    [statement.Action].flat().includes(action),
  );
  return granting.flatMap(({ Resource }) => Resource);
}

function queue(idStart: string): [string, Resource] {
  return all("AWS::SQS::Queue").find(([id]) => id.startsWith(idStart)) as [string, Resource];
}

function retention(idStart: string): unknown {
  return queue(idStart)[1].Properties["MessageRetentionPeriod"];
}
