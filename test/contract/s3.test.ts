import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChildServer } from "../../localstack/child-server.ts";
import { startS3, startSupervisedS3 } from "../../localstack/s3/s3.ts";
import type { BucketModel } from "../../localstack/template/model.ts";
import { eventually } from "../support/eventually.ts";
import { bucketModel, s3Client } from "../support/s3.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const FILES = bucketModel({ name: "files" });
const MIB = 1_024 * 1_024;

let folder: TemporaryFolder;
let s3: ChildServer;
let client: S3Client;
let notes: string[];

async function open(): Promise<void> {
  folder = await temporaryFolder();
  await start([FILES]);
}

async function close(): Promise<void> {
  client.destroy();
  await s3.stop();
  await folder.remove();
}

function useOneProcessPerTest(): void {
  beforeEach(open);
  afterEach(close);
}

/** For tests that leave only objects behind. */
function useOneProcess(): void {
  beforeAll(open);
  afterAll(close);
}

async function start(buckets: BucketModel[]): Promise<void> {
  notes = [];
  s3 = await startS3({ dataDir: folder.path, buckets, log: (line) => notes.push(line) });
  client = s3Client(s3.endpoint);
}

async function restart(buckets: BucketModel[], how: "in order" | "killed" = "in order"): Promise<void> {
  client.destroy();
  if (how === "in order") await s3.stop();
  else {
    process.kill(s3.pid, "SIGKILL");
    await s3.exited;
  }
  await start(buckets);
}

const put = (key: string, body: Uint8Array | string) =>
  client.send(new PutObjectCommand({ Bucket: "files", Key: key, Body: body }));

async function get(key: string): Promise<Buffer> {
  const { Body: body } = await client.send(new GetObjectCommand({ Bucket: "files", Key: key }));
  return Buffer.from((await body?.transformToByteArray()) ?? []);
}

const keys = async () =>
  ((await client.send(new ListObjectsV2Command({ Bucket: "files" }))).Contents ?? []).map(({ Key: key }) => key);

const link = (key: string, expiresIn = 60) =>
  getSignedUrl(client, new GetObjectCommand({ Bucket: "files", Key: key }), { expiresIn });

async function upload(key: string, pieces: Buffer[]): Promise<void> {
  const file = { Bucket: "files", Key: key };
  const { UploadId: id } = await client.send(new CreateMultipartUploadCommand(file));
  const parts = [];
  for (const [index, body] of pieces.entries()) {
    const number = index + 1;
    const part = { ...file, UploadId: id, PartNumber: number, Body: body };
    const { ETag: etag } = await client.send(new UploadPartCommand(part));
    parts.push({ PartNumber: number, ETag: etag });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...file, UploadId: id, MultipartUpload: { Parts: parts } }));
}

/** Makes everything in the bucket as old as so many days. */
function age(days: number): void {
  const database = new DatabaseSync(join(folder.path, "fauxqs.db"));
  const then = new Date(Date.now() - days * 86_400_000).toISOString();
  database.prepare("update s3_objects set last_modified = ?").run(then);
  database.prepare("update s3_multipart_uploads set initiated = ?").run(then);
  database.close();
}

describe("the local S3", () => {
  useOneProcessPerTest();

  it("the local S3 gives objects back byte for byte, also those of several pieces", async () => {
    const [small, first, second] = [randomBytes(1_000), randomBytes(8 * MIB), randomBytes(MIB)];

    await put("a/small", small);
    await upload("a/large", [first, second]);

    expect((await get("a/small")).equals(small)).toBe(true);
    expect((await get("a/large")).equals(Buffer.concat([first, second]))).toBe(true);
    expect(await keys()).toEqual(["a/large", "a/small"]);
  });

  it.each(["in order", "killed"] as const)("objects are there after an end %s", async (how) => {
    const body = randomBytes(10_000);
    await put("kept", body);

    await restart([FILES], how);

    expect((await get("kept")).equals(body)).toBe(true);
  });

  it("the local S3 keeps its objects and its address when its process ends by itself", async () => {
    const other = await temporaryFolder();
    const log: string[] = [];
    const supervised = await startSupervisedS3({
      dataDir: other.path,
      buckets: [FILES],
      giveUp: () => undefined,
      log: (line) => log.push(line),
    });
    const itsClient = s3Client(supervised.endpoint);
    try {
      await itsClient.send(new PutObjectCommand({ Bucket: "files", Key: "kept", Body: "1" }));
      process.kill(supervised.pid, "SIGKILL");

      const found = await eventually(async () =>
        (await itsClient.send(new GetObjectCommand({ Bucket: "files", Key: "kept" }))).Body?.transformToString(),
      );
      expect(found).toBe("1");
      expect(log).toContain("The files (S3) runs again");
    } finally {
      itsClient.destroy();
      await supervised.stop();
      await other.remove();
    }
  });

  it("a process of the local S3 does not take a folder that another one uses", async () => {
    await expect(startS3({ dataDir: folder.path, buckets: [FILES] })).rejects.toThrow(
      /^S3 did not start: another process uses /,
    );
  });

  it("a process of the local S3 does not take a port that is in use", async () => {
    const other = await temporaryFolder();
    const port = Number(new URL(s3.endpoint).port);

    await expect(startS3({ dataDir: other.path, buckets: [FILES], port })).rejects.toThrow(/port \d+ is in use/);
    await other.remove();
  });
});

/** A header that looks signed: only links are compared with their signature. */
const SIGNED = { authorization: "AWS4-HMAC-SHA256 Credential=local" };

