import { Match, type Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import {
  BACKOFF_MAX_SECONDS,
  CONSUME_TIMEOUT_SECONDS,
  CONSUME_WINDOW_SECONDS,
  MAX_RECEIVE_COUNT,
  QUEUE_VISIBILITY_SECONDS,
  RENEW_FROM_ATTEMPT,
} from "../../functions/core/limits.ts";
import { openApi } from "../../functions/api-docs/openapi.ts";
import { routes } from "../../functions/routes/routes.ts";
import { routesOf, synthesizeStack } from "./support.ts";

type Resource = { Properties: Record<string, unknown>; DeletionPolicy?: string };

let template: Template;
let production: Template;
beforeAll(() => {
  template = synthesizeStack("dev").template();
  production = synthesizeStack("prod").template();
});

const all = (type: string, from = template) => Object.entries(from.findResources(type)) as [string, Resource][];
/** Functions of ours; the two of CDK's own custom resources are not. */
const functions = () => all("AWS::Lambda::Function").filter(([id]) => !/^(AWSCDK|Custom)/.test(id));

describe("functions", () => {
  it("run on nodejs24.x and arm64 with tracing and a log group that keeps its logs for a stated time", () => {
    expect(functions()).toHaveLength(5);
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

  it("have a role each, which writes to its own log group and has no managed policy", () => {
    const roles = functions().map(([, { Properties }]) => JSON.stringify(Properties["Role"]));
    expect(new Set(roles).size).toBe(5);
    for (const [id, { Properties }] of all("AWS::IAM::Role")) {
      if (/^(AWSCDK|Custom|ApiCloudWatch)/.test(id)) continue;
      expect(Properties["ManagedPolicyArns"]).toBeUndefined();
    }
  });

  it("have no wildcard action, and a wildcard resource only for X-Ray", () => {
    for (const statement of statements()) {
      for (const action of [statement.Action].flat()) expect(action).not.toContain("*");
      if (statement.Resource === "*") {
        expect([statement.Action].flat().toSorted()).toEqual(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]);
      }
    }
  });

  it("may do exactly what their stage does", () => {
    expect(actionsOf("Ingest")).toEqual(["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]);
    expect(actionsOf("Query")).toEqual(STATEMENT_ACTIONS);
    expect(actionsOf("Migrate")).toEqual(TRANSACTION_ACTIONS);
    expect(actionsOf("ApiDocs")).toEqual([]);
    expect(actionsOf("Consume")).toEqual(
      [
        ...STATEMENT_ACTIONS,
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
      ].toSorted(),
    );
  });

  it("send to the queue alone that they serve; the consumer to the dead-letter queue too", () => {
    const arn = (start: string) => ({ "Fn::GetAtt": [queue(start)[0], "Arn"] });
    const [events, deadLetters] = [arn("QueueEvents"), arn("QueueDead")];

    expect(resourcesOf("Ingest", "sqs:SendMessage")).toEqual([events]);
    expect(resourcesOf("Consume", "sqs:SendMessage")).toEqual([events, deadLetters]);
    expect(resourcesOf("Consume", "sqs:DeleteMessage")).toEqual([events]);
    expect(resourcesOf("Consume", "sqs:ChangeMessageVisibility")).toEqual([events]);
  });

  it("are stopped by Lambda when they reach themselves, but for the consumer, which sends failed messages again", () => {
    const allowed = functions().filter(([, { Properties }]) => Properties["RecursiveLoop"] === "Allow");

    expect(allowed.map(([id]) => id)).toEqual([expect.stringMatching(/^ConsumeFunction/)]);
  });
});

describe("queues", () => {
  it("refuse anything but TLS and are encrypted", () => {
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

  it("keep dead letters longer than the queue keeps events, because their age counts from the first enqueue", () => {
    const [deadLetters, events] = [retention("QueueDeadLetters"), retention("QueueEvents")];

    expect(events).toBe(4 * 86_400);
    expect(deadLetters).toBe(14 * 86_400);
  });

  it("dead-letter from the event queue only, while messages that kill the consumer are still kept", () => {
    const [, { Properties: events }] = queue("QueueEvents");
    const [deadId, { Properties: dead }] = queue("QueueDead");

    expect(events["RedrivePolicy"]).toEqual({
      deadLetterTargetArn: { "Fn::GetAtt": [deadId, "Arn"] },
      maxReceiveCount: MAX_RECEIVE_COUNT,
    });
    expect(MAX_RECEIVE_COUNT).toBeGreaterThan(RENEW_FROM_ATTEMPT);
    expect(MAX_RECEIVE_COUNT * QUEUE_VISIBILITY_SECONDS).toBeLessThan(Number(retention("QueueEvents")));
    expect(events["RedriveAllowPolicy"]).toEqual({ redrivePermission: "denyAll" });
    expect(dead["RedriveAllowPolicy"]).toMatchObject({ redrivePermission: "byQueue" });
  });

  it("hide a received message for six timeouts of the consumer and the batch window", () => {
    const [, { Properties }] = queue("QueueEvents");

    expect(Properties["VisibilityTimeout"]).toBeGreaterThanOrEqual(
      6 * CONSUME_TIMEOUT_SECONDS + CONSUME_WINDOW_SECONDS,
    );
  });
});

describe("event source", () => {
  it("reports partial batch failures, caps its concurrency and counts events", () => {
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
  it("is Aurora PostgreSQL 17 that pauses, encrypted, with the Data API and a password that RDS manages", () => {
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

  it("lies in subnets without a way out", () => {
    template.resourceCountIs("AWS::EC2::NatGateway", 0);
    template.resourceCountIs("AWS::EC2::InternetGateway", 0);
    expect(all("AWS::EC2::Subnet").map(([, { Properties }]) => Properties["MapPublicIpOnLaunch"])).toEqual([
      false,
      false,
    ]);
  });

  it("is deletable in dev; in prod it is protected, leaves a snapshot, and the queues with their events stay", () => {
    const [[, dev]] = all("AWS::RDS::DBCluster") as [[string, Resource]];
    const [[, prod]] = all("AWS::RDS::DBCluster", production) as [[string, Resource]];

    expect([dev.Properties["DeletionProtection"], dev.DeletionPolicy]).toEqual([false, "Delete"]);
    expect([prod.Properties["DeletionProtection"], prod.DeletionPolicy]).toEqual([true, "Snapshot"]);
    expect(all("AWS::SQS::Queue").map(([, queue]) => queue.DeletionPolicy)).toEqual(["Delete", "Delete"]);
    expect(all("AWS::SQS::Queue", production).map(([, queue]) => queue.DeletionPolicy)).toEqual(["Retain", "Retain"]);
  });
});

describe("migrations", () => {
  it("run after the database is there and before the functions that need the schema are updated", () => {
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
  it("is regional, throttled and logged, and the only thing that is public", () => {
    template.hasResourceProperties("AWS::ApiGateway::RestApi", { EndpointConfiguration: { Types: ["REGIONAL"] } });
    template.hasResourceProperties("AWS::ApiGateway::Stage", {
      AccessLogSetting: Match.objectLike({ DestinationArn: Match.anyValue() }),
      MethodSettings: Match.arrayWith([Match.objectLike({ ThrottlingRateLimit: 2_000, ThrottlingBurstLimit: 1_000 })]),
    });
    template.resourceCountIs("AWS::ApiGateway::RestApi", 1);
    template.resourceCountIs("AWS::Lambda::Url", 0);
  });

  it("has the routes of the OpenAPI document, no more and no fewer", () => {
    const documented = Object.entries(openApi().paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );

    expect(routesOf(template).toSorted()).toEqual(documented.toSorted());
  });

  it("sends each route to the function that answers it", () => {
    const resources = all("AWS::ApiGateway::Method").map(([id, { Properties }]) => [
      id,
      JSON.stringify((Properties["Integration"] as { Uri: unknown }).Uri),
    ]);
    const answeredBy = (name: string) => resources.filter(([, uri]) => uri?.includes(`"${name}Function`)).length;

    expect([answeredBy("Ingest"), answeredBy("Query"), answeredBy("ApiDocs")]).toEqual(
      [routes.ingest, routes.query, routes["api-docs"]].map((ofFunction) => Object.keys(ofFunction).length),
    );
  });

  it("answers its own errors as problem documents that say what to do, with Retry-After where trying again helps", () => {
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
  it("each name the section of the runbook that tells what to do", () => {
    const descriptions = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties["AlarmDescription"]);

    expect(descriptions).toHaveLength(8);
    for (const description of descriptions) expect(description).toMatch(/See docs\/runbook\.md#[a-z-]+\.$/);
  });

  it.each(["Errors", "Throttles"])("ring for %s of the consumer three times in half an hour", (name) => {
    const alarms = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
    const consume = functions().find(([id]) => id.startsWith("Consume"))?.[0];

    // A lone message that ends the function comes back after at most one and a half visibility timeouts.
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

  it("ring for failed events that are a quarter of an hour old, however seldom they come again", () => {
    const alarms = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
    const failedAge = alarms.find(({ MetricName }) => MetricName === "OldestFailedAgeSeconds") as {
      [name: string]: number;
    };

    expect(failedAge).toMatchObject({ Statistic: "Maximum", Threshold: 900, Period: 60, DatapointsToAlarm: 1 });
    expect(failedAge["EvaluationPeriods"]).toBeGreaterThan(BACKOFF_MAX_SECONDS / 60);
  });
});

describe("outputs", () => {
  it("are what the scripts need", () => {
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

const SECRET_ACTIONS = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"];
const STATEMENT_ACTIONS = ["rds-data:ExecuteStatement", ...SECRET_ACTIONS];
const TRANSACTION_ACTIONS = [
  "rds-data:BeginTransaction",
  "rds-data:CommitTransaction",
  "rds-data:ExecuteStatement",
  "rds-data:RollbackTransaction",
  ...SECRET_ACTIONS,
];

type Statement = { Action: string | string[]; Resource: unknown };

/** The policies of the functions' roles. */
function statements(role = ""): Statement[] {
  return all("AWS::IAM::Policy")
    .filter(([id]) => id.startsWith(role))
    .flatMap(([, { Properties }]) => (Properties["PolicyDocument"] as { Statement: Statement[] }).Statement);
}

/** Everything a stage's function may do beside logs and traces. */
function actionsOf(stage: string): string[] {
  const actions = statements(`${stage}Function`).flatMap((statement) => statement.Action);
  return [...new Set(actions)].filter((action) => !/^(logs|xray):/.test(action)).toSorted();
}

/** What a stage's function may do an action with. */
function resourcesOf(stage: string, action: string): unknown[] {
  const granting = statements(`${stage}Function`).filter((statement) => [statement.Action].flat().includes(action));
  return granting.flatMap(({ Resource }) => Resource);
}

function queue(idStart: string): [string, Resource] {
  return all("AWS::SQS::Queue").find(([id]) => id.startsWith(idStart)) as [string, Resource];
}

function retention(idStart: string): unknown {
  return queue(idStart)[1].Properties["MessageRetentionPeriod"];
}
