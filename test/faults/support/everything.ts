import { gunzipSync } from "node:zlib";
import { type AttributeValue, ScanCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { inject } from "vitest";
import { textOfMessage } from "../../../functions/core/message-text.ts";
import { readAssembly } from "../../../localstack/template/assembly.ts";
import { readStack } from "../../../localstack/template/read-stack.ts";
import { dynamodbClient } from "../../support/dynamodb.ts";
import { eventually } from "../../support/eventually.ts";
import { s3Client } from "../../support/s3.ts";
import { peekAll, queueCounts } from "../../support/sqs.ts";
import type { FaultStack } from "./fault-stack.ts";

/** Everything that a stack keeps, as texts by the place: tables, messages, items, objects and logs. What is compressed is read. */
export async function everything(stack: FaultStack): Promise<Map<string, string>> {
  const { queues, buckets, tables } = readStack(await readAssembly(inject("assemblyDir")), {
    sqsEndpoint: "http://127.0.0.1",
  });
  const texts = new Map([
    ["log lines", stack.lines.join("\n")],
    ["metrics", stack.metrics.join("\n")],
  ]);
  await readTables(stack, texts);
  for (const { name } of queues) texts.set(`queue ${name}`, await messagesOf(stack, name));
  const dynamodb = dynamodbClient(stack.addresses.dynamodbUrl);
  for (const { name } of tables) texts.set(`table ${name}`, await itemsOf(dynamodb, name));
  dynamodb.destroy();
  const s3 = s3Client(stack.addresses.s3Url ?? "");
  for (const { name } of buckets) await readObjects(s3, name, texts);
  s3.destroy();
  return texts;
}

/** The places that have a text: as it is, in hexadecimal, or in base64 at whatever offset. */
export function placesOf(texts: ReadonlyMap<string, string>, wanted: string): string[] {
  const forms = formsOf(wanted);
  return [...texts].flatMap(([place, text]) => (forms.some((form) => text.includes(form)) ? [place] : []));
}

function formsOf(wanted: string): string[] {
  const bytes = Buffer.from(wanted);
  // The characters of base64 that hold bytes of the text alone.
  const inBase64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6)),
  );
  return [wanted, bytes.toString("hex"), ...inBase64];
}

/** Each row of each table of the schema. */
async function readTables({ ask }: FaultStack, texts: Map<string, string>): Promise<void> {
  const relations = await ask<{ name: string }>(
    "select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
  );
  for (const { name } of relations) {
    const rows = await ask<{ row: string }>(`select cast(t as text) as row from ${name} as t`);
    texts.set(name, rows.map(({ row }) => row).join("\n"));
  }
}

/** The messages of a queue, also those that a receiver has now or that are delayed: it waits for them. */
async function messagesOf({ queue: { client }, addresses }: FaultStack, name: string): Promise<string> {
  const url = `${addresses.awsEndpointUrl}/000000000000/${name}`;
  await eventually(
    () => queueCounts(client, url),
    ({ hidden, delayed }) => hidden + delayed === 0,
    HIDDEN_MS,
  );
  const messages = await peekAll(client, url);
  return messages.map((message) => `${JSON.stringify(message)} ${textOfMessage(message.Body ?? "").text}`).join("\n");
}

async function itemsOf(client: ReturnType<typeof dynamodbClient>, TableName: string): Promise<string> {
  const items: string[] = [];
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName, ExclusiveStartKey }));
    for (const item of page.Items ?? []) items.push(JSON.stringify(item, asHexadecimal));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return items.join("\n");
}

const asHexadecimal = (_name: string, value: unknown) =>
  value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;

async function readObjects(client: S3Client, Bucket: string, texts: Map<string, string>): Promise<void> {
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken }));
    for (const { Key = "" } of page.Contents ?? []) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      texts.set(`object ${Key}`, `${Key}\n${(isGzip(bytes) ? gunzipSync(bytes) : bytes).toString("utf8")}`);
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const HIDDEN_MS = 60_000;
