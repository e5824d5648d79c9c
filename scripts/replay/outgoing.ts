import { type MessageAttributeValue, SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import {
  MESSAGE_ATTRIBUTES_RESERVE_BYTES,
  MESSAGE_MAX_BYTES,
  SEND_BATCH_MAX_BYTES,
  SEND_BATCH_MAX_ENTRIES,
} from "../../functions/core/limits.ts";
import { stringifyForQueue } from "../../functions/core/sqs-text.ts";
import type { DeadLetterMessage } from "../../functions/replay/dead-letter-message.ts";
import { callBatch } from "../sqs-calls.ts";

export type Outgoing = { body: string; group: string | undefined; attributes: Record<string, MessageAttributeValue> };

/** The message verbatim, to be replayed. */
export function wholeMessage(message: DeadLetterMessage): Outgoing {
  return outgoing(message, message.body, { replays: { DataType: "Number", StringValue: String(message.replays + 1) } });
}

/** Some events of a message, corrected or not, to be replayed; more than one message if they outgrew it. */
export function someEvents(message: DeadLetterMessage, events: unknown[]): Outgoing[] {
  const replays = { DataType: "Number", StringValue: String(message.replays + 1) };
  return pack(message, events).map((body) => outgoing(message, body, { replays }));
}

/** The events of a message that stay in the dead-letter queue, as a new message with the same facts. */
export function remainder(message: DeadLetterMessage, events: unknown[]): Outgoing[] {
  const { reason, replays, attempts, sqlState, tenant, receivedAt, detail } = message;
  const facts = { reason, replays, attempts, sqlState, tenant, receivedAt, detail };
  const attributes = Object.entries(facts)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => [name, { DataType: "String", StringValue: String(value) }]);
  return pack(message, events).map((body) =>
    outgoing(message, body, Object.fromEntries(attributes) as Outgoing["attributes"]),
  );
}

/** Sends messages in as few calls as SQS allows. Returns the messages that SQS refused, each with the reason. */
export async function sendMessages(
  client: SQSClient,
  queueUrl: string,
  messages: Outgoing[],
): Promise<Map<Outgoing, string>> {
  const failures = new Map<Outgoing, string>();
  for (const batch of intoBatches(messages)) {
    const failed = await callBatch(batch, (entries) =>
      client.send(
        new SendMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: entries.map(({ Id, item: { body, group, attributes } }) => ({
            Id,
            MessageBody: body,
            MessageAttributes: attributes,
            ...(group !== undefined && { MessageGroupId: group }),
          })),
        }),
      ),
    );
    for (const [message, why] of failed) failures.set(message, why);
  }
  return failures;
}

/** Leaves out the last attributes if a body fills the message: attributes count towards its size. */
function outgoing({ tenant }: DeadLetterMessage, body: string, attributes: Outgoing["attributes"]): Outgoing {
  let room = MESSAGE_MAX_BYTES - Buffer.byteLength(body);
  const fitting = Object.entries(attributes).filter(([name, value]) => {
    const bytes = attributeBytes(name, value);
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
  return { body, group: isGroupId(tenant) ? tenant : undefined, attributes: Object.fromEntries(fitting) };
}

/** Packs events, in order, into envelopes like the message's, as few as hold them. */
function pack({ envelope }: DeadLetterMessage, events: unknown[]): string[] {
  const { events: _, ...head } = envelope ?? {};
  const members = Object.entries(head).map(([name, value]) => `${JSON.stringify(name)}:${stringifyForQueue(value)},`);
  const opening = `{${members.join("")}"events":[`;
  const room = MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES - Buffer.byteLength(opening);
  const messages: { events: string[]; bytes: number }[] = [];
  for (const event of events) {
    const json = stringifyForQueue(event);
    const bytes = Buffer.byteLength(json) + 1;
    const last = messages.at(-1);
    if (last !== undefined && last.bytes + bytes < room) {
      last.events.push(json);
      last.bytes += bytes;
    } else messages.push({ events: [json], bytes });
  }
  return messages.map((message) => `${opening}${message.events.join(",")}]}`);
}

function intoBatches(messages: Outgoing[]): Outgoing[][] {
  const batches: { messages: Outgoing[]; bytes: number }[] = [];
  for (const message of messages) {
    const bytes = Object.entries(message.attributes).reduce(
      (sum, [name, value]) => sum + attributeBytes(name, value),
      Buffer.byteLength(message.body),
    );
    const last = batches.at(-1);
    if (
      last !== undefined &&
      last.messages.length < SEND_BATCH_MAX_ENTRIES &&
      last.bytes + bytes <= SEND_BATCH_MAX_BYTES
    ) {
      last.messages.push(message);
      last.bytes += bytes;
    } else batches.push({ messages: [message], bytes });
  }
  return batches.map((batch) => batch.messages);
}

function attributeBytes(name: string, { DataType: type = "", StringValue: value = "" }: MessageAttributeValue): number {
  return Buffer.byteLength(name + type + value);
}

/** SQS's rule for group ids (API_SendMessage); the tenant of an unreadable message may be anything. */
function isGroupId(tenant: string | undefined): tenant is string {
  return tenant !== undefined && /^[!-~]{1,128}$/.test(tenant);
}
