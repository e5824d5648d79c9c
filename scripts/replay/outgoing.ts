import { type MessageAttributeValue, SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import {
  MESSAGE_ATTRIBUTES_RESERVE_BYTES,
  MESSAGE_MAX_BYTES,
  SEND_BATCH_MAX_BYTES,
  SEND_BATCH_MAX_ENTRIES,
} from "../../functions/core/limits.ts";
import { stringifyForQueue } from "../../functions/core/sqs-text.ts";
import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import { callBatch } from "../sqs-calls.ts";

export type Outgoing = { body: string; group: string | undefined; attributes: Record<string, MessageAttributeValue> };

/** A letter as it was, byte for byte, to be replayed. */
export function wholeLetter(letter: DeadLetter): Outgoing {
  return outgoing(letter, letter.body, { replays: { DataType: "Number", StringValue: String(letter.replays + 1) } });
}

/** Some events of a letter, as they are or corrected, to be replayed: one message, or more where they outgrew it. */
export function someEvents(letter: DeadLetter, events: unknown[]): Outgoing[] {
  const replays = { DataType: "Number", StringValue: String(letter.replays + 1) };
  return pack(letter, events).map((body) => outgoing(letter, body, { replays }));
}

/** Events of a letter that stay in the dead-letter queue, as a letter of their own that says all that it said. */
export function remainingLetters(letter: DeadLetter, events: unknown[]): Outgoing[] {
  const { reason, replays, attempts, sqlState, tenant, receivedAt, detail } = letter;
  const facts = { reason, replays, attempts, sqlState, tenant, receivedAt, detail };
  const attributes = Object.entries(facts)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => [name, { DataType: "String", StringValue: String(value) }]);
  return pack(letter, events).map((body) =>
    outgoing(letter, body, Object.fromEntries(attributes) as Outgoing["attributes"]),
  );
}

/** Sends messages in as few calls as SQS allows; answers those it refused, each with its words. @throws as callBatch */
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

/** Attributes count towards a message's size, and a body of somebody else may fill it: the last ones have to go then. */
function outgoing({ tenant }: DeadLetter, body: string, attributes: Outgoing["attributes"]): Outgoing {
  let room = MESSAGE_MAX_BYTES - Buffer.byteLength(body);
  const fitting = Object.entries(attributes).filter(([name, value]) => {
    const bytes = attributeBytes(name, value);
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
  return { body, group: isGroupId(tenant) ? tenant : undefined, attributes: Object.fromEntries(fitting) };
}

/** Envelopes like the letter's around events, in order, each a message that holds them. */
function pack({ envelope }: DeadLetter, events: unknown[]): string[] {
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
