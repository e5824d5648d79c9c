import { Match, type Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import {
  EXPORT_KEPT_DAYS,
  EXPORT_MAX_CONCURRENCY,
  EXPORT_PIECE_BYTES,
  EXPORT_STEP_MS,
  EXPORT_STEP_RESERVE_MS,
} from "../../functions/core/export-limits.ts";
import { EXPORT_TIMEOUT_SECONDS } from "../../functions/core/function-limits.ts";
import { EXPORT_MAX_RECEIVE_COUNT } from "../../functions/core/queue-limits.ts";
import { templateOf } from "./support.ts";

type Resource = { Properties: Record<string, unknown>; DeletionPolicy?: string };

let dev: Template;
let prod: Template;
beforeAll(() => {
  dev = templateOf("dev");
  prod = templateOf("prod");
});

const all = (type: string, from = dev) => Object.entries(from.findResources(type)) as [string, Resource][];
const one = (type: string, start: string, from = dev) =>
  all(type, from).find(([id]) => id.startsWith(start)) as [string, Resource];

describe("the bucket of exports", () => {
  it("the bucket is private, encrypted by S3, and refuses calls without TLS", () => {
    const [id, { Properties }] = one("AWS::S3::Bucket", "Export");

    expect(Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    dev.hasResourceProperties("AWS::S3::BucketPolicy", {
      Bucket: { Ref: id },
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: "Deny",
            Action: "s3:*",
            Principal: { AWS: "*" },
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          }),
        ]),
      },
    });
  });

  it("the bucket deletes files after their days, and pieces of uploads that nobody ended after one", () => {
    expect(one("AWS::S3::Bucket", "Export")[1].Properties["LifecycleConfiguration"]).toEqual({
      Rules: [
        { Id: "exports", Prefix: "exports/", ExpirationInDays: EXPORT_KEPT_DAYS, Status: "Enabled" },
        { Id: "unfinished-uploads", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: "Enabled" },
      ],
    });
  });

  it("the bucket and its files are deleted with dev, and kept in prod", () => {
    expect(one("AWS::S3::Bucket", "Export")[1].DeletionPolicy).toBe("Delete");
    expect(
      all("Custom::S3AutoDeleteObjects")
        .map(([id]) => id.slice(0, 6))
        .toSorted(),
    ).toEqual(["Export", "Retain"]);
    expect(one("AWS::S3::Bucket", "Export", prod)[1].DeletionPolicy).toBe("Retain");
    expect(all("Custom::S3AutoDeleteObjects", prod)).toEqual([]);
  });

  it("the function may write and read below exports/ alone, and cannot list or delete files", () => {
    const [bucket] = one("AWS::S3::Bucket", "Export");
    const policies = all("AWS::IAM::Policy").filter(([id]) => id.startsWith("Export"));
    const statements = policies.flatMap(
      ([, { Properties }]) =>
        (Properties["PolicyDocument"] as { Statement: { Action: string | string[]; Resource: unknown }[] }).Statement,
    );
    const ofFiles = statements.filter(({ Action }) => [Action].flat().some((action) => action.startsWith("s3:")));

    expect(ofFiles).toMatchObject([
      {
        Action: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
        Resource: { "Fn::Join": ["", [{ "Fn::GetAtt": [bucket, "Arn"] }, "/exports/*"]] },
      },
    ]);
  });
});

describe("the steps of exports", () => {
  it("the steps run one message at a time, two at once, and report what stays in the queue", () => {
    const [queue] = one("AWS::SQS::Queue", "ExportQueueSteps");

    expect(all("AWS::Lambda::EventSourceMapping").map(([, { Properties }]) => Properties)).toContainEqual(
      expect.objectContaining({
        EventSourceArn: { "Fn::GetAtt": [queue, "Arn"] },
        BatchSize: 1,
        ScalingConfig: { MaximumConcurrency: EXPORT_MAX_CONCURRENCY },
        FunctionResponseTypes: ["ReportBatchItemFailures"],
      }),
    );
  });

  it("the queue of steps gives a message six times the time of a step, and a dead-letter queue that keeps it longer", () => {
    const [, { Properties: steps }] = one("AWS::SQS::Queue", "ExportQueueSteps");
    const [deadId, { Properties: dead }] = one("AWS::SQS::Queue", "ExportQueueDead");

    expect(steps["VisibilityTimeout"]).toBe(6 * EXPORT_TIMEOUT_SECONDS);
    expect(steps["RedrivePolicy"]).toEqual({
      deadLetterTargetArn: { "Fn::GetAtt": [deadId, "Arn"] },
      maxReceiveCount: EXPORT_MAX_RECEIVE_COUNT,
    });
    expect(Number(dead["MessageRetentionPeriod"])).toBeGreaterThan(Number(steps["MessageRetentionPeriod"]));
  });

  it("a step ends well within the time of its function, also where it still has to end an upload", () => {
    expect(EXPORT_STEP_MS + EXPORT_STEP_RESERVE_MS).toBeLessThan(1_000 * EXPORT_TIMEOUT_SECONDS);
    // S3 takes pieces from 5 MiB on.
    expect(EXPORT_PIECE_BYTES).toBeGreaterThanOrEqual(5 * 1_024 ** 2);
  });

  it("alarms watch the dead-letter queue of the steps and the errors of their function", () => {
    const alarms = all("AWS::CloudWatch::Alarm").filter(([id]) => id.startsWith("Export"));

    expect(alarms.map(([, { Properties }]) => String(Properties["MetricName"])).toSorted()).toEqual([
      "ApproximateNumberOfMessagesVisible",
      "Errors",
      "ExportsFailed",
    ]);
  });
});
