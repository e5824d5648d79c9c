import { S3Client } from "@aws-sdk/client-s3";
import type { BucketModel } from "../../localstack/template/model.ts";
import { LOCAL_AWS } from "./local-aws.ts";

/** A bucket as the template would describe it. */
export const bucketModel = (bucket: Pick<BucketModel, "name"> & Partial<BucketModel>): BucketModel => ({
  logicalId: bucket.name,
  expirations: [],
  abortUploadsAfterDays: undefined,
  ...bucket,
});

/** Repeats no call, so that a test sees every failure. */
export const s3Client = (endpoint: string): S3Client => new S3Client({ ...LOCAL_AWS, endpoint, maxAttempts: 1 });
