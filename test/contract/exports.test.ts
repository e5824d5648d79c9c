import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, NoSuchKey, type S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { createDynamoDb } from "../../functions/adapters/dynamodb/client.ts";
import { createExportJobs } from "../../functions/adapters/dynamodb/export-jobs.ts";
import { createS3 } from "../../functions/adapters/s3/client.ts";
import { createExportFiles } from "../../functions/adapters/s3/export-files.ts";
import { EXPORT_JOB_KEPT_DAYS, EXPORT_PIECE_BYTES } from "../../functions/core/export-limits.ts";
import { JOBS_TABLE } from "../../functions/core/jobs-table.ts";
import type { ChildServer } from "../../localstack/child-server.ts";
import { startS3 } from "../../localstack/s3/s3.ts";
import { describeExportFiles } from "../support/conformance/export-files.ts";
import { describeExportJobs } from "../support/conformance/export-jobs.ts";
import { dynamodbClient, startDynamodb } from "../support/dynamodb.ts";
import { stubAws } from "../support/local-aws.ts";
import { bucketModel } from "../support/s3.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { jobSample, memoryFiles, memoryJobs } from "../unit/export/support.ts";

const text = (name: string) => ({ name, type: "S" as const });

async function openJobs() {
  const dynamodb = await startDynamodb([
    {
      name: "jobs",
      key: { hash: text(JOBS_TABLE.partitionKey), range: text(JOBS_TABLE.sortKey) },
      expiryAttribute: JOBS_TABLE.expires,
    },
  ]);
  // Without the time limit of the functions, which a call on a busy machine may exceed.
  const client = dynamodbClient(dynamodb.endpoint);
  onTestFinished(async () => {
    client.destroy();
    await dynamodb.stop();
    vi.unstubAllEnvs();
  });
  return { client, jobs: createExportJobs({ client, table: "jobs" }) };
}

let folder: TemporaryFolder;
let s3: ChildServer;
let client: S3Client;
let opened = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
  const buckets = Array.from({ length: 50 }, (_, at) => bucketModel({ name: `files-${at}` }));
  s3 = await startS3({ dataDir: folder.path, buckets });
});
afterAll(async () => {
  await s3.stop();
  await folder.remove();
});

async function openFiles() {
  const bucket = `files-${(opened += 1)}`;
  stubAws({ AWS_ENDPOINT_URL_S3: s3.endpoint });
  client = createS3({ AWS_ENDPOINT_URL_S3: s3.endpoint });
  onTestFinished(() => {
    client.destroy();
    vi.unstubAllEnvs();
  });
  const get = async (key: string): Promise<Buffer | undefined> => {
    try {
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return Buffer.from((await body?.transformToByteArray()) ?? []);
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  };
  return { files: createExportFiles({ client, bucket }), get, bucket };
}

async function openMemoryFiles() {
  const { files, stored } = memoryFiles();
  return { files, get: async (key: string) => stored.get(key) };
}

describeExportJobs("in memory", async () => ({ jobs: memoryJobs() }));
describeExportJobs("in DynamoDB", openJobs);
describeExportFiles("in memory", openMemoryFiles);
describeExportFiles("in S3", openFiles);

/** Loses the answer of one write, behind its effect. The SDK itself repeats such a call, and then its condition fails. */
function loseAnswerOnce(client: DynamoDBClient): void {
  const send = client.send.bind(client) as (command: object) => Promise<unknown>;
  let isDone = false;
  vi.spyOn(client, "send").mockImplementation((async (command: object): Promise<unknown> => {
    const answer = await send(command);
    if (isDone || !(command instanceof PutItemCommand)) return answer;
    isDone = true;
    return send(command);
  }) as never);
}

describe("a job in DynamoDB", () => {
  it("a job whose write was repeated, because its answer was lost, is written", async () => {
    const { client, jobs } = await openJobs();
    await jobs.create(jobSample());
    loseAnswerOnce(client);

    expect(await jobs.replace({ ...jobSample(), rows: 1 })).toMatchObject({ rows: 1, version: 2 });
  });

  it("a job is deleted by itself a month after its start", async () => {
    const { client, jobs } = await openJobs();
    const job = jobSample();
    await jobs.create(job);

    const { Item: item } = await client.send(
      new GetItemCommand({ TableName: "jobs", Key: { tenant: { S: "acme" }, id: { S: job.id } } }),
    );

    const end = Date.parse(job.createdAt) / 1_000 + EXPORT_JOB_KEPT_DAYS * 86_400;
    expect(item?.[JOBS_TABLE.expires]).toEqual({ N: String(end) });
  });

  it("an outage of the table is an error of access", async () => {
    const { client, jobs } = await openJobs();
    client.destroy();
    stubAws({ AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1" });
    const cut = createExportJobs({ client: createDynamoDb(), table: "jobs" });

    await expect(cut.read("acme", jobSample().id)).rejects.toMatchObject({ name: "AccessError", isOutage: true });
    expect(jobs).toBeDefined();
  });
});

describe("a file in S3", () => {
  it("a link downloads the file under its own name, and not for longer than it says", async () => {
    const { files } = await openFiles();
    const upload = files.upload("exports/acme/id/part-00001-2.ndjson.gz", "application/gzip");
    await upload.write(Buffer.from("abc"));
    await upload.complete();

    const url = await files.link("exports/acme/id/part-00001-2.ndjson.gz", 60);
    const response = await fetch(url);

    expect(new URL(url).searchParams.get("X-Amz-Expires")).toBe("60");
    expect([response.headers.get("content-type"), await response.text()]).toEqual(["application/gzip", "abc"]);
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="part-00001-2.ndjson.gz"');
  });

  it("an upload leaves no pieces behind where it is aborted", async () => {
    const { files, bucket } = await openFiles();
    const upload = files.upload("exports/acme/a", "application/gzip");
    await upload.write(Buffer.alloc(EXPORT_PIECE_BYTES));
    const sent = vi.spyOn(client, "send");

    await upload.abort();

    expect(sent.mock.calls.map(([command]) => command.constructor.name)).toEqual(["AbortMultipartUploadCommand"]);
    await expect(upload.complete()).rejects.toMatchObject({ name: "FilesError", cause: { name: "NoSuchUpload" } });
    expect(bucket).toMatch(/^files-/);
  });

  it("a link leads to AWS's own address of the bucket, and elsewhere to a path", async () => {
    const linkAt = (endpoints: Record<string, string>): Promise<string> => {
      stubAws(endpoints);
      return createExportFiles({ client: createS3(endpoints), bucket: "files-0" }).link("a", 60);
    };

    vi.stubEnv("AWS_ENDPOINT_URL_S3", undefined);
    expect(await linkAt({})).toMatch(/^https:\/\/files-0\.s3\.us-east-1\.amazonaws\.com\/a\?/);
    const emulator = await linkAt({ AWS_ENDPOINT_URL: "http://localhost:4566" });
    expect(emulator).toMatch(/^http:\/\/localhost:4566\/files-0\/a\?/);
    vi.unstubAllEnvs();
  });

  it("an outage of S3 is an error of files that names the failure", async () => {
    stubAws({ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" });
    const cut = createS3({ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" });
    const upload = createExportFiles({ client: cut, bucket: "files-0" }).upload("a", "text/plain");

    await expect(upload.complete()).rejects.toMatchObject({ name: "FilesError" });
    cut.destroy();
    vi.unstubAllEnvs();
  });
});
