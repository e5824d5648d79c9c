import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createArchiveFolder } from "../../functions/adapters/files/archive-folder.ts";
import { createArchiveFiles } from "../../functions/adapters/s3/archive-files.ts";
import type { ChildServer } from "../../localstack/child-server.ts";
import { startS3 } from "../../localstack/s3/s3.ts";
import { describeArchiveFiles } from "../support/conformance/archive-files.ts";
import { bucketModel, s3Client } from "../support/s3.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { memoryArchive } from "../unit/retain/archive-support.ts";
import { allOf } from "../support/all-of.ts";

let folder: TemporaryFolder;
let s3: ChildServer;
let client: S3Client;
let opened = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
  s3 = await startS3({
    dataDir: folder.path,
    buckets: Array.from({ length: 10 }, (_, at) => bucketModel({ name: `archive-${at}` })),
  });
  client = s3Client(s3.endpoint);
});
afterAll(async () => {
  client.destroy();
  await s3.stop();
  await folder.remove();
});

const openBucket = async () => createArchiveFiles({ client, bucket: `archive-${(opened += 1)}` });

describeArchiveFiles("in S3", openBucket);
describeArchiveFiles("in a folder", async () => createArchiveFolder(`${folder.path}/folder-${(opened += 1)}`));
describeArchiveFiles("in memory", async () => memoryArchive().files);

describe("an archive in S3 that does not answer", () => {
  it("an outage of S3 is an error of files, and a bucket that is missing too", async () => {
    const cut = s3Client("http://127.0.0.1:1");
    const files = createArchiveFiles({ client: cut, bucket: "archive-0" });

    await expect(files.put("a", Buffer.from("1"), "text/plain")).rejects.toMatchObject({ name: "FilesError" });
    await expect(files.get("a")).rejects.toMatchObject({ name: "FilesError" });
    await expect(allOf(files.list("a"))).rejects.toMatchObject({ name: "FilesError" });
    await expect(createArchiveFiles({ client, bucket: "none" }).get("a")).rejects.toMatchObject({ name: "FilesError" });
    cut.destroy();
  });
});
