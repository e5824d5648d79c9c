import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { MESSAGE_MAX_BYTES } from "../functions/core/limits.ts";

/** A message of the dead-letter queue, as far as it can be read. */
export type DeadLetter = {
  messageId: string;
  receiptHandle: string;
  body: string;
  /** Why it stands here; `max_receives_exceeded` when SQS moved it because the consumer never finished it. */
  reason: string;
  sqlState: string | undefined;
  detail: string;
  tenant: string | undefined;
  events: { id: string; type: string; source: string }[];
  replays: number;
};

/** Messages read are hidden this long: enough to page through a full queue, and short if the command is killed. */
const HIDDEN_SECONDS = 300;
/** SQS asks all its servers only in a long poll; two empty ones mean that nothing is left. */
const POLL_SECONDS = 1;
const EMPTY_POLLS = 2;

/**
 * Reads every dead letter once. Each stays in the queue, hidden, until `release` or `remove`.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
export async function* readDeadLetters(client: SQSClient, queueUrl: string): AsyncGenerator<DeadLetter> {
  const seen = new Set<string>();
  let page: DeadLetter[] = [];
  try {
    for (let empty = 0; empty < EMPTY_POLLS; ) {
      const { Messages: messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: POLL_SECONDS,
          VisibilityTimeout: HIDDEN_SECONDS,
          MessageAttributeNames: ["All"],
        }),
      );
      empty = messages.length === 0 ? empty + 1 : 0;
      page = messages.map(toDeadLetter);
      for (let letter = page.shift(); letter !== undefined; letter = page.shift()) {
        if (seen.has(letter.messageId)) continue;
        seen.add(letter.messageId);
        yield letter;
      }
    }
  } finally {
    // Whoever stops early has not seen the rest of the page; it must not stay hidden.
    await release(client, queueUrl, page);
  }
}

/** About how many there are; SQS counts approximately. */
export async function countDeadLetters(client: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
  );
  return Number(Attributes?.["ApproximateNumberOfMessages"] ?? 0);
}

/** Lets others see the letters again. Letters whose hiding ran out are visible already. */
export async function release(client: SQSClient, queueUrl: string, letters: DeadLetter[]): Promise<void> {
  for (let i = 0; i < letters.length; i += 10) {
    const Entries = letters.slice(i, i + 10).map(({ receiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: 0,
    }));
    await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

/**
 * Sends a letter to the queue as it is, then removes it here. Stopped in between it stands in both; storing it is
 * idempotent, so replaying it again is safe.
 */
export async function replay(
  client: SQSClient,
  { queueUrl, deadLetterQueueUrl }: { queueUrl: string; deadLetterQueueUrl: string },
  letter: DeadLetter,
): Promise<void> {
  await client.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: letter.body,
      MessageGroupId: isGroupId(letter.tenant) ? letter.tenant : "default",
      MessageAttributes: hasRoom(letter)
        ? { replays: { DataType: "Number", StringValue: String(letter.replays + 1) } }
        : {},
    }),
  );
  await client.send(new DeleteMessageCommand({ QueueUrl: deadLetterQueueUrl, ReceiptHandle: letter.receiptHandle }));
}

/** SQS's rule for group ids; the tenant of an unreadable message may be anything. */
function isGroupId(tenant: string | undefined): tenant is string {
  return tenant !== undefined && /^[!-~]{1,128}$/.test(tenant);
}

/** Attributes count towards a message's size, and a message of somebody else may fill it with its body. */
function hasRoom({ body }: DeadLetter): boolean {
  return Buffer.byteLength(body) <= MESSAGE_MAX_BYTES - ATTRIBUTE_BYTES;
}

const ATTRIBUTE_BYTES = "replaysNumber".length + 10;

function toDeadLetter(message: Message): DeadLetter {
  const attribute = (name: string) => message.MessageAttributes?.[name]?.StringValue;
  const body = message.Body ?? "";
  const envelope = parseEnvelope(body);
  return {
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    body,
    reason: attribute("reason") ?? "max_receives_exceeded",
    sqlState: attribute("sqlState"),
    detail: attribute("detail") ?? "The consumer received the message too often without finishing it.",
    tenant: attribute("tenant") ?? envelope.tenant,
    events: envelope.events,
    replays: Number(attribute("replays") ?? 0),
  };
}

/** What can be read of a body that may be anything. */
function parseEnvelope(body: string): { tenant: string | undefined; events: DeadLetter["events"] } {
  try {
    const { tenant, events } = JSON.parse(body) as { tenant?: unknown; events?: unknown };
    const list = Array.isArray(events) ? (events as Record<string, unknown>[]) : [];
    return {
      tenant: typeof tenant === "string" ? tenant : undefined,
      events: list.map((event) => ({
        id: String(event["id"]),
        type: String(event["type"]),
        source: String(event["source"]),
      })),
    };
  } catch {
    return { tenant: undefined, events: [] };
  }
}
