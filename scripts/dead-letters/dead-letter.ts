import { createHash } from "node:crypto";
import type { Message } from "@aws-sdk/client-sqs";
import { isRawNumber, parseLossless } from "../../functions/core/lossless-json.ts";

/** What is known of a dead letter beside its events. */
export type LetterFacts = {
  messageId: string;
  /** Why it stands here; `max_receives_exceeded` when SQS moved it because the consumer never finished it. */
  reason: string;
  sqlState: string | undefined;
  detail: string;
  tenant: string | undefined;
  /** When the door accepted its events; where nobody knows that, when SQS got the message. */
  receivedAt: string;
  /** When SQS first got the message: of a letter that the consumer sent, when it was dead-lettered. */
  sentAt: string;
  /** Deliveries to the consumer; of a letter that SQS moved, those to commands like these are among them. */
  attempts: number;
  /** Times it was replayed. */
  replays: number;
};

/** A message of the dead-letter queue, as far as it can be read. */
export type DeadLetter = LetterFacts & {
  receiptHandle: string;
  body: string;
  /** The body, numbers with all their digits; undefined where it is no envelope. */
  envelope: Record<string, unknown> | undefined;
  /** At least one: a message that is no envelope counts as one event without a name. */
  events: LetterEvent[];
};

export type LetterEvent = {
  id: string | undefined;
  type: string | undefined;
  source: string | undefined;
  /** As it stands in the envelope. */
  exact: Record<string, unknown> | undefined;
};

/** Reads a message received with all its attributes; anything may stand in it. */
export function toDeadLetter(message: Message): DeadLetter {
  const attribute = (name: string) => message.MessageAttributes?.[name]?.StringValue;
  const system = (name: "SentTimestamp" | "ApproximateReceiveCount") => count(message.Attributes?.[name]);
  const body = message.Body ?? "";
  const envelope = parseEnvelope(body);
  const reason = attribute("reason");
  // A message that failed often is a copy that carries what SQS knew of the one before (functions/adapters/lambda/received-message.ts).
  const sentAt = new Date(count(attribute("sentAt")) || system("SentTimestamp")).toISOString();
  const deliveries = count(attribute("failures")) + system("ApproximateReceiveCount");
  return {
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    body,
    reason: reason ?? "max_receives_exceeded",
    sqlState: attribute("sqlState"),
    detail: attribute("detail") ?? "The consumer received the message too often without finishing it.",
    tenant: attribute("tenant") ?? text(envelope?.["tenant"]),
    receivedAt: time(attribute("receivedAt")) ?? time(envelope?.["receivedAt"]) ?? sentAt,
    sentAt,
    attempts: reason === undefined ? deliveries : count(attribute("attempts")),
    replays: count(attribute("replays")),
    envelope,
    events: envelope === undefined ? [NAMELESS] : eventsOf(envelope).map(toLetterEvent),
  };
}

/**
 * What an event is known by in a journal: short, and nothing of it can be read from it.
 * @see functions/sql/0001_events.sql: an event is unique by tenant, source and id
 */
export function eventKey({ tenant, body }: DeadLetter, { source, id, exact }: LetterEvent): string {
  const name = exact === undefined ? body : JSON.stringify([tenant, source, id]);
  return createHash("sha256").update(name).digest("base64url").slice(0, KEY_CHARACTERS);
}

/** 96 bits: among a million events the chance of two alike is one in 10^17. */
const KEY_CHARACTERS = 16;

const NAMELESS: LetterEvent = { id: undefined, type: undefined, source: undefined, exact: undefined };

/** An object with a list of events that have names; an envelope of a newer version is one too. */
function parseEnvelope(body: string): Record<string, unknown> | undefined {
  try {
    const { lossless: exact } = parseLossless(body);
    return isObject(exact) && eventsOf(exact).length > 0 && eventsOf(exact).every(hasNames) ? exact : undefined;
  } catch {
    return undefined;
  }
}

function eventsOf(envelope: Record<string, unknown>): unknown[] {
  return Array.isArray(envelope["events"]) ? envelope["events"] : [];
}

function hasNames(event: unknown): boolean {
  return isObject(event) && ["id", "type", "source"].every((name) => typeof event[name] === "string");
}

function toLetterEvent(event: unknown): LetterEvent {
  const exact = event as Record<string, unknown>;
  return { id: text(exact["id"]), type: text(exact["type"]), source: text(exact["source"]), exact };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function count(value: string | undefined): number {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : 0;
}

function time(value: unknown): string | undefined {
  const at = typeof value === "string" ? new Date(value) : undefined;
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
