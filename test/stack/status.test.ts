import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import {
  STATUS_BATCH_MESSAGES,
  STATUS_MAX_CONCURRENCY,
  STATUS_TIMEOUT_SECONDS,
  STATUS_WINDOW_SECONDS,
} from "../../functions/core/function-limits.ts";
import { STATUS_MAX_RECEIVE_COUNT } from "../../functions/core/queue-limits.ts";
import { templateOf } from "./support.ts";

type Resource = { Properties: Record<string, unknown> };
type Statement = { Action: string | string[]; Resource: unknown; Condition?: unknown };

let dev: Template;
beforeAll(() => {
  dev = templateOf("dev");
});

const all = (type: string) => Object.entries(dev.findResources(type)) as [string, Resource][];
const one = (type: string, start: string) => all(type).find(([id]) => id.startsWith(start)) as [string, Resource];
const statementsOf = (start: string) =>
  all("AWS::IAM::Policy")
    .filter(([id]) => id.startsWith(start))
    .flatMap(([, { Properties }]) => (Properties["PolicyDocument"] as { Statement: Statement[] }).Statement);
const table = () => ({ "Fn::GetAtt": [one("AWS::DynamoDB::Table", "StatusTable")[0], "Arn"] });

describe("the function status", () => {
  it("the messages of status come in batches, at the least concurrency, and stay one by one where they cannot be read", () => {
    const [queue, { Properties: steps }] = one("AWS::SQS::Queue", "StatusQueueSteps");
    const [deadId] = one("AWS::SQS::Queue", "StatusQueueDead");

    expect(all("AWS::Lambda::EventSourceMapping").map(([, { Properties }]) => Properties)).toContainEqual(
      expect.objectContaining({
        EventSourceArn: { "Fn::GetAtt": [queue, "Arn"] },
        BatchSize: STATUS_BATCH_MESSAGES,
        MaximumBatchingWindowInSeconds: STATUS_WINDOW_SECONDS,
        ScalingConfig: { MaximumConcurrency: STATUS_MAX_CONCURRENCY },
        FunctionResponseTypes: ["ReportBatchItemFailures"],
      }),
    );
    expect(steps["VisibilityTimeout"]).toBe(6 * STATUS_TIMEOUT_SECONDS + STATUS_WINDOW_SECONDS);
    expect(steps["RedrivePolicy"]).toEqual({
      deadLetterTargetArn: { "Fn::GetAtt": [deadId, "Arn"] },
      maxReceiveCount: STATUS_MAX_RECEIVE_COUNT,
    });
  });

  it("ingest may write the notes of producers into the table of status, and no other item", () => {
    const ofIngest = statementsOf("IngestFunction").filter(({ Resource: resource }) =>
      JSON.stringify(resource).includes("StatusTable"),
    );

    expect(ofIngest).toMatchObject([
      {
        Action: "dynamodb:PutItem",
        Resource: table(),
        Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["producer"] } },
      },
    ]);
  });

  it("the depths of the four queues may be read, and no message of another queue than its own", () => {
    const statements = statementsOf("StatusFunction");
    const resourcesOf = (action: string) =>
      statements
        .filter(({ Action: actions }) => [actions].flat().includes(action))
        .flatMap(({ Resource: each }) => each);

    expect(new Set(resourcesOf("sqs:GetQueueAttributes").map((each) => JSON.stringify(each))).size).toBe(4);
    expect(JSON.stringify(resourcesOf("sqs:ReceiveMessage"))).toMatch(
      /^\[\{"Fn::GetAtt":\["StatusQueueSteps\w+","Arn"\]\}\]$/,
    );
  });

  it("the function asks for the alarms of the topic that every alarm which notifies has as its action", () => {
    const [, { Properties }] = one("AWS::Lambda::Function", "StatusFunction");
    const { Variables: variables } = Properties["Environment"] as { Variables: Record<string, unknown> };

    const actions = all("AWS::CloudWatch::Alarm").flatMap(([, { Properties: alarm }]) => alarm["AlarmActions"] ?? []);
    expect(new Set(actions.map((each) => JSON.stringify(each)))).toEqual(
      new Set([JSON.stringify(variables["ALARM_TOPIC_ARN"])]),
    );
  });

  it("the answer has the version of the package, and a build that is a digest of all functions", () => {
    const [, { Properties }] = one("AWS::Lambda::Function", "StatusFunction");
    const { Variables: variables } = Properties["Environment"] as { Variables: Record<string, unknown> };

    expect(variables).toMatchObject({
      VERSION: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      BUILD: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
  });
});
