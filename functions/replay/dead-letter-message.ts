import { createHash } from "node:crypto";
import { isJsonObject, parseLossless } from "../core/lossless-json.ts";
import { type MessageAttributes, readAttributes, toCount } from "../core/queue-message.ts";

/** A message as it was received from the dead-letter queue. */
export type RawMessage = {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: MessageAttributes;
  /** Milliseconds since the epoch. */
  sentAt: number;
  receiveCount: number;
};

/** Why a message is in the dead-letter queue, and its history. */
export type DeadLetterFacts = {
  messageId: string;
  /** `max_receives_exceeded` when SQS moved the message because the consumer never finished it. */
  reason: string;
  sqlState: string | undefined;
  detail: string;
  tenant: string | undefined;
  /** When ingest accepted the events; if unknown, when SQS got the message. */
  receivedAt: string;
  /** When SQS first got the message; for a message that the consumer sent, when it was dead-lettered. */
  sentAt: string;
  /** Deliveries to the consumer; for a message that SQS moved, receives by an operator's commands count too. */
  attempts: number;
  replays: number;
};

/** A message of the dead-letter queue. Anybody may have written it, so most of it is optional. */
export type DeadLetterMessage = DeadLetterFacts & {
  receiptHandle: string;
  body: string;
  /** The row that the last replay sent. */
  deadLetterId: string | undefined;
  /** The body, numbers with all their digits; undefined when the body is no envelope. */
  envelope: Record<string, unknown> | undefined;
  /** At least one: a message that is no envelope counts as one event without a name. */
  events: DeadLetterEvent[];
};

export type DeadLetterEvent = {
  id: string | undefined;
  type: string | undefined;
  source: string | undefined;
  /** The event as the envelope has it, numbers with all their digits. */
  content: Record<string, unknown> | undefined;
};

/** Reads any message of the dead-letter queue; an unreadable part is undefined. Never throws. */
export function toDeadLetterMessage(raw: RawMessage): DeadLetterMessage {
  const { messageId, receiptHandle, body, attributes } = raw;
  const envelope = parseEnvelope(body);
  const { reason, sqlState, detail = NO_DETAIL } = attributes;
  const { isDeadLetter, replays, deadLetterId, ...history } = readAttributes(attributes, raw);
  const sentAt = new Date(history.firstSentAt).toISOString();
  return {
    messageId,
    receiptHandle,
    body,
    deadLetterId,
    reason: reason ?? "max_receives_exceeded",
    sqlState,
    detail,
    tenant: attributes.tenant ?? text(envelope?.["tenant"]),
    receivedAt: time(envelope?.["receivedAt"]) ?? sentAt,
    sentAt,
    attempts: isDeadLetter ? (toCount(attributes.attempts) ?? 0) : history.attempts,
    replays,
    envelope,
    events: envelope === undefined ? [NAMELESS] : eventsOf(envelope).map(toDeadLetterEvent),
  };
}

export function factsOf(facts: DeadLetterFacts): DeadLetterFacts {
  const { messageId, reason, sqlState, detail, tenant, receivedAt, sentAt, attempts, replays } = facts;
  return { messageId, reason, sqlState, detail, tenant, receivedAt, sentAt, attempts, replays };
}

/**
 * A short hash that identifies an event without revealing anything of it.
 * @see functions/sql/0001_events.sql: an event is unique by tenant, source and id
 */
export function eventKey({ tenant, body }: DeadLetterMessage, { source, id, content }: DeadLetterEvent): string {
  const name = content === undefined ? body : JSON.stringify([tenant, source, id]);
  return createHash("sha256").update(name).digest("base64url").slice(0, KEY_CHARACTERS);
}

/** 96 bits: among a million events the chance of two equal keys is one in 10^17. */
const KEY_CHARACTERS = 16;

const NO_DETAIL = "The consumer received the message too often without finishing it.";

const NAMELESS: DeadLetterEvent = { id: undefined, type: undefined, source: undefined, content: undefined };

/** An object with a list of named events; this accepts envelopes of newer versions too. */
function parseEnvelope(body: string): Record<string, unknown> | undefined {
  try {
    const { lossless } = parseLossless(body);
    return isJsonObject(lossless) && eventsOf(lossless).length > 0 && eventsOf(lossless).every(hasNames)
      ? lossless
      : undefined;
  } catch {
    return undefined;
  }
}

function eventsOf(envelope: Record<string, unknown>): unknown[] {
  return Array.isArray(envelope["events"]) ? envelope["events"] : [];
}

function hasNames(event: unknown): boolean {
  return isJsonObject(event) && ["id", "type", "source"].every((name) => typeof event[name] === "string");
}

function toDeadLetterEvent(event: unknown): DeadLetterEvent {
  const content = event as Record<string, unknown>;
  return { id: text(content["id"]), type: text(content["type"]), source: text(content["source"]), content };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function time(value: unknown): string | undefined {
  const at = typeof value === "string" ? new Date(value) : undefined;
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
