import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Match, type Template } from "aws-cdk-lib/assertions";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { beforeAll, describe, expect, it } from "vitest";
import { besideParameter } from "../../functions/core/beside-parameter.ts";
import { FUNCTIONS, type FunctionName } from "../../functions/core/functions.ts";
import { REQUEUE_FROM_ATTEMPT } from "../../functions/consume/limits.ts";
import { type ErrorCode, GATEWAY_CODES } from "../../functions/core/errors.ts";
import {
  CONSUME_TIMEOUT_SECONDS,
  CONSUME_WINDOW_SECONDS,
  INGEST_TIMEOUT_SECONDS,
} from "../../functions/core/function-limits.ts";
import {
  BACKOFF_MAX_SECONDS,
  MAX_RECEIVE_COUNT,
  QUEUE_VISIBILITY_SECONDS,
  SQS_CALL_MS,
} from "../../functions/core/queue-limits.ts";
import { openApi } from "../../functions/api-docs/openapi.ts";
import type { Route } from "../../functions/routes/route.ts";
import { type HttpFunction, routes } from "../../functions/routes/routes.ts";
import { stageConfig } from "../../lib/stage-config.ts";
import { EXPECTED_FUNCTIONS, type ExpectedFunction } from "./expected-functions.ts";
import { routesOf, templateOf } from "./support.ts";

type Resource = { Properties: Record<string, unknown>; DeletionPolicy?: string };

