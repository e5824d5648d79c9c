import { describe, expect, it } from "vitest";
import { readBuckets } from "../../../localstack/template/read-buckets.ts";
import { createResolver } from "../../../localstack/template/resolver.ts";

const ENVIRONMENT = { stackName: "Stack", region: "us-east-1", accountId: "000000000000", sqsEndpoint: "" };

const PRIVATE = {
  BlockPublicAcls: true,
  BlockPublicPolicy: true,
  IgnorePublicAcls: true,
  RestrictPublicBuckets: true,
};

/** A bucket as CDK 2.276 writes it into the template, with other properties. */
function read(properties: Record<string, unknown> = {}) {
  const Properties = {
    BucketEncryption: { ServerSideEncryptionConfiguration: [] },
    PublicAccessBlockConfiguration: PRIVATE,
    ...properties,
  };
  const resolver = createResolver({ Resources: { Files: { Type: "AWS::S3::Bucket", Properties } } }, ENVIRONMENT);
  return { buckets: readBuckets(resolver), ref: resolver.ref("Files", ""), arn: resolver.getAtt("Files", "Arn", "") };
}

const rules = (...each: object[]) => ({ LifecycleConfiguration: { Rules: each } });

describe("a bucket of the template", () => {
  it("a bucket without a name has one that S3 accepts, the same at every start", () => {
    const { buckets, ref, arn } = read();

    expect(ref).toMatch(/^stack-files-[a-z0-9]{12}$/);
    expect(arn).toBe(`arn:aws:s3:::${ref}`);
    expect(buckets).toEqual([{ logicalId: "Files", name: ref, expirations: [], abortUploadsAfterDays: undefined }]);
    expect(read().ref).toBe(ref);
  });

  it("a bucket has the rules that are enabled", () => {
    const { buckets } = read(
      rules(
        { Id: "a", Status: "Enabled", Prefix: "exports/", ExpirationInDays: 7 },
        { Status: "Disabled", ExpirationInDays: 1 },
        { Status: "Enabled", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ),
    );

    expect(buckets).toMatchObject([{ expirations: [{ prefix: "exports/", days: 7 }], abortUploadsAfterDays: 1 }]);
  });

  it.each([
    ["is public in one way", { PublicAccessBlockConfiguration: { ...PRIVATE, IgnorePublicAcls: false } }],
    ["says nothing about who may read it", { PublicAccessBlockConfiguration: undefined }],
  ])("a bucket that %s stops the start", (_, properties) => {
    expect(() => read(properties)).toThrow(/only private buckets run locally/);
  });

  it.each([
    ["versions", { VersioningConfiguration: { Status: "Enabled" } }],
    ["notifications", { NotificationConfiguration: {} }],
    ["a rule for versions", rules({ Status: "Enabled", NoncurrentVersionExpiration: { NoncurrentDays: 1 } })],
    [
      "a rule that ends uploads below a prefix",
      rules({ Status: "Enabled", Prefix: "a/", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
    ],
  ])("a bucket with %s stops the start", (_, properties) => {
    expect(() => read(properties)).toThrow(/Files\.Properties\./);
  });
});
