import { Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { Grant } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { EXPORT_KEPT_DAYS } from "../functions/core/export-limits.ts";
import type { StageConfig } from "./stage-config.ts";

export type ExportBucketProps = { readonly stage: StageConfig };

/** The bucket of the files of exports, below `exports/`: private, encrypted, and deleted after some days. */
export class ExportBucket extends Construct {
  readonly name: string;
  private readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { stage }: ExportBucketProps) {
    super(scope, id);
    const removalPolicy = stage.accessRemovalPolicy;
    this.bucket = new Bucket(this, "Files", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      removalPolicy,
      // CloudFormation deletes only an empty bucket. MiniStack never ends the custom resource that empties it.
      autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY && this.node.tryGetContext("target") !== "localstack",
      lifecycleRules: [
        { id: "exports", prefix: FOLDER, expiration: Duration.days(EXPORT_KEPT_DAYS) },
        // A step that was killed leaves pieces that nobody sees and that cost as files do.
        { id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    this.name = this.bucket.bucketName;
    Validations.of(this.bucket).acknowledge({
      id: "AwsSolutions-S1",
      reason: "The audit log has each export and its key; access logs would need a bucket of their own.",
    });
  }

  /** Lets a function write files, end uploads, and sign links of files. */
  grantFiles(grantee: IFunction): void {
    this.grant(grantee, ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], "writes");
  }

  /** Lets a function find, read and delete files, for an erasure. */
  grantErasure(grantee: IFunction): void {
    this.grant(grantee, ["s3:DeleteObject", "s3:GetObject"], "deletes");
    Grant.addToPrincipal({ grantee, actions: ["s3:ListBucket"], resourceArns: [this.bucket.bucketArn] });
  }

  private grant(grantee: IFunction, actions: string[], verb: string): void {
    Grant.addToPrincipal({ grantee, actions, resourceArns: [this.bucket.arnForObjects(`${FOLDER}*`)] });
    const bucketId = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket);
    if (grantee.role === undefined) return;
    Validations.of(grantee.role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${FOLDER}*]`,
      reason: `The function ${verb} the files of every export, whose names are made as they are written.`,
    });
  }
}

const FOLDER = "exports/";