let template: Template;
let production: Template;
beforeAll(() => {
  template = templateOf("dev");
  production = templateOf("prod");
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

  it("functions of the CDK itself have log groups of the stack too, so that no log outlives it", () => {
    const groups = all("AWS::Lambda::Function").map(([, { Properties }]) => Properties["LoggingConfig"]);

    // The trigger of the migrations, the default security group of the VPC, and the deletion of files.
    expect(groups).toHaveLength(FUNCTIONS.length + 3);
    for (const [index, group] of groups.entries()) {
      const { Ref: id } = (group as { LogGroup: { Ref: string } }).LogGroup;
      expect(all("AWS::Logs::LogGroup").find(([each]) => each === id)?.[1].DeletionPolicy, String(index)).toBe(
        "Delete",
      );
    }
    expect(new Set(groups.map((group) => JSON.stringify(group))).size).toBe(groups.length);
  });

  it("functions and the API keep their logs for as many days as the stage says", () => {
    const other = templateOf({ ...stageConfig("dev"), logRetentionDays: RetentionDays.THREE_MONTHS });
    const groups = all("AWS::Logs::LogGroup", other);

    expect(groups).toHaveLength(FUNCTIONS.length + 4);
    for (const [id, { Properties }] of groups) expect(Properties["RetentionInDays"], id).toBe(90);
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

  it("functions have no wildcard action, and a wildcard resource only for X-Ray, and in status for the state of alarms", () => {
    const wildcards: string[][] = [];
    for (const statement of statements()) {
      for (const action of [statement.Action].flat()) expect(action).not.toContain("*");
      if (statement.Resource === "*") wildcards.push([statement.Action].flat().toSorted());
    }
    const xray = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
    const others = wildcards.filter((actions) => !isDeepStrictEqual(actions, xray));
    expect(others).toEqual([["cloudwatch:DescribeAlarms", ...xray]]);
    expect(actionsOf("status")).toContain("cloudwatch:DescribeAlarms");
  });

  it.each(FUNCTIONS)("the function %s has exactly the rights that it uses", (name) => {
    expect(actionsOf(name)).toEqual([...new Set(EXPECTED_FUNCTIONS[name].actions)].toSorted());
  });

  it("functions send to the queue of events alone, consume to the dead-letter queue and to that of wake-ups too, drain and migrate to one of these, and ingest, consume, drain and replay to that of status", () => {
    const arn = (start: string) => ({ "Fn::GetAtt": [queue(start)[0], "Arn"] });
    const [events, deadLetters] = [arn("QueueEvents"), arn("QueueDead")];

    expect(resourcesOf("ingest", "sqs:SendMessage")).toEqual([events, arn("StatusQueueSteps")]);
    expect(resourcesOf("consume", "sqs:SendMessage")).toEqual([
      events,
      deadLetters,
      arn("StatusQueueSteps"),
      arn("WakesSteps"),
    ]);
    expect(resourcesOf("replay", "sqs:SendMessage")).toContainEqual(arn("StatusQueueSteps"));
    expect(resourcesOf("migrate", "sqs:SendMessage")).toEqual([arn("WakesSteps")]);
    expect(resourcesOf("drain", "sqs:SendMessage")).toEqual([deadLetters, arn("StatusQueueSteps")]);
    expect(resourcesOf("drain", "sqs:DeleteMessage")).toEqual([deadLetters]);
    expect(resourcesOf("consume", "sqs:DeleteMessage")).toEqual([events]);
    expect(resourcesOf("consume", "sqs:ChangeMessageVisibility")).toEqual([events]);
  });

  it("Lambda stops functions that invoke themselves in a loop, except consume and drain, which requeue messages, and export, replay, notify, status and retain, whose messages follow each other", () => {
    const allowed = functions().filter(([, { Properties }]) => Properties["RecursiveLoop"] === "Allow");

    expect(allowed.map(([id]) => id)).toEqual([
      expect.stringMatching(/^ConsumeFunction/),
      expect.stringMatching(/^DrainFunction/),
      expect.stringMatching(/^ExportFunction/),
      expect.stringMatching(/^ReplayFunction/),
      expect.stringMatching(/^NotifyFunction/),
      expect.stringMatching(/^StatusFunction/),
      expect.stringMatching(/^RetainFunction/),
    ]);
  });
});

describe("queues", () => {
  it("the queues are encrypted and refuse calls without TLS", () => {
    expect(all("AWS::SQS::Queue")).toHaveLength(12);
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

  it("the queues have names that no other stack has, nor one of the same name that is made again", () => {
    const guid = { "Fn::Select": [2, { "Fn::Split": ["/", { Ref: "AWS::StackId" }] }] };
    const start = { "Fn::Select": [0, { "Fn::Split": ["-", guid] }] };
    const name = { "Fn::Join": ["", ["Sluice-dev-events-", start]] };

    expect(queue("QueueEvents")[1].Properties["QueueName"]).toEqual(name);
    expect(queue("QueueDead")[1].Properties["QueueName"]).toBeUndefined();
    // The dead-letter queue takes messages from the queue of that name.
    expect(JSON.stringify(queue("QueueDead")[1].Properties["RedriveAllowPolicy"])).toContain(
      `:Sluice-dev-events-",${JSON.stringify(start)}]]`,
    );
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
    expect(all("AWS::Lambda::EventSourceMapping")).toHaveLength(7);
    // Of consume and of drain.
    const alike = {
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      BatchSize: 1_000,
      MaximumBatchingWindowInSeconds: 1,
      ScalingConfig: { MaximumConcurrency: 5 },
      MetricsConfig: { Metrics: ["EventCount"] },
    };
    expect(Object.keys(template.findResources("AWS::Lambda::EventSourceMapping", { Properties: alike }))).toEqual([
      expect.stringMatching(/^Consume/),
      expect.stringMatching(/^Drain/),
    ]);
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
    expect(all("AWS::SQS::Queue").map(([, queue]) => queue.DeletionPolicy)).toEqual(Array(12).fill("Delete"));
    expect(all("AWS::SQS::Queue", production).map(([, queue]) => queue.DeletionPolicy)).toEqual(
      Array(12).fill("Retain"),
    );
  });
});

/** The secret of a role of the database. */
const secretOf = (role: string) => ({
  Ref: all("AWS::SecretsManager::Secret").find(([id]) => id.startsWith(`DatabaseRoles${role}`))?.[0],
});

describe("the secrets of the database", () => {
  const ownerSecret = () => ({ "Fn::GetAtt": [all("AWS::RDS::DBCluster")[0]?.[0], "MasterUserSecret.SecretArn"] });
  const variablesOf = (name: FunctionName) => {
    const found = functions().find(([id]) => id.startsWith(`${constructOf(name)}Function`)) as [string, Resource];
    return (found[1].Properties["Environment"] as { Variables: Record<string, unknown> }).Variables;
  };

  it("the secrets of the database are generated for the first user of the writer and of the reader", () => {
    expect(all("AWS::SecretsManager::Secret").filter(([id]) => id.startsWith("DatabaseRoles"))).toHaveLength(2);
    for (const role of ["writer", "reader"]) {
      template.hasResourceProperties("AWS::SecretsManager::Secret", {
        GenerateSecretString: {
          SecretStringTemplate: JSON.stringify({ username: `sluice_${role}_1` }),
          GenerateStringKey: "password",
          PasswordLength: 40,
          ExcludePunctuation: true,
        },
      });
    }
  });

  it("the secrets of the database decide what a function may do there: each has its own, and no other", () => {
    const secrets = { writer: secretOf("Writer"), reader: secretOf("Reader"), owner: ownerSecret() };
    const read = "secretsmanager:GetSecretValue";

    for (const [name, { role, actions }] of Object.entries(EXPECTED_FUNCTIONS) as [FunctionName, ExpectedFunction][]) {
      if (!actions.includes("rds-data:ExecuteStatement")) continue;
      expect(variablesOf(name)["SECRET_ARN"], name).toEqual(role && secrets[role]);
      const ofDatabase = resourcesOf(name, read).filter((each) => !JSON.stringify(each).includes("AccessKeySecret"));
      // Notify looks for events that match as the reader.
      const ofReader = name === "notify" ? [secrets.reader] : [];
      const changesPasswords = name === "migrate" || name === "rotate";
      expect(ofDatabase, name).toEqual(
        changesPasswords ? [secrets.owner, secrets.reader, secrets.writer] : [...ofReader, role && secrets[role]],
      );
    }
    for (const name of ["migrate", "rotate"] as const) {
      expect(variablesOf(name)).toMatchObject({
        WRITER_SECRET_ARN: secrets.writer,
        READER_SECRET_ARN: secrets.reader,
      });
    }
    expect(resourcesOf("rotate", "secretsmanager:PutSecretValue")).toEqual([secrets.reader, secrets.writer]);
    expect(resourcesOf("rotate", "secretsmanager:UpdateSecretVersionStage")).toEqual([secrets.reader, secrets.writer]);
  });

  it("the secrets of the database are rotated every 30 days by rotate, which Secrets Manager of this account may invoke", () => {
    const rotate = functions().find(([id]) => id.startsWith("RotateFunction"))?.[0];
    const schedules = all("AWS::SecretsManager::RotationSchedule").map(([, { Properties }]) => Properties);

    expect(schedules).toEqual(
      ["Writer", "Reader"].map((role) => ({
        SecretId: secretOf(role),
        RotationLambdaARN: { "Fn::GetAtt": [rotate, "Arn"] },
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediatelyOnUpdate: false,
      })),
    );
    template.hasResourceProperties("AWS::Lambda::Permission", {
      Principal: "secretsmanager.amazonaws.com",
      SourceAccount: { Ref: "AWS::AccountId" },
      FunctionName: { "Fn::GetAtt": [rotate, "Arn"] },
    });
  });
});

describe("migrations", () => {
  it("migrations run after the database and the secrets exist, and before what needs the schema or the roles", () => {
    type Dependent = Resource & { DependsOn: string[] };
    const [[triggerId, trigger]] = all("Custom::Trigger") as [[string, Dependent]];
    const secrets = ["Writer", "Reader"].map((role) => secretOf(role).Ref);

    expect(trigger.DependsOn).toEqual(
      expect.arrayContaining([expect.stringMatching(/^DatabaseClusterwriter/), ...secrets]),
    );
    const dependents = [
      ...functions().filter(([id]) =>
        /^(Consume|Drain|Query|Export|Replay|Notify|Status|Retain|Rotate)Function/.test(id),
      ),
      ...all("AWS::SecretsManager::RotationSchedule"),
    ] as [string, Dependent][];
    expect(dependents).toHaveLength(11);
    for (const [id, { DependsOn }] of dependents) expect(DependsOn, id).toContain(triggerId);
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

  it("the API sets the account's role for logs, and leaves it when the stack is deleted, for the APIs that share it", () => {
    const [[, account]] = all("AWS::ApiGateway::Account") as [[string, Resource]];
    const role = all("AWS::IAM::Role").find(([id]) => id.startsWith("ApiCloudWatch"))?.[1];

    expect([account.DeletionPolicy, role?.DeletionPolicy]).toEqual(["Retain", "Retain"]);
  });

  it("the API has exactly the routes of the OpenAPI document, and sends the other methods of their paths to a function", () => {
    const documented = Object.entries(openApi().paths).flatMap(([path, methods]) => [
      ...Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      `ANY ${path}`,
    ]);

    expect(routesOf(template).toSorted()).toEqual(documented.toSorted());
  });

  it("the API sends each route to the function that answers it", () => {
    const resources = all("AWS::ApiGateway::Method").map(([id, { Properties }]) => [
      id,
      JSON.stringify((Properties["Integration"] as { Uri: unknown }).Uri),
    ]);
    const answeredBy = (name: FunctionName) =>
      resources.filter(([, uri]) => uri?.includes(`"${constructOf(name)}Function`)).length;

    const every = Object.entries(routes).flatMap(([name, ofFunction]) =>
      Object.values<Route>(ofFunction).map((route) => ({ name, ...route })),
    );
    // Each route, and the other methods of each path: of one that several functions answer, the one that answers GET; so too where
    // the path is a value of another one's parameter, as /dead-letters/discard is.
    const others = [...Map.groupBy(every, ({ path }) => path)].map(([path, ofPath]) => {
      const beside = every.filter((route) => besideParameter(path, route.path) !== undefined);
      return ([...ofPath, ...beside].find(({ method }) => method === "GET") ?? ofPath[0])?.name;
    });
    for (const name of Object.keys(routes)) {
      const expected = [...every.map((route) => route.name), ...others].filter((each) => each === name).length;
      expect(answeredBy(name as HttpFunction), name).toBe(expected);
    }
  });

  it("the API answers with codes that every route lists, or every route with a body", () => {
    const codes = all("AWS::ApiGateway::GatewayResponse").map(([, { Properties }]) => {
      const { "application/json": body = "" } = Properties["ResponseTemplates"] as Record<string, string>;
      return (JSON.parse(body) as { code: ErrorCode }).code;
    });
    const withBody = Object.values(routes).flatMap((ofFunction) =>
      Object.values<Route>(ofFunction).filter(({ body }) => body !== undefined),
    );
    const others = codes.filter((code) => !(GATEWAY_CODES as readonly ErrorCode[]).includes(code));

    expect(codes).toEqual(expect.arrayContaining([...GATEWAY_CODES]));
    expect(others.length).toBeGreaterThan(0);
    for (const code of others) for (const { path, errors } of withBody) expect(errors, path).toContain(code);
  });

  it("the API may invoke exactly the functions that answer it, with one permission for each", () => {
    const allowed = all("AWS::Lambda::Permission")
      .filter(([, { Properties }]) => Properties["Principal"] === "apigateway.amazonaws.com")
      .map(([, { Properties }]) => JSON.stringify(Properties["FunctionName"]));

    expect(allowed.map((name) => /"(\w+)Function/.exec(name)?.[1] ?? name).toSorted()).toEqual([
      "Access",
      "ApiDocs",
      "Console",
      "Export",
      "Ingest",
      "Notify",
      "Query",
      "Replay",
      "Retain",
      "Status",
    ]);
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

    expect(named).toHaveLength(42);
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
    template.resourceCountIs("AWS::SNS::Subscription", 0);
    templateOf({ ...stageConfig("dev"), alarmEmail: "on-call@example.com" }).hasResourceProperties(
      "AWS::SNS::Subscription",
      { Protocol: "email", Endpoint: "on-call@example.com" },
    );
  });

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

  it("alarms go off for crashes of ingest, for its latency and for 5XX of the API in three minutes of five", () => {
    const ingest = { Name: "FunctionName", Value: { Ref: functions().find(([id]) => id.startsWith("Ingest"))?.[0] } };
    const api = { Name: "ApiName", Value: "Sluice-dev" };
    const alarms = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
    const inThreeOfFive = (properties: object) =>
      expect.objectContaining({ ...properties, Period: 60, EvaluationPeriods: 5, DatapointsToAlarm: 3 }) as unknown;

    expect(alarms).toEqual(
      expect.arrayContaining([
        inThreeOfFive({ MetricName: "Errors", Statistic: "Sum", Threshold: 1, Dimensions: [ingest] }),
        inThreeOfFive({ MetricName: "Duration", ExtendedStatistic: "p99", Threshold: 3_000, Dimensions: [ingest] }),
        expect.objectContaining({ MetricName: "EventsSchemaFailed", Statistic: "Sum", Threshold: 1 }),
        inThreeOfFive({ MetricName: "5XXError", Statistic: "Sum", Threshold: 1, Dimensions: [api] }),
      ]),
    );
    // A call of SQS that hangs is over by then, and so is an answer of ingest at the latest.
    expect(SQS_CALL_MS).toBe(3_000);
    expect(SQS_CALL_MS).toBeLessThan(1_000 * INGEST_TIMEOUT_SECONDS);
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

describe("what is logged", () => {
  it("Lambda writes its own lines as JSON and only about failures, and filters none of ours, also those without a level", () => {
    for (const [id, { Properties }] of functions()) {
      expect(Properties["LoggingConfig"], id).toEqual({
        LogGroup: { Ref: expect.any(String) },
        LogFormat: "JSON",
        SystemLogLevel: "WARN",
        ApplicationLogLevel: "INFO",
      });
    }
  });

  it("the API writes a short line a request, and pays for no metrics of methods nor execution logs", () => {
    const [[, { Properties: stage }]] = all("AWS::ApiGateway::Stage") as [[string, Resource]];
    const { Format: format } = stage["AccessLogSetting"] as { Format: string };
    const settings = stage["MethodSettings"] as Record<string, unknown>[];

    expect(format.split(" ")).toEqual([
      "$context.requestId",
      "$context.identity.sourceIp",
      "$context.httpMethod",
      "$context.resourcePath",
      "$context.status",
      "$context.responseLatency",
      "$context.error.responseType",
    ]);
    expect(settings.filter((each) => each["MetricsEnabled"] === true || each["LoggingLevel"] !== undefined)).toEqual(
      [],
    );
  });
});

describe("the alarm about dead letters", () => {
  it("the alarms about dead letters, the ledger and retention stay as they are until their numbers are reported again", () => {
    const alarms = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);

    expect(alarms.filter(({ MetricName }) => MetricName === "OpenDeadLetters")).toMatchObject([
      {
        Statistic: "Maximum",
        Threshold: 1,
        Dimensions: [{ Name: "stage", Value: "dev" }],
        TreatMissingData: "ignore",
      },
    ]);
    const kept = alarms.filter(({ TreatMissingData }) => TreatMissingData !== "notBreaching");
    expect(kept.map(({ MetricName }) => String(MetricName)).toSorted()).toEqual([
      "LedgerDifference",
      "OpenDeadLetters",
      "PartitionDaysMissing",
      "RetentionDaysBehind",
    ]);
  });

  it("the alarms about dead letters that wait go off after a quarter of an hour, even at the longest backoff", () => {
    const alarms = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
    const ofDrain = alarms.filter(({ AlarmDescription }) => String(AlarmDescription).endsWith("#dead-letters-wait."));

    expect(ofDrain.map(({ MetricName }) => String(MetricName)).toSorted()).toEqual([
      "ApproximateAgeOfOldestMessage",
      "Errors",
      "OldestFailedAgeSeconds",
    ]);
    for (const alarm of ofDrain.filter(({ MetricName }) => MetricName !== "Errors"))
      expect(alarm).toMatchObject({ Statistic: "Maximum", Threshold: 900, Period: 60 });
    const failed = ofDrain.find(({ MetricName }) => MetricName === "OldestFailedAgeSeconds");
    expect(failed?.["EvaluationPeriods"]).toBeGreaterThan(BACKOFF_MAX_SECONDS / 60);
  });
});

describe("the alarm about the horizon", () => {
  it("the alarm about the horizon goes off for an age of half a minute in three minutes of five", () => {
    const alarms = all("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);

    expect(alarms.filter(({ MetricName }) => MetricName === "HorizonAgeSeconds")).toMatchObject([
      { Statistic: "Maximum", Threshold: 30, Period: 60, EvaluationPeriods: 5, DatapointsToAlarm: 3 },
    ]);
  });
});

describe("two stacks of one stage", () => {
  it("two stacks of one stage share no name, so that both fit into one account and region", () => {
    const other = templateOf("dev", { name: "Sluice-other" });

    const shared = namesIn(template).filter((name) => namesIn(other).includes(name));

    expect(namesIn(template)).toEqual([
      'Name "Sluice-dev"',
      expect.stringMatching(/^QueueName .*"Sluice-dev-events-"/),
      expect.stringMatching(/^DashboardName .*"Sluice-dev-",{"Ref":"AWS::Region"}/),
    ]);
    expect(shared).toEqual([]);
  });

  it("two stacks of one stage have metrics of their own, so that the alarms of one are not those of the other", () => {
    const other = templateOf("dev", { name: "Sluice-other" });
    const metrics = (from: Template) =>
      all("AWS::CloudWatch::Alarm", from)
        .flatMap(([, { Properties }]) => JSON.stringify(Properties).match(/(?<="Namespace":")[^"]+/g) ?? [])
        .filter((name) => !name.startsWith("AWS/"));

    expect(metrics(template)).toEqual(Array(21).fill("Sluice-dev"));
    expect(metrics(other)).toEqual(Array(21).fill("Sluice-other"));
    for (const [, { Properties }] of functions()) {
      expect(Properties["Environment"]).toMatchObject({ Variables: { METRICS_NAMESPACE: "Sluice-dev" } });
    }
  });
});

describe("outputs", () => {
  it("the outputs are the addresses that the scripts need", () => {
    expect(Object.keys(template.findOutputs("*")).toSorted()).toEqual([
      "AccessFunctionName",
      "ApiUrl",
      "ArchiveBucketName",
      "ClusterArn",
      "DatabaseName",
      "DeadLetterQueueUrl",
      "QueueUrl",
      "SecretArn",
    ]);
  });
});

/** The names that the template itself chooses, for which an account and region have room once. */
function namesIn(from: Template): string[] {
  return Object.values(from.toJSON()["Resources"] as Record<string, Partial<Resource>>)
    .flatMap(({ Properties = {} }) => Object.entries(Properties))
    .filter(
      ([property, name]) => /(Name|Identifier)$/.test(property) && !NOT_SHARED.has(property) && !isReference(name),
    )
    .map(([property, name]) => `${property} ${JSON.stringify(name)}`);
}

/** Names inside a cluster, a role or an API, of metrics, which their dimensions tell apart, and of what belongs to AWS. */
const NOT_SHARED = new Set(["DatabaseName", "PolicyName", "StageName", "MetricName", "DBClusterParameterGroupName"]);

const isReference = (name: unknown): boolean =>
  typeof name === "object" && name !== null && ("Ref" in name || "Fn::GetAtt" in name);

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
