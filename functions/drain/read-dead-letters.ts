import { DEAD_LETTER_MESSAGE_MAX_CHARACTERS, REASON_MAX_CHARACTERS } from "../core/dead-letter-limits.ts";
import type { NewDeadLetter } from "../core/dead-letter-table.ts";
import { type EnvelopeHead, wrapText, writeEnvelope } from "../core/envelope.ts";
import type { Event } from "../core/event.ts";
import { isDeeperThan } from "../core/find-unstorable.ts";
import { fitsUtf8 } from "../core/fits-utf8.ts";
import {
  DATACONTENTTYPE_MAX_BYTES,
  DATASCHEMA_MAX_BYTES,
  EVENT_MAX_DEPTH,
  ID_MAX_BYTES,
  SOURCE_MAX_BYTES,
  SUBJECT_MAX_BYTES,
  TENANT_MAX_BYTES,
  TYPE_MAX_BYTES,
} from "../core/limits.ts";
import { isJsonObject, parseLossless } from "../core/lossless-json.ts";
import { messageGroup } from "../core/message-group.ts";
import { readAttributes, type ReceivedDeadLetter, toCount } from "../core/queue-message.ts";
import { headOf, originOf, readMessage } from "../core/read-message.ts";
import { replaceForSqs } from "../core/sqs-text.ts";

/**
 * Reads a message of the dead-letter queue, whoever has sent it: the consumer, SQS itself, or somebody by hand. Returns a dead
 * letter for each of its events, or one for the whole message where it cannot be read. Never throws.
 */
export function readDeadLetters(message: ReceivedDeadLetter): NewDeadLetter[] {
  const parts = readParts(message);
  const facts = factsOf(message);
  // Only a message with one event can be the replay of a dead letter.
  const deadLetterId = parts.length === 1 ? facts.deadLetterId : undefined;
  return parts.map((part, messageIndex) => ({ ...facts, ...part, messageIndex, deadLetterId }));
}

/** One dead letter as the body has it. */
type Part = Pick<NewDeadLetter, "tenant" | "type" | "source" | "eventId" | "receivedAt" | "origin"> &
  Pick<NewDeadLetter, "searched" | "isEvent" | "body">;

function readParts({ body: sent, attributes }: ReceivedDeadLetter): Part[] {
  const read = readMessage(sent);
  // Compressed text may have what SQS refuses, and the database too.
  const body = replaceForSqs(read.text) === read.text ? read.text : sent;
  const named = {
    tenant: storable(attributes.tenant, TENANT_MAX_BYTES),
    type: storable(attributes.type, TYPE_MAX_BYTES),
    source: storable(attributes.source, SOURCE_MAX_BYTES),
    eventId: storable(attributes.eventId, ID_MAX_BYTES),
  };
  if (read.kind === "unreadable") {
    const tenant = storable(readObject(body)?.["tenant"], TENANT_MAX_BYTES) ?? named.tenant;
    const nothing = { receivedAt: undefined, origin: undefined, searched: undefined };
    return [{ ...named, tenant, ...nothing, isEvent: false, body }];
  }
  const { head: outer, events, unreadable } = read;
  // The only event of a message keeps the text that was sent.
  const isAlone = events.length + unreadable.length === 1;
  const parts: Part[] = [
    ...events.map(({ event, index }) => {
      const head = headOf(outer, index);
      return eventPart(head, event, isAlone ? body : writeEnvelope(head, event));
    }),
    ...unreadable.map(({ text, index }): Part => {
      const head = headOf(outer, index);
      const content = readObject(text);
      return {
        ...factsOfHead(head),
        ...(content === undefined ? NAMELESS : namesOf(content)),
        searched: undefined,
        isEvent: content !== undefined,
        body: isAlone ? body : wrapText(text, head),
      };
    }),
  ];
  return parts;
}

function factsOfHead(head: EnvelopeHead) {
  return { tenant: storable(head.tenant, TENANT_MAX_BYTES), receivedAt: head.receivedAt, origin: originOf(head, 0) };
}

function eventPart(head: EnvelopeHead, event: Event, body: string): Part {
  return {
    ...factsOfHead(head),
    ...namesOf(event),
    searched: {
      subject: storable(event.subject, SUBJECT_MAX_BYTES),
      time: event.time,
      dataschema: storable(event.dataschema, DATASCHEMA_MAX_BYTES),
      datacontenttype: storable(event.datacontenttype, DATACONTENTTYPE_MAX_BYTES),
    },
    isEvent: true,
    body,
  };
}

const NAMELESS = { type: undefined, source: undefined, eventId: undefined };

function namesOf({ type, source, id }: { type?: unknown; source?: unknown; id?: unknown }) {
  return {
    type: storable(type, TYPE_MAX_BYTES),
    source: storable(source, SOURCE_MAX_BYTES),
    eventId: storable(id, ID_MAX_BYTES),
  };
}

/** The JSON object of an event that is none by its schema; undefined where the database could not read it either. */
function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const { lossless } = parseLossless(text);
    return isJsonObject(lossless) && !isDeeperThan(lossless, EVENT_MAX_DEPTH) ? lossless : undefined;
  } catch {
    return undefined;
  }
}

function factsOf(message: ReceivedDeadLetter) {
  const { attributes } = message;
  const { isDeadLetter, attempts, replays, deadLetterId } = readAttributes(attributes, message);
  const { reason = MOVED_BY_SQS, detail = isDeadLetter ? "" : TOO_OFTEN, sqlState = "" } = attributes;
  const text = detail.slice(0, DEAD_LETTER_MESSAGE_MAX_CHARACTERS).toWellFormed();
  return {
    messageId: attributes.firstMessageId?.slice(0, MESSAGE_ID_MAX_CHARACTERS) ?? message.messageId,
    deadLetterId,
    reason: reason.slice(0, REASON_MAX_CHARACTERS).toWellFormed(),
    sqlState: /^[0-9A-Z]{5}$/.test(sqlState) ? sqlState : undefined,
    message: text,
    messageGroup: messageGroup(text),
    attempts: toInteger(isDeadLetter ? (toCount(attributes.attempts) ?? 0) : attempts),
    replays: toInteger(replays),
  };
}

const MOVED_BY_SQS = "max_receives_exceeded";
const TOO_OFTEN = "The consumer received the message too often without finishing it.";

/** Ids of SQS have 36. */
const MESSAGE_ID_MAX_CHARACTERS = 100;

/** A count as the database holds it. */
const toInteger = (count: number): number => Math.min(count, 2 ** 31 - 1);

/** A text that an event may have and the database can hold; undefined for any other value. */
function storable(value: unknown, maxBytes: number): string | undefined {
  const isText = typeof value === "string" && fitsUtf8(value, maxBytes);
  return isText && value.isWellFormed() && !value.includes("\u0000") ? value : undefined;
}
