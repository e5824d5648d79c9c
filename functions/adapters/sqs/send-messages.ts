import { setTimeout as delay } from "node:timers/promises";
import {
  type MessageAttributeValue,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import {
  MESSAGE_MAX_BYTES,
  SEND_BATCH_MAX_BYTES,
  SEND_BATCH_MAX_ENTRIES,
  SQS_CALL_MS,
  SQS_CALLS_IN_FLIGHT,
} from "../../core/limits.ts";
import { failpoint } from "../lambda/failpoint.ts";
import { inFlight } from "../../core/map-concurrently.ts";
import type { Logger } from "../lambda/logger.ts";

export type SqsMessage = {
  body: string;
  group?: string;
  attributes?: Record<string, string>;
  /** Until it can be received; at most 900. */
  delaySeconds?: number;
};

export type SendOutcome = "stored" | "failed";

/** Between attempts: doubles from the first to the longest pause, each drawn from its upper half. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Sends messages in as few batches as SQS allows, some at a time. SQS answers 200 with `Failed` entries: those
 * are sent again until the deadline, unless the message itself is at fault or SQS has taken and refused nothing at
 * all for `patienceMs`. An entry counts as stored only when SQS named it in `Successful`.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export async function sendToSqs(
  client: SQSClient,
  {
    queueUrl,
    messages,
    deadline,
    patienceMs = Number.POSITIVE_INFINITY,
    logger,
  }: { queueUrl: string; messages: SqsMessage[]; deadline: number; patienceMs?: number; logger: Logger },
): Promise<SendOutcome[]> {
  let judgedAt = Date.now();
  const outcomes = messages.map((): SendOutcome => "failed");
  const entries = messages.map((message, index) => toEntry(message, index));
  await inFlight(intoBatches(entries), SQS_CALLS_IN_FLIGHT, async (batch) => {
    let pending = batch;
    // Once SQS takes nothing, those that wait for their turn are not tried either.
    for (let attempt = 1; Date.now() <= judgedAt + patienceMs; attempt++) {
      const { stored, refused } = await sendOnce(client, queueUrl, pending, deadline, logger);
      for (const id of stored) outcomes[Number(id)] = "stored";
      if (stored.size + refused.size > 0) judgedAt = Date.now();
      pending = pending.filter(({ Id }) => !stored.has(Id) && !refused.has(Id));
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
      if (pending.length === 0 || Date.now() + pause > Math.min(deadline, judgedAt + patienceMs)) return;
      await delay(pause);
    }
  });
  return outcomes;
}

type Entry = SendMessageBatchRequestEntry & { Id: string; bytes: number };

type Answer = {
  /** Ids that SQS confirmed; none when the call failed or its answer was lost. */
  stored: ReadonlySet<string | undefined>;
  /** Ids that SQS will never take, because the message is at fault. */
  refused: ReadonlySet<string | undefined>;
};

async function sendOnce(
  client: SQSClient,
  queueUrl: string,
  entries: Entry[],
  deadline: number,
  logger: Logger,
): Promise<Answer> {
  const command = new SendMessageBatchCommand({
    QueueUrl: queueUrl,
    Entries: entries.map(({ bytes: _bytes, ...entry }) => entry),
  });
  // Cleared, unlike that of AbortSignal.timeout, which would hold the signal for seconds after each call.
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), Math.max(Math.min(deadline - Date.now(), SQS_CALL_MS), 1));
  try {
    FAILPOINT: await failpoint("beforeSend");
    const answer = await client.send(command, { abortSignal: stop.signal });
    FAILPOINT: await failpoint("afterSend");
    for (const failed of answer.Failed ?? []) {
      logger.warn("queue refused a message", { code: failed.Code, senderFault: failed.SenderFault });
    }
    return {
      stored: new Set(answer.Successful?.map(({ Id }) => Id)),
      refused: new Set(answer.Failed?.filter(({ SenderFault }) => SenderFault).map(({ Id }) => Id)),
    };
  } catch (error) {
    logger.warn("queue did not answer", { code: error instanceof Error ? error.name : "unknown" });
    return { stored: new Set(), refused: new Set() };
  } finally {
    clearTimeout(timer);
  }
}

function toEntry({ body, group, attributes = {}, delaySeconds }: SqsMessage, index: number): Entry {
  const MessageAttributes: Record<string, MessageAttributeValue> = {};
  let bytes = Buffer.byteLength(body);
  for (const [name, value] of Object.entries(attributes)) {
    MessageAttributes[name] = { DataType: "String", StringValue: value };
    bytes += attributeBytes(name, value);
  }
  return {
    Id: String(index),
    MessageBody: body,
    MessageAttributes,
    ...(group !== undefined && { MessageGroupId: group }),
    ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
    bytes,
  };
}

/**
 * The attributes, in order, that fit beside a body: they count towards the size of a message, and a body of somebody
 * else may fill it.
 */
export function fitAttributes(body: string, attributes: Record<string, string>): Record<string, string> {
  let room = MESSAGE_MAX_BYTES - Buffer.byteLength(body);
  return Object.fromEntries(
    Object.entries(attributes).filter(([name, value]) => {
      const bytes = attributeBytes(name, value);
      if (bytes > room) return false;
      room -= bytes;
      return true;
    }),
  );
}

/** What a text attribute adds to a message's size: name, data type and value. */
function attributeBytes(name: string, value: string): number {
  return Buffer.byteLength(name) + "String".length + Buffer.byteLength(value);
}

/** Greedy: at most ten entries and 1 MiB per call. */
function intoBatches(entries: Entry[]): Entry[][] {
  const batches: { entries: Entry[]; bytes: number }[] = [];
  for (const entry of entries) {
    const last = batches.at(-1);
    if (
      last !== undefined &&
      last.entries.length < SEND_BATCH_MAX_ENTRIES &&
      last.bytes + entry.bytes <= SEND_BATCH_MAX_BYTES
    ) {
      last.entries.push(entry);
      last.bytes += entry.bytes;
    } else {
      batches.push({ entries: [entry], bytes: entry.bytes });
    }
  }
  return batches.map((batch) => batch.entries);
}
