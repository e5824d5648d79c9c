import { randomBytes } from "node:crypto";
import { ENVELOPE_VERSION } from "../../../functions/core/envelope.ts";
import { MESSAGE_ATTRIBUTES_RESERVE_BYTES, MESSAGE_MAX_BYTES } from "../../../functions/core/queue-limits.ts";
import { newProducerId } from "../../../functions/core/producer-id.ts";
import { RETENTION_DAYS } from "../../../functions/core/retention.ts";
import { stringifyForQueue } from "../../../functions/core/sqs-text.ts";
import type { SentEvent } from "./client.ts";
import type { FaultScenario } from "./fault-scenario.ts";

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT_CHARACTERS = 55;

/**
 * The event filled up until it has exactly so many bytes in a queue message: with copies of a text, which ingest compresses, or with
 * random characters, which stay as they are.
 */
export function filled(event: SentEvent, bytes: number, unit?: string): SentEvent {
  const withText = (text: string): SentEvent => ({ ...event, data: { ...(event.data as object), text } });
  // Ingest adds the time where there is none.
  const missing = bytes - queueBytes({ ...withText(""), time: new Date(0).toISOString() });
  if (missing < 0) throw new Error(`The event alone has ${bytes - missing} bytes.`);
  if (unit === undefined) return withText(randomCharacters(missing));
  const unitBytes = queueBytes(unit) - 2;
  return withText(unit.repeat(Math.floor(missing / unitBytes)) + "x".repeat(missing % unitBytes));
}

/** Each a byte in JSON. Base64 of their compressed form is longer than they are. */
function randomCharacters(count: number): string {
  return Array.from(randomBytes(count), (byte) => CHARACTERS[byte % CHARACTERS.length]).join("");
}

const CHARACTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).filter(
  (each) => !'"\\'.includes(each),
);

/** Events that have exactly so many bytes as one message, envelope and commas included. */
export function messageOf(events: readonly SentEvent[], bytes: number, unit?: string): SentEvent[] {
  const room = bytes - ENVELOPE_BYTES - (events.length - 1);
  const each = Math.floor(room / events.length);
  return events.map((event, index) => filled(event, index > 0 ? each : room - each * (events.length - 1), unit));
}

/** Events of one request that make five messages, of which the last is small and goes in a call with the one before. */
export function fiveMessages(scenario: FaultScenario, perMessage: number): SentEvent[] {
  const spare = 1_500;
  const full = MESSAGE_MAX_BYTES - MESSAGE_ATTRIBUTES_RESERVE_BYTES - spare;
  const messages = Array.from({ length: 4 }, () => messageOf(scenario.events(perMessage), full));
  return [...messages.flat(), ...scenario.events(3).map((event) => filled(event, spare))];
}

/** Events of one request that make five messages, each of which needs a call of its own. */
export function fiveCalls(scenario: FaultScenario, perMessage: number): SentEvent[] {
  // Three large ones leave too little room for a fourth, and five times three are below the limit of a request.
  const messages = Array.from({ length: 5 }, () =>
    scenario.events(perMessage).map((event, index) => filled(event, index < 3 ? 260_000 : 500)),
  );
  return messages.flat();
}

/** The number of the first event has up to five digits in a test, so a message has up to four bytes less. */
const ENVELOPE_BYTES = queueBytes({
  version: ENVELOPE_VERSION,
  tenant: "default",
  receivedAt: new Date(0).toISOString(),
  // The default of the stage dev; ingest writes the days.
  retention: RETENTION_DAYS["30d"],
  traceparent: "x".repeat(TRACEPARENT_CHARACTERS),
  producer: newProducerId(0),
  sequence: 99_999,
  events: [],
});

function queueBytes(value: unknown): number {
  return Buffer.byteLength(stringifyForQueue(value));
}
