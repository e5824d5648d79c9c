import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { ExportFiles, FileUpload } from "../../core/export-job.ts";
import { EXPORT_PIECE_BYTES } from "../../core/export-limits.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { answered } from "./answered.ts";

/** Keeps the files of exports in a bucket of S3. */
export function createExportFiles({ client, bucket }: { client: S3Client; bucket: string }): ExportFiles {
  return {
    upload: (key, contentType) => createUpload(client, { Bucket: bucket, Key: key }, contentType),
    link: (key, seconds) =>
      getSignedUrl(
        client,
        new GetObjectCommand({
          Bucket: bucket,
          Key: key,
          ResponseContentDisposition: `attachment; filename="${key.slice(key.lastIndexOf("/") + 1)}"`,
        }),
        { expiresIn: seconds },
      ),
  };
}

/**
 * Uploads a file in pieces as it comes, so that one piece of it is in memory; a file of one piece is one call. The SDK sends
 * a checksum with each call, which S3 compares. A multipart upload that is never completed costs until the bucket's rule
 * ends it.
 */
function createUpload(client: S3Client, file: { Bucket: string; Key: string }, contentType: string): FileUpload {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let uploadId: string | undefined;
  const pieces: CompletedPart[] = [];

  const take = (): Uint8Array => {
    const body = Buffer.concat(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
    return body;
  };

  async function sendPiece(): Promise<void> {
    uploadId ??= (await answered(client.send(new CreateMultipartUploadCommand({ ...file, ContentType: contentType }))))
      .UploadId;
    const number = pieces.length + 1;
    const command = new UploadPartCommand({ ...file, UploadId: uploadId, PartNumber: number, Body: take() });
    const { ETag, ChecksumCRC32 } = await answered(client.send(command));
    pieces.push({ PartNumber: number, ETag, ChecksumCRC32 });
    FAILPOINT: await failpoint("afterPiece");
  }

  return {
    async write(bytes) {
      pending.push(bytes);
      pendingBytes += bytes.byteLength;
      if (pendingBytes >= EXPORT_PIECE_BYTES) await sendPiece();
    },

    async complete() {
      if (pieces.length === 0) {
        await answered(client.send(new PutObjectCommand({ ...file, ContentType: contentType, Body: take() })));
      } else {
        if (pendingBytes > 0) await sendPiece();
        const command = new CompleteMultipartUploadCommand({
          ...file,
          UploadId: uploadId,
          MultipartUpload: { Parts: pieces },
        });
        await answered(client.send(command));
      }
      FAILPOINT: await failpoint("afterUpload");
    },

    async abort() {
      if (uploadId === undefined) return;
      await client.send(new AbortMultipartUploadCommand({ ...file, UploadId: uploadId })).catch(() => undefined);
    },
  };
}
