import type { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import {
  NOTIFY_BATCH_MESSAGES,
  NOTIFY_MAX_CONCURRENCY,
  NOTIFY_TIMEOUT_SECONDS,
} from "../../functions/core/function-limits.ts";
import { NOTIFY_MAX_RECEIVE_COUNT } from "../../functions/core/queue-limits.ts";
import {
  CLAIM_LEASE_SECONDS,
  DELIVERY_TIMEOUT_MAX_MS,
  SUBSCRIPTION_ANSWER_MS,
} from "../../functions/core/subscription-limits.ts";
import { LEASE_RESERVE_MS, ROUND_CLOSE_MS } from "../../functions/notify/limits.ts";
import { stageWith, templateOf } from "./support.ts";

type Resource = { Properties: Record<string, unknown> };
type Statement = { Action: string | string[]; Resource: unknown };

const topic = "arn:aws:sns:eu-central-1:111122223333:alerts";
const queue = "arn:aws:sqs:eu-central-1:111122223333:other";

let dev: Template;
let own: Template;
let smtp: Template;
beforeAll(() => {
  dev = templateOf("dev");
  own = templateOf(stageWith({ emailFrom: "sluice@example.com", notifyTopics: [topic], notifyQueues: [queue] }));
  smtp = templateOf(stageWith({ emailFrom: "sluice@example.com", smtpUrl: "smtps://mail.example.com:465" }));
});

const all = (type: string, from = dev) => Object.entries(from.findResources(type)) as [string, Resource][];
const one = (type: string, start: string, from = dev) =>
  all(type, from).find(([id]) => id.startsWith(start)) as [string, Resource];
const variables = (start: string, from = dev) =>
  (one("AWS::Lambda::Function", start, from)[1].Properties["Environment"] as { Variables: Record<string, unknown> })
    .Variables;
const allowed = (action: string, from: Template) =>
  all("AWS::IAM::Policy", from)
    .filter(([id]) => id.startsWith("NotifyFunction"))
    .flatMap(([, { Properties }]) => (Properties["PolicyDocument"] as { Statement: Statement[] }).Statement)
    .filter(({ Action }) => [Action].flat().includes(action))
    .flatMap(({ Resource }) => Resource);

describe("the wake-ups of notify", () => {
  it("wake-ups come without a window, ten at most, to a few rounds at once, and report what stays in the queue", () => {
    const [wakes] = one("AWS::SQS::Queue", "WakesSteps");
    const source = all("AWS::Lambda::EventSourceMapping")
      .map(([, { Properties }]) => Properties)
      .find(({ EventSourceArn: arn }) => JSON.stringify(arn).includes(wakes));

    expect(source).toMatchObject({
      BatchSize: NOTIFY_BATCH_MESSAGES,
      ScalingConfig: { MaximumConcurrency: NOTIFY_MAX_CONCURRENCY },
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
    expect(source?.["MaximumBatchingWindowInSeconds"]).toBeUndefined();
  });

  it("the queue of wake-ups gives a message six times the time of a round, and a dead-letter queue that keeps it longer", () => {
    const [, { Properties: wakes }] = one("AWS::SQS::Queue", "WakesSteps");
    const [deadId, { Properties: dead }] = one("AWS::SQS::Queue", "WakesDead");

    expect(wakes["VisibilityTimeout"]).toBe(6 * NOTIFY_TIMEOUT_SECONDS);
    expect(wakes["RedrivePolicy"]).toEqual({
      deadLetterTargetArn: { "Fn::GetAtt": [deadId, "Arn"] },
      maxReceiveCount: NOTIFY_MAX_RECEIVE_COUNT,
    });
    expect(Number(dead["MessageRetentionPeriod"])).toBeGreaterThan(Number(wakes["MessageRetentionPeriod"]));
  });

  it("consume, migrate and notify have the address of the queue of wake-ups", () => {
    const [wakes] = one("AWS::SQS::Queue", "WakesSteps");

    for (const name of ["ConsumeFunction", "MigrateFunction", "NotifyFunction"])
      expect(variables(name)["WAKE_QUEUE_URL"], name).toEqual({ Ref: wakes });
  });

  it("a round claims for a part of its time, and ends what it sent in the rest; a lease holds the longest attempt and its result", () => {
    const round = 1_000 * NOTIFY_TIMEOUT_SECONDS;

    expect(round - ROUND_CLOSE_MS).toBeGreaterThanOrEqual(round / 3);
    expect(ROUND_CLOSE_MS).toBeGreaterThan(DELIVERY_TIMEOUT_MAX_MS);
    expect(1_000 * CLAIM_LEASE_SECONDS).toBeGreaterThan(DELIVERY_TIMEOUT_MAX_MS + LEASE_RESERVE_MS);
    expect(SUBSCRIPTION_ANSWER_MS).toBeLessThan(29_000);
  });

  it("alarms watch the dead-letter queue of wake-ups, the errors of notify, and subscriptions that fail or were disabled", () => {
    const alarms = all("AWS::CloudWatch::Alarm").filter(([id]) => /^(Notify|Wakes)/.test(id));

    expect(alarms.map(([, { Properties }]) => String(Properties["MetricName"])).toSorted()).toEqual([
      "ApproximateNumberOfMessagesVisible",
      "Errors",
      "FiltersFailing",
      "SubscriptionsDisabled",
      "SubscriptionsFailing",
    ]);
  });
});

describe("the sinks of a stage", () => {
  it("notify may publish and send to the topics and queues of the settings, and to no others", () => {
    expect(allowed("sns:Publish", dev)).toEqual([]);
    expect(allowed("sns:Publish", own)).toEqual([topic]);
    expect(allowed("sqs:SendMessage", dev)).toHaveLength(2);
    expect(allowed("sqs:SendMessage", own)).toHaveLength(3);
    expect(allowed("sqs:SendMessage", own)).toContain(queue);
    expect(variables("NotifyFunction", own)["NOTIFY_TOPIC_ARNS"]).toBe(topic);
    expect(JSON.stringify(variables("NotifyFunction", own)["NOTIFY_QUEUE_URLS"])).toContain(
      "https://sqs.eu-central-1.",
    );
  });

  it("notify may send e-mails from the address of the settings or its domain, and none where a server of SMTP does", () => {
    const identities = JSON.stringify(allowed("ses:SendRawEmail", own));

    expect(identities).toContain(":identity/sluice@example.com");
    expect(identities).toContain(":identity/example.com");
    expect(allowed("ses:SendRawEmail", dev)).toEqual([]);
    expect(allowed("ses:SendRawEmail", smtp)).toEqual([]);
    expect(variables("NotifyFunction", smtp)).toMatchObject({
      EMAIL_FROM: "sluice@example.com",
      SMTP_URL: "smtps://mail.example.com:465",
    });
  });

  it("no stage lets a sink be anything but https", () => {
    for (const from of [dev, own, templateOf("prod")])
      expect(variables("NotifyFunction", from)).not.toHaveProperty("ALLOW_HTTP_SINKS");
  });

  it.each([
    [{ emailFrom: "me" }, "is not an e-mail address"],
    [{ smtpUrl: "https://mail.example.com" }, "is not the address of an SMTP server"],
    [{ notifyTopics: ["alerts"] }, "is not the ARN of a topic"],
    [{ notifyQueues: ["https://sqs.eu-central-1.amazonaws.com/111122223333/other"] }, "is not the ARN of a queue"],
    [{ notifyQueues: [] }, "notifyQueues"],
  ])("the settings %j are refused with a reason", (settings, reason) => {
    expect(() => stageWith(settings)).toThrow(reason);
  });
});
