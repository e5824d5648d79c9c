import type { BatchRule, QueueMessage } from "../core/batch.ts";
import { ENVELOPE_VERSION } from "../core/envelope.ts";
import type { DatabaseError } from "../core/errors.ts";
import { stringifyForQueue } from "../core/lossless-json.ts";
import { metricNames } from "../core/metric-names.ts";
import type { Clock, DeadLetter, DeadLetterQueue, EventStore, StorableEvent } from "../core/ports.ts";
import { readMessage } from "./read-message.ts";
import { storeOrRefuse } from "./store-chunk.ts";
import { workAhead } from "./work-ahead.ts";

export type ConsumeDeps = { store: EventStore; deadLetters: DeadLetterQueue; clock: Clock };

/**
 * The rule of the consumer: a message is done when each of its events is stored or dead-lettered; everything else
 * comes again. Infrastructure failures never dead-letter anything.
 */
export function createConsume({ store, deadLetters, clock }: ConsumeDeps): BatchRule {
  return async function consume(messages, deadline) {
    const unreadable: Unreadable[] = [];
    const failed = new Set<QueueMessage>();
    const refused: { event: Sourced; error: DatabaseError }[] = [];
    const conflicts: Sourced[] = [];
    let stored = 0;
    let handled = 0;
    let failure: DatabaseError | undefined;

    // Messages are read, and rows made of them, while the database works on the chunk before.
    await workAhead(store.chunks(read(messages, unreadable)), async (chunk) => {
      if (failure?.isOutage) {
        for (const event of chunk) failed.add(event.message);
        return;
      }
      const outcome = await storeOrRefuse(chunk, { store, clock, deadline });
      stored += outcome.stored;
      handled += chunk.length - outcome.refused.length - outcome.blocked.length;
      failure = outcome.failure ?? failure;
      refused.push(...outcome.refused);
      conflicts.push(...outcome.conflicts);
      for (const event of outcome.blocked) failed.add(event.message);
    });

    // A message that comes again brings its refused events along, so their dead letters wait until it is done.
    const letters = [
      ...unreadable,
      ...refused
        .filter(({ event }) => !failed.has(event.message))
        .map(({ event, error }) => ({
          message: event.message,
          letter: refusedLetter(event, error),
        })),
    ];
    const outcomes = await deadLetters.send(
      letters.map(({ letter }) => letter),
      deadline,
    );
    for (const [index, { message }] of letters.entries()) if (outcomes[index] !== "stored") failed.add(message);

    return {
      failed: [...failed],
      failure,
      conflicts: conflicts.map(({ tenant, event: { source, id } }) => ({ tenant, source, id })),
      metrics: {
        [metricNames.eventsStored]: stored,
        // Every copy of a stored event, also one with another content.
        [metricNames.eventsDuplicate]: handled - stored,
        [metricNames.eventsConflicting]: conflicts.length,
        [metricNames.eventsDeadLettered]: outcomes.filter((outcome) => outcome === "stored").length,
      },
    };
  };
}

/** An event and the message it came in. */
type Sourced = StorableEvent & { message: QueueMessage };

type Unreadable = { message: QueueMessage; letter: DeadLetter };

/** The events of messages, in order; those that are no envelope go to `unreadable`. */
function* read(messages: QueueMessage[], unreadable: Unreadable[]): Generator<Sourced> {
  for (const message of messages) {
    const result = readMessage(message.body);
    switch (result.kind) {
      case "readable": {
        const { tenant, receivedAt } = result.envelope;
        for (const event of result.envelope.events) yield { tenant, receivedAt, event, message };
        break;
      }
      case "unreadable":
        unreadable.push({ message, letter: unreadableLetter(message, result.detail) });
        break;
    }
  }
}

/** The event alone in an envelope of its own, so that it can be sent to the queue again as it is. */
function refusedLetter({ tenant, receivedAt, event, message }: Sourced, error: DatabaseError): DeadLetter {
  return {
    body: stringifyForQueue({ version: ENVELOPE_VERSION, tenant, receivedAt, events: [event] }),
    reason: error.reason,
    sqlState: error.sqlState,
    detail: error.detail,
    tenant,
    type: event.type,
    source: event.source,
    id: event.id,
    receivedAt,
    attempts: message.attempts,
    replays: message.replays,
  };
}

/** The message whole, as it came: what cannot be read cannot be judged, and is never dropped. */
function unreadableLetter({ body, attempts, replays }: QueueMessage, detail: string): DeadLetter {
  const unknown = { sqlState: undefined, tenant: undefined, type: undefined, source: undefined, id: undefined };
  return {
    ...unknown,
    body,
    reason: "unreadable_message",
    detail,
    receivedAt: undefined,
    attempts,
    replays,
  };
}
