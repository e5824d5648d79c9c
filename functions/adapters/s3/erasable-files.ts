import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  type S3Client,
} from "@aws-sdk/client-s3";
import { type ErasableFiles, FilesError } from "../../core/export-job.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { answered } from "./answered.ts";

/** The files of exports in a bucket of S3, for an erasure. */
export function createErasableFiles({ client, bucket }: { client: S3Client; bucket: string }): ErasableFiles {
  return {
    async *list(prefix) {
      let after: string | undefined;
      do {
        const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: after });
        const page = await answered(client.send(command));
        for (const { Key: key } of page.Contents ?? []) if (key !== undefined) yield key;
        after = page.NextContinuationToken;
      } while (after !== undefined);
    },

    async read(key, abortSignal) {
      const call = client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal });
      const found = await answered(
        call.catch((error: unknown) => {
          if (error instanceof NoSuchKey) return undefined;
          throw error;
        }),
      );
      return found === undefined ? undefined : bytesOf(found.Body as AsyncIterable<Uint8Array>);
    },

    async delete(key) {
      await answered(client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })));
      FAILPOINT: await failpoint("afterUpload");
    },
  };
}

/** The body of an answer, whose connection may end in the middle. */
async function* bytesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new FilesError("S3 did not send all of a file.", { cause });
  }
}
