import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { ArchiveFiles } from "../../core/archive-files.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { answered } from "./answered.ts";

/**
 * Keeps the archive in a bucket of S3. Reads see the last write, and a file is there as a whole or not at all.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
 */
export function createArchiveFiles({ client, bucket }: { client: S3Client; bucket: string }): ArchiveFiles {
  return {
    async put(key, bytes, contentType) {
      await answered(
        client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: contentType })),
      );
      FAILPOINT: await failpoint("afterUpload");
    },

    async get(key) {
      const command = new GetObjectCommand({ Bucket: bucket, Key: key });
      const read = async () => {
        const { Body: body } = await client.send(command);
        return (await body?.transformToByteArray()) ?? new Uint8Array();
      };
      return answered(
        read().catch((error: unknown) => {
          if (error instanceof NoSuchKey) return undefined;
          throw error;
        }),
      );
    },

    async *list(prefix) {
      let after: string | undefined;
      do {
        const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: after });
        const page = await answered(client.send(command));
        for (const { Key: key } of page.Contents ?? []) if (key !== undefined) yield key;
        after = page.NextContinuationToken;
      } while (after !== undefined);
    },

    async *folders(folder) {
      let after: string | undefined;
      do {
        const of = { Bucket: bucket, Prefix: folder, Delimiter: "/", ContinuationToken: after };
        const page = await answered(client.send(new ListObjectsV2Command(of)));
        for (const { Prefix: key } of page.CommonPrefixes ?? []) if (key !== undefined) yield key;
        after = page.NextContinuationToken;
      } while (after !== undefined);
    },

    async delete(key) {
      await answered(client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })));
      FAILPOINT: await failpoint("afterUpload");
    },
  };
}
