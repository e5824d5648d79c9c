import { MESSAGE_MAX_BYTES, SEND_BATCH_MAX_BYTES, SEND_BATCH_MAX_ENTRIES } from "./queue-limits.ts";
import type { DeadLetter } from "./ports.ts";
import { DEAD_LETTER_ID } from "./replay-job.ts";
import { replaceForSqs } from "./sqs-text.ts";

/** The messages of the event queue and the dead-letter queue. Everything that sends or receives one uses this file. */

/** A message to be sent. */
export type OutgoingMessage = {
  body: string;
  /** The message group, which is the tenant: SQS serves groups fairly, so one tenant's flood does not delay the others. */
  group?: string;
  attributes?: MessageAttributes;
  /** Until it can be received; at most 900. */
  delaySeconds?: number;
};

/** A message of the event queue as the consumer gets it. */
export type ReceivedMessage = {
  messageId: string;
  body: string;
  receiptHandle: string;
  /** Times SQS delivered this copy of the message, this time included. */
  receiveCount: number;
  /** Times the message was tried so far, in all its copies and this time included. */
  attempts: number;
  /** Times the message was replayed from the dead-letter queue. */
  replays: number;
  /** The row of the dead letter that the message was before its replay (decision 0027). */
  deadLetterId: string | undefined;
  /** The message group. */
  group: string;
  /** When the message first came to the queue, ms since the epoch; its copies keep it. */
  firstSentAt: number;
};

/** A message of the dead-letter queue as drain gets it. Anybody may have written its attributes. */
export type ReceivedDeadLetter = {
  messageId: string;
  body: string;
  receiptHandle: string;
  receiveCount: number;
  /** When SQS got this copy, or the message that SQS itself moved here; ms since the epoch. */
  sentAt: number;
  group: string | undefined;
  /** The attributes of known names. */
  attributes: MessageAttributes;
};

/** Message attributes by name. All are text: SQS adds up name, type and value, and no reader needs a number. */
export type MessageAttributes = Partial<Record<AttributeName, string>>;

/** Every attribute there is. SQS allows ten in a message. */
export type AttributeName =
  // Of a dead letter.
  | "reason"
  | "sqlState"
  | "detail"
  | "tenant"
  | "type"
  | "source"
  | "eventId"
  | "attempts"
  // Of a dead letter, and of a message that was one.
  | "replays"
  | "deadLetterId"
  // Of a message that was requeued.
  | "earlierAttempts"
  | "firstSentAt"
  // Of a dead letter that was requeued.
  | "firstMessageId";

const ATTRIBUTE_NAMES: Record<AttributeName, true> = {
  reason: true,
  sqlState: true,
  detail: true,
  tenant: true,
  type: true,
  source: true,
  eventId: true,
  attempts: true,
  replays: true,
  deadLetterId: true,
  earlierAttempts: true,
  firstSentAt: true,
  firstMessageId: true,
};

