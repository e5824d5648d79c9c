import { S3Client } from "@aws-sdk/client-s3";
import { localClient } from "../../cli/local-client.ts";
import { createArchiveFolder } from "../../functions/adapters/files/archive-folder.ts";
import { createArchiveFiles } from "../../functions/adapters/s3/archive-files.ts";
import type { ArchiveFiles } from "../../functions/core/archive-files.ts";

export type ArchiveLocation = { folder?: string; bucket?: string; endpoint?: string };

/** The archive in a folder or a bucket; the bucket with the AWS credentials of the shell. @throws Error that names the options */
export function openArchive({ folder, bucket, endpoint }: ArchiveLocation): ArchiveFiles {
  if (folder !== undefined && bucket !== undefined)
    throw new Error("--folder and --bucket name two archives. Leave one of them out.");
  if (folder !== undefined) return createArchiveFolder(folder);
  if (bucket === undefined) {
    throw new Error(
      "Name the archive: --bucket, which `cdk deploy` prints as ArchiveBucketName, or --folder with a copy of it.",
    );
  }
  const local =
    endpoint === undefined
      ? {}
      : { ...localClient({ endpoint, region: "us-east-1", maxAttempts: 3 }), forcePathStyle: true };
  return createArchiveFiles({ client: new S3Client(local), bucket });
}
