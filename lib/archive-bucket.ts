import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { Grant } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { StageConfig } from "./stage-config.ts";

export type ArchiveBucketProps = { readonly stage: StageConfig };

/**
 * The bucket of archived events: private and encrypted. It has no versions, because an erasure has to reach every copy, and no rule
 * that deletes: the files are all that is left of their events. It stays when the stack is deleted, but where the stage says that
 * its data may go.
 */
export class ArchiveBucket extends Construct {
  readonly name: string;
  private readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { stage }: ArchiveBucketProps) {
    super(scope, id);
    const removalPolicy = stage.accessRemovalPolicy;
    this.bucket = new Bucket(this, "Files", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: false,
      removalPolicy,
      // CloudFormation deletes only an empty bucket. MiniStack never ends the custom resource that empties it.
      autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY && this.node.tryGetContext("target") !== "localstack",
      // A copy that somebody makes in pieces and never ends would cost as files do.
      lifecycleRules: [{ id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
    this.name = this.bucket.bucketName;
    new CfnOutput(Stack.of(this), "ArchiveBucketName", { value: this.name });
    Validations.of(this.bucket).acknowledge({
      id: "AwsSolutions-S1",
      reason: "The audit log has each restore and its key; access logs would need a bucket of their own.",
    });
  }

  /** Lets a function write, read, list and, for an erasure, delete files. */
  grantFiles(grantee: IFunction): void {
    const resourceArns = [this.bucket.arnForObjects(`${FOLDER}*`)];
    Grant.addToPrincipal({ grantee, actions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], resourceArns });
    // Without it S3 answers 403 for a file that is not there.
    Grant.addToPrincipal({ grantee, actions: ["s3:ListBucket"], resourceArns: [this.bucket.bucketArn] });
    const bucketId = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket);
    if (grantee.role === undefined) return;
    Validations.of(grantee.role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${FOLDER}*]`,
      reason: "The function writes and reads the files of every tenant, whose names it makes.",
    });
  }
}

const FOLDER = "archive/";