/** Tells whether an attribute of a message is one of Sluice. */
export function isAttributeName(name: string): name is AttributeName {
  return Object.hasOwn(ATTRIBUTE_NAMES, name);
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const ATTRIBUTES_MAX = 10;

/** The database's message may be long; its beginning says what is wrong. */
const DETAIL_MAX_CHARACTERS = 1_000;

/**
 * The attributes of a dead letter. The reason, the replays and the row come first, because they decide what the dead letter is, and
 * fitAttributes drops the last ones. SQS allows no empty value, so an unknown fact has no attribute. The time of receipt is in the
 * body's envelope alone.
 */
export function deadLetterAttributes(deadLetter: Omit<DeadLetter, "body">): MessageAttributes {
  const attributes: Partial<Record<AttributeName, string | undefined>> = {
    reason: deadLetter.reason,
    replays: String(deadLetter.replays),
    deadLetterId: deadLetter.deadLetterId,
    attempts: String(deadLetter.attempts),
    sqlState: deadLetter.sqlState,
    tenant: deadLetter.tenant,
    type: deadLetter.type,
    source: deadLetter.source,
    eventId: deadLetter.id,
    detail: deadLetter.detail.slice(0, DETAIL_MAX_CHARACTERS),
  };
  const known = Object.entries(attributes).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return Object.fromEntries(known.map(([name, value]) => [name, replaceForSqs(value)]));
}

/** The attributes of a replayed dead letter: the number of its replays, this one included, and its row. */
export function replayAttributes(replays: number, deadLetterId: string | undefined): MessageAttributes {
  return { replays: String(replays), ...(deadLetterId !== undefined && { deadLetterId }) };
}

/** The attributes of a requeued copy: it keeps the attempts, the replays, the row and the age of its message. */
export function requeueAttributes(message: ReceivedMessage): MessageAttributes {
  const { attempts, replays, deadLetterId, firstSentAt } = message;
  return {
    ...replayAttributes(replays, deadLetterId),
    earlierAttempts: String(attempts),
    firstSentAt: String(firstSentAt),
  };
}

/**
 * The attributes of a copy of a dead letter: its own, and the id of the first copy, so that two copies are recorded once. That
 * is left out where ten are taken: a dead letter with all ten names its row, which has the same effect.
 */
export function copyAttributes({ messageId, attributes }: ReceivedDeadLetter): MessageAttributes {
  const { reason, replays, deadLetterId, ...others } = attributes;
  const decisive = { reason, replays, deadLetterId };
  const isFull = Object.keys(attributes).length >= ATTRIBUTES_MAX;
  const firstMessageId = isFull ? undefined : (attributes.firstMessageId ?? messageId);
  const known = Object.entries({ ...decisive, firstMessageId, ...others }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known);
}

/** The history of a message in all its copies, as its attributes and SQS know it. */
export type MessageHistory = Pick<ReceivedMessage, "attempts" | "replays" | "deadLetterId" | "firstSentAt"> & {
  /** True if the message is a dead letter, or was one and came back by a move task of SQS. */
  isDeadLetter: boolean;
};

/**
 * Reads a message's attributes beside the counts of SQS: receives of this copy, and the time it was sent (ms since the
 * epoch). Anybody may have written the attributes; one that is no count, or no id, is taken as absent.
 */
export function readAttributes(
  attributes: MessageAttributes,
  { receiveCount, sentAt }: { receiveCount: number; sentAt: number },
): MessageHistory {
  return {
    // Only dead letters have a reason.
    isDeadLetter: attributes.reason !== undefined,
    attempts: (toCount(attributes.earlierAttempts) ?? 0) + receiveCount,
    replays: toCount(attributes.replays) ?? 0,
    deadLetterId: DEAD_LETTER_ID.test(attributes.deadLetterId ?? "") ? attributes.deadLetterId : undefined,
    firstSentAt: toCount(attributes.firstSentAt) ?? sentAt,
  };
}

/** A message as an entry of SQS's SendMessageBatch. */
export function toSendEntry({ body, group, attributes = {}, delaySeconds }: OutgoingMessage, id: string) {
  return {
    Id: id,
    MessageBody: body,
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { DataType: "String", StringValue: value }]),
    ),
    ...(group !== undefined && { MessageGroupId: group }),
    ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
  };
}

/** Reads a count from an attribute's text; a text that is no count is undefined. */
export function toCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * A tenant that SQS accepts as a message group; an unreadable message may name anything as its tenant.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (MessageGroupId)
 */
export function isGroupId(tenant: string | undefined): tenant is string {
  return tenant !== undefined && /^[!-~]{1,128}$/.test(tenant);
}

/** The attributes, in order, that fit beside a body: they count towards a message's size, and a body may fill it. */
export function fitAttributes(body: string, attributes: MessageAttributes): MessageAttributes {
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

/**
 * Splits messages, in order, into lists that one batch call takes: at most ten messages and 1 MiB.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export function intoSendBatches<T extends OutgoingMessage>(messages: readonly T[]): T[][] {
  const batches: { messages: T[]; bytes: number }[] = [];
  for (const message of messages) {
    const bytes = messageBytes(message);
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

/** Splits a list into lists of ten, the most that a batch call on received messages takes. */
export function intoBatchesOfTen<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / SEND_BATCH_MAX_ENTRIES) }, (_, i) =>
    items.slice(i * SEND_BATCH_MAX_ENTRIES, (i + 1) * SEND_BATCH_MAX_ENTRIES),
  );
}

/** A message's size as SQS counts it: body and attributes. */
function messageBytes({ body, attributes = {} }: OutgoingMessage): number {
  return Object.entries(attributes).reduce(
    (bytes, [name, value]) => bytes + attributeBytes(name, value),
    Buffer.byteLength(body),
  );
}

/** The size of a text attribute in a message: name, data type and value. */
function attributeBytes(name: string, value: string): number {
  return Buffer.byteLength(name) + "String".length + Buffer.byteLength(value);
}
