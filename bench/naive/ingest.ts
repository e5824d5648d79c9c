import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { v7 as newId } from "uuid";
import * as z from "zod";
import * as logEntry from "../../catalog/log-entry.ts";
import * as notificationRequested from "../../catalog/notification-requested.ts";
import * as orderPlaced from "../../catalog/order-placed.ts";
import * as telemetryReading from "../../catalog/telemetry-reading.ts";

/**
 * The usual ingest function, well written: one event or an array of events, checked with zod, one SQS message per event, ten
 * messages per call, and all calls concurrent. It logs nothing, which is in its favour.
 */
export async function handler(request: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  const parsed = body.safeParse(parseJson(request));
  if (!parsed.success) return answer(400, { errors: parsed.error.issues.slice(0, 20) });
  const receivedAt = new Date().toISOString();
  const bodies = parsed.data.map((event) => JSON.stringify({ id: newId(), time: receivedAt, ...event, receivedAt }));
  const sent = await Promise.all(inTens(bodies).map(send));
  return sent.every(Boolean)
    ? answer(202, { accepted: bodies.length })
    : answer(503, { message: "Not all events could be queued. Send them again." });
}

const schemas = new Map<string, z.ZodType>(
  [logEntry, notificationRequested, orderPlaced, telemetryReading].map(({ type, data }) => [type, data]),
);

const event = z
  .object({
    id: z.string().min(1).max(512).optional(),
    source: z.string().min(1).max(1024),
    type: z.string().min(1).max(256),
    subject: z.string().min(1).max(1024).optional(),
    time: z.iso.datetime({ offset: true }).optional(),
    data: z.unknown(),
  })
  .refine(({ type, data }) => schemas.get(type)?.safeParse(data).success ?? true, {
    error: "data does not match the type's schema",
    path: ["data"],
  });

const body = z.union([z.array(event).min(1).max(1000), event.transform((single) => [single])]);

const client = new SQSClient();

async function send(bodies: string[]): Promise<boolean> {
  const { Failed = [] } = await client.send(
    new SendMessageBatchCommand({
      QueueUrl: process.env["QUEUE_URL"],
      Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
    }),
  );
  return Failed.length === 0;
}

function parseJson({ body: text, isBase64Encoded }: APIGatewayProxyEvent): unknown {
  try {
    return JSON.parse(Buffer.from(text ?? "", isBase64Encoded ? "base64" : "utf8").toString("utf8"));
  } catch {
    return undefined;
  }
}

function inTens<T>(list: T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / 10) }, (_, index) => list.slice(index * 10, (index + 1) * 10));
}

function answer(statusCode: number, content: unknown): APIGatewayProxyResult {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(content) };
}