describe("links of the local S3", () => {
  useOneProcess();

  it("a link gives the file to anybody, under the name that it says", async () => {
    await put("exports/part 1", "abc");
    const url = await getSignedUrl(
      client,
      new GetObjectCommand({
        Bucket: "files",
        Key: "exports/part 1",
        ResponseContentDisposition: 'attachment; filename="part"',
      }),
      { expiresIn: 60 },
    );

    const response = await fetch(url);

    expect([response.status, await response.text()]).toEqual([200, "abc"]);
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="part"');
  });

  it("a link gives a range, so that a download can go on", async () => {
    await put("file", "0123456789");

    const response = await fetch(await link("file"), { headers: { range: "bytes=4-" } });

    expect([response.status, await response.text()]).toEqual([206, "456789"]);
    expect(response.headers.get("content-range")).toBe("bytes 4-9/10");
  });

  it.each([
    ["another file", (url: string) => url.replace("/one?", "/two?"), "SignatureDoesNotMatch"],
    ["a longer life", (url: string) => url.replace("Expires=60", "Expires=600"), "SignatureDoesNotMatch"],
    ["another parameter", (url: string) => `${url}&partNumber=1`, "SignatureDoesNotMatch"],
    ["another access key", (url: string) => url.replace("Credential=local", "Credential=other"), "InvalidAccessKeyId"],
    ["no signature", (url: string) => url.split("?")[0] ?? "", "AccessDenied"],
  ])("a link that was changed to %s is refused", async (_, change, code) => {
    await put("one", "1");
    await put("two", "2");

    const response = await fetch(change(await link("one")));

    expect(response.status).toBe(403);
    expect(await response.text()).toContain(`<Code>${code}</Code>`);
  });

  it("a link opens nothing behind its time, and only by the method that it is for", async () => {
    await put("file", "1");
    const url = await link("file", 1);

    await eventually(
      async () => (await fetch(url)).text(),
      (text) => text.includes("Request has expired"),
    );
    expect((await fetch(await link("file"), { method: "DELETE" })).status).toBe(403);
    expect((await get("file")).toString()).toBe("1");
  });

  it("a link may not live longer than a week", async () => {
    const url = (await link("file", 604_800)).replace("Expires=604800", "Expires=604801");

    expect((await fetch(url)).status).toBe(400);
  });
});

describe("what the local S3 refuses", () => {
  useOneProcess();

  it("the local S3 refuses a body that is not what its checksum says", async () => {
    const other = createHash("sha256").update("other").digest("base64");
    const command = new PutObjectCommand({ Bucket: "files", Key: "a", Body: "abc", ChecksumSHA256: other });

    await expect(client.send(command)).rejects.toMatchObject({ name: "BadDigest" });
    expect(await keys()).toEqual([]);
  });

  it("the local S3 refuses to complete an upload whose pieces are too small", async () => {
    await expect(upload("a", [randomBytes(MIB), randomBytes(MIB)])).rejects.toMatchObject({ name: "EntityTooSmall" });
  });

  it("the local S3 refuses buckets that are not in the template", async () => {
    await expect(client.send(new CreateBucketCommand({ Bucket: "mine" }))).rejects.toMatchObject({
      name: "NotImplemented",
    });
    await expect(client.send(new DeleteBucketCommand({ Bucket: "files" }))).rejects.toMatchObject({
      name: "NotImplemented",
    });
    await expect(client.send(new PutObjectCommand({ Bucket: "mine", Key: "a", Body: "1" }))).rejects.toMatchObject({
      name: "NoSuchBucket",
    });
  });

  it("the local S3 refuses what it would answer without doing it", async () => {
    await put("a", "1");
    const tagging = new PutObjectTaggingCommand({ Bucket: "files", Key: "a", Tagging: { TagSet: [] } });
    const onlyNew = new PutObjectCommand({ Bucket: "files", Key: "a", Body: "2", IfNoneMatch: "*" });

    await expect(client.send(tagging)).rejects.toMatchObject({ name: "NotImplemented" });
    await expect(client.send(onlyNew)).rejects.toMatchObject({ name: "NotImplemented" });
    expect((await get("a")).toString()).toBe("1");
  });

  it("the local S3 refuses requests of web pages of other sites", async () => {
    const response = await fetch(s3.endpoint, { headers: { ...SIGNED, origin: "https://evil.example" } });

    expect(response.status).toBe(403);
  });
});

describe("the buckets of the template", () => {
  useOneProcessPerTest();

  it("objects whose days are over are deleted at the next start, below the prefix of the rule alone", async () => {
    await put("exports/a", "1");
    await put("others/a", "1");
    const model = bucketModel({ name: "files", expirations: [{ prefix: "exports/", days: 7 }] });
    await s3.stop();
    age(6);
    await start([model]);
    expect(await keys()).toEqual(["exports/a", "others/a"]);

    await s3.stop();
    age(8);
    await start([model]);

    expect(await keys()).toEqual(["others/a"]);
  });

  it("uploads that nobody completes are ended at a later start", async () => {
    const file = { Bucket: "files", Key: "a" };
    const { UploadId: id } = await client.send(new CreateMultipartUploadCommand(file));
    await s3.stop();
    age(2);
    await start([bucketModel({ name: "files", abortUploadsAfterDays: 1 })]);

    await expect(
      client.send(new UploadPartCommand({ ...file, UploadId: id, PartNumber: 1, Body: "1" })),
    ).rejects.toMatchObject({ name: "NoSuchUpload" });
  });

  it("a bucket that the template no longer has is kept, and noted", async () => {
    await put("a", "1");

    await restart([bucketModel({ name: "others" })]);

    expect(notes).toEqual(["The bucket files is no longer in the template; its 1 objects are kept."]);
    expect((await get("a")).toString()).toBe("1");
  });
});
