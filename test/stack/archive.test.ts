import type { Template } from "aws-cdk-lib/assertions";
import { Match } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { stageWith, templateOf } from "./support.ts";

type Resource = { Properties: Record<string, unknown>; DeletionPolicy?: string };

let dev: Template;
let prod: Template;
beforeAll(() => {
  dev = templateOf("dev");
  prod = templateOf("prod");
});

function bucketOf(template: Template, name = "RetainArchive"): [string, Resource] {
  const buckets = Object.entries(template.findResources("AWS::S3::Bucket")) as [string, Resource][];
  const found = buckets.find(([id]) => id.startsWith(name));
  if (found === undefined) throw new Error(`There is no bucket ${name}.`);
  return found;
}

describe("the bucket of the archive", () => {
  it("the bucket is private, encrypted by S3, and refuses calls without TLS", () => {
    const [id, { Properties }] = bucketOf(prod);

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
    prod.hasResourceProperties("AWS::S3::BucketPolicy", {
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

  it("the bucket has no versions, which an erasure could not reach, and no rule that deletes an archive", () => {
    const [, { Properties }] = bucketOf(prod);

    expect(Properties["VersioningConfiguration"]).toBeUndefined();
    expect(Properties["ObjectLockEnabled"]).toBeUndefined();
    expect(Properties["LifecycleConfiguration"]).toEqual({
      Rules: [
        { Id: "unfinished-uploads", Status: "Enabled", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ],
    });
  });

  it("the bucket of prod outlives its stack, and that of dev does not", () => {
    expect([bucketOf(prod)[1].DeletionPolicy, bucketOf(dev)[1].DeletionPolicy]).toEqual(["Retain", "Delete"]);
  });

  const variables = (template: Template) =>
    Object.entries(template.findResources("AWS::Lambda::Function"))
      .filter(([id]) => id.startsWith("RetainFunction"))
      .map(([, { Properties }]) => (Properties as { Environment: { Variables: object } }).Environment.Variables);

  it("a stage archives before the drop where its settings say so, and the outputs name the bucket", () => {
    expect(variables(prod)).toMatchObject([{ ARCHIVE: "before-drop", ARCHIVE_BUCKET: { Ref: bucketOf(prod)[0] } }]);
    expect(variables(dev)).toMatchObject([{ ARCHIVE: "none" }]);
    prod.hasOutput("ArchiveBucketName", { Value: { Ref: bucketOf(prod)[0] } });
  });

  it("rollups are kept for good where the settings of the stage give no days", () => {
    expect(variables(dev)[0]).not.toHaveProperty("ROLLUP_RETENTION_DAYS");
    expect(variables(templateOf(stageWith({ rollupRetentionDays: 1_095 })))).toMatchObject([
      { ROLLUP_RETENTION_DAYS: "1095" },
    ]);
  });

  it("the function of retention deletes, writes, reads and lists files of the archive, deletes and reads those of exports, and no others", () => {
    const policies = Object.entries(prod.findResources("AWS::IAM::Policy")).filter(([id]) =>
      id.startsWith("RetainFunction"),
    );
    const statements = policies.flatMap(
      ([, { Properties }]) =>
        (Properties as { PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] } })
          .PolicyDocument.Statement,
    );
    const [arn, ofExports] = ["RetainArchive", "ExportBucket"].map((name) => ({
      "Fn::GetAtt": [bucketOf(prod, name)[0], "Arn"],
    }));

    expect(statements.filter(({ Action }) => [Action].flat().some((each) => each.startsWith("s3:")))).toEqual([
      expect.objectContaining({
        Action: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        Resource: { "Fn::Join": ["", [arn, "/archive/*"]] },
      }),
      expect.objectContaining({ Action: "s3:ListBucket", Resource: [ofExports, arn] }),
      expect.objectContaining({
        Action: ["s3:DeleteObject", "s3:GetObject"],
        Resource: { "Fn::Join": ["", [ofExports, "/exports/*"]] },
      }),
    ]);
  });
});
