import { Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { Grant } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { StageConfig } from "./stage-config.ts";

export type FilesBucketProps = {
  readonly stage: StageConfig;
  /** The folder of the files, which no function leaves. */
  readonly folder: "archive" | "exports";
  /** Days after which files are deleted. @default never */
  readonly keptDays?: number;
};

/**
 * A bucket of files of events: private and encrypted. It has no versions, because an erasure has to reach every copy. It stays when
 * the stack is deleted, but where the stage says that its data may go.
 */
export class FilesBucket extends Construct {
  readonly name: string;
  private readonly bucket: Bucket;
  private readonly folder: string;

  constructor(scope: Construct, id: string, { stage, folder, keptDays }: FilesBucketProps) {
    super(scope, id);
    const removalPolicy = stage.accessRemovalPolicy;
    this.folder = `${folder}/`;
    this.bucket = new Bucket(this, "Files", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: false,
      removalPolicy,
      // CloudFormation deletes only an empty bucket. MiniStack never ends the custom resource that empties it.
      autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY && this.node.tryGetContext("target") !== "localstack",
      lifecycleRules: [
        ...(keptDays === undefined ? [] : [{ id: folder, prefix: this.folder, expiration: Duration.days(keptDays) }]),
        // A step that was killed leaves pieces that nobody sees and that cost as files do.
        { id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    this.name = this.bucket.bucketName;
    Validations.of(this.bucket).acknowledge({
      id: "AwsSolutions-S1",
      reason: "The audit log has each export and restore with its key; access logs would need a bucket of their own.",
    });
  }

  /** Lets a function do something with the files of every tenant, and nothing with others. */
  grantFiles(grantee: IFunction, actions: readonly string[]): void {
    const resourceArns = [this.bucket.arnForObjects(`${this.folder}*`)];
    Grant.addToPrincipal({ grantee, actions: actions.map((each) => `s3:${each}`), resourceArns });
    const bucketId = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket);
    if (grantee.role === undefined) return;
    Validations.of(grantee.role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${this.folder}*]`,
      reason: "The function has to do with the files of every tenant, whose names are made as they are written.",
    });
  }

  /** Lets a function list the files. Without it S3 answers 403 for a file that is not there. */
  grantList(grantee: IFunction): void {
    Grant.addToPrincipal({ grantee, actions: ["s3:ListBucket"], resourceArns: [this.bucket.bucketArn] });
  }
}
