import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { REPLAY_TIMEOUT_SECONDS } from "../../functions/core/function-limits.ts";
import { REPLAY_MAX_RECEIVE_COUNT } from "../../functions/core/queue-limits.ts";
import {
  REPLAY_MAX_CONCURRENCY,
  REPLAY_STEP_MS,
  REPLAY_STEP_RESERVE_MS,
  REPLAY_TAKE_MS,
} from "../../functions/core/replay-limits.ts";
import { stageWith, templateOf } from "./support.ts";

type Resource = { Properties: Record<string, unknown> };

let dev: Template;
let own: Template;
beforeAll(() => {
  dev = templateOf("dev");
  own = templateOf(
    stageWith({ replayQueues: ["arn:aws:sqs:eu-central-1:111122223333:other"], deadLetterRetentionDays: 30 }),
  );
});

const all = (type: string, from = dev) => Object.entries(from.findResources(type)) as [string, Resource][];
const one = (type: string, start: string, from = dev) =>
  all(type, from).find(([id]) => id.startsWith(start)) as [string, Resource];
const variables = (start: string, from = dev) =>
  (one("AWS::Lambda::Function", start, from)[1].Properties["Environment"] as { Variables: Record<string, unknown> })
    .Variables;

describe("the steps of replays", () => {
  it("the steps of replays run one message at a time, two at once, and report what stays in the queue", () => {
    const [queue] = one("AWS::SQS::Queue", "ReplayQueueSteps");

    expect(all("AWS::Lambda::EventSourceMapping").map(([, { Properties }]) => Properties)).toContainEqual(
      expect.objectContaining({
        EventSourceArn: { "Fn::GetAtt": [queue, "Arn"] },
        BatchSize: 1,
        ScalingConfig: { MaximumConcurrency: REPLAY_MAX_CONCURRENCY },
        FunctionResponseTypes: ["ReportBatchItemFailures"],
      }),
    );
  });

  it("the queue of replay steps gives a message six times the time of a step, and a dead-letter queue that keeps it longer", () => {
    const [, { Properties: steps }] = one("AWS::SQS::Queue", "ReplayQueueSteps");
    const [deadId, { Properties: dead }] = one("AWS::SQS::Queue", "ReplayQueueDead");

    expect(steps["VisibilityTimeout"]).toBe(6 * REPLAY_TIMEOUT_SECONDS);
    expect(steps["RedrivePolicy"]).toEqual({
      deadLetterTargetArn: { "Fn::GetAtt": [deadId, "Arn"] },
      maxReceiveCount: REPLAY_MAX_RECEIVE_COUNT,
    });
    expect(Number(dead["MessageRetentionPeriod"])).toBeGreaterThan(Number(steps["MessageRetentionPeriod"]));
  });

  it("a step of a replay ends within the time of its function, also after its last take", () => {
    expect(REPLAY_STEP_MS + REPLAY_TAKE_MS + REPLAY_STEP_RESERVE_MS).toBeLessThan(1_000 * REPLAY_TIMEOUT_SECONDS);
  });

  it("alarms watch the dead-letter queue of replay steps, the errors of their function, and replays that failed", () => {
    const alarms = all("AWS::CloudWatch::Alarm").filter(([id]) => id.startsWith("Replay"));

    expect(alarms.map(([, { Properties }]) => String(Properties["MetricName"])).toSorted()).toEqual([
      "ApproximateNumberOfMessagesVisible",
      "Errors",
      "ReplaysFailed",
    ]);
  });
});

describe("the settings of dead letters", () => {
  it("a replay may send to the queues of the setting, and to no other one", () => {
    const sends = (from: Template) =>
      all("AWS::IAM::Policy", from)
        .filter(([id]) => id.startsWith("Replay"))
        .flatMap(
          ([, { Properties }]) =>
            (Properties["PolicyDocument"] as { Statement: { Action: string | string[]; Resource: unknown }[] })
              .Statement,
        )
        .filter(({ Action }) => [Action].flat().includes("sqs:SendMessage"))
        .flatMap(({ Resource }) => Resource);

    expect(sends(dev)).toHaveLength(3);
    expect(sends(own)).toHaveLength(4);
    expect(sends(own)).toContain("arn:aws:sqs:eu-central-1:111122223333:other");
    expect(variables("ReplayFunction")).not.toHaveProperty("REPLAY_QUEUE_URLS");
    expect(JSON.stringify(variables("ReplayFunction", own)["REPLAY_QUEUE_URLS"])).toContain(
      "https://sqs.eu-central-1.",
    );
  });

  it("dead letters are deleted where the stage says so alone", () => {
    expect(variables("MigrateFunction")).not.toHaveProperty("DEAD_LETTER_RETENTION_DAYS");
    expect(variables("MigrateFunction", own)).toMatchObject({ DEAD_LETTER_RETENTION_DAYS: "30" });
  });
});
