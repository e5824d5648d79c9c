import { type EnvelopeHead, wrapText, writeEnvelope } from "../core/envelope.ts";
import type { DatabaseError } from "../core/errors.ts";
import type { MetricCounts } from "../core/metric-names.ts";
import type { Clock, DeadLetter, DeadLetterQueue, EventStore, StorableEvent } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { headOf, originOf, readMessage, type UnreadableEvent } from "../core/read-message.ts";
import type { Tracing } from "../core/tracing.ts";
import { withTrace } from "../core/with-trace.ts";
import { storeChunk } from "./store-chunk.ts";
import { workAhead } from "../core/work-ahead.ts";

/** Stores and dead-letters the events of messages; `deadline` is ms since the epoch. */
export type StoreMessages = (messages: ReceivedMessage[], deadline: number) => Promise<StoreResult>;

export type StoreResult = {
  /** Messages of which some event is neither stored nor dead-lettered. */
  failed: ReceivedMessage[];
  /** Why messages failed, where the database said why; undefined when time ran out or a dead letter was not enqueued. */
  failure: DatabaseError | undefined;
  /** Events whose key is stored with other content. */
  conflicts: EventKey[];
  metrics: MetricCounts;
};

type EventKey = { tenant: string; source: string; id: string };

/**
 * A message is done when each of its events is stored or dead-lettered; every other message fails. Failures of the
 * infrastructure never dead-letter anything.
 */
export function createStoreMessages({
  store,
  deadLetters,
  clock,
  tracing,
}: {
  store: EventStore;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  tracing: Pick<Tracing, "serve">;
}): StoreMessages {
  return async function storeMessages(messages, deadline) {
    const failed = new Set<ReceivedMessage>();
    const pending: Pending[] = [];
    const conflicts: EventKey[] = [];
    let [stored, erased, handled] = [0, 0, 0];
    let failure: DatabaseError | undefined;

    // The next chunk is read and its rows are written while the database works on the chunk before.
    await workAhead(readChunks(messages, store, tracing), async ({ events, unreadable }) => {
      pending.push(...unreadable);
      if (failure?.isOutage) {
        for (const { message } of events) failed.add(message);
        return;
      }
      const outcome = await storeChunk(events, { store, clock, deadline });
      stored += outcome.stored;
      erased += outcome.erased;
      handled += events.length - outcome.refused.length - outcome.blocked.length;
      failure = outcome.failure ?? failure;
      pending.push(...outcome.refused.map(({ event, error }) => refusedEvent(event, error)));
      conflicts.push(...outcome.conflicts.map(({ tenant, event: { source, id } }) => ({ tenant, source, id })));
      for (const { message } of outcome.blocked) failed.add(message);
    });

    // A failed message is delivered again with all its events. Its refused ones are dead-lettered only when the others are
    // stored, or each delivery would add their dead letters once more.
    const ready = pending.filter(({ message }) => !failed.has(message));
    const outcomes = await deadLetters.send(
      ready.map(({ deadLetter }) => deadLetter),
      deadline,
    );
    for (const [index, { message }] of ready.entries()) if (outcomes[index] !== "enqueued") failed.add(message);

    return {
      failed: [...failed],
      failure,
      conflicts,
      metrics: {
        EventsStored: stored,
        // Every copy of a stored event, also one with other content.
        EventsDuplicate: handled - stored - erased,
        EventsConflicting: conflicts.length,
        EventsErased: erased,
        EventsDeadLettered: outcomes.filter((outcome) => outcome === "enqueued").length,
      },
    };
  };
}

/** An event and the message it came in. */
type SourcedEvent = StorableEvent & {
  /** Of its message, and the index of the event there. */
  head: EnvelopeHead;
  index: number;
  message: ReceivedMessage;
  deadLetterId: string | undefined;
};

/** A dead letter to be sent, and the message it is made of. */
type Pending = { message: ReceivedMessage; deadLetter: DeadLetter };

/** The events of one call, and what could not be read before their end. */
type ReadChunk = { events: SourcedEvent[]; unreadable: Pending[] };

/** Reads messages in order, a chunk each time it is asked for one; the last chunk may have no events. */
function* readChunks(
  messages: ReceivedMessage[],
  store: EventStore,
  tracing: Pick<Tracing, "serve">,
): Generator<ReadChunk> {
  const chunker = store.createChunker<SourcedEvent>();
  let unreadable: Pending[] = [];
  for (const message of messages) {
    const read = readMessage(message.body);
    if (read.kind === "unreadable") {
      unreadable.push(unreadableMessage(message, read.detail));
      continue;
    }
    const { head, events } = read;
    const { tenant, receivedAt, retention } = head;
    tracing.serve(head.traceparent);
    // Only a message with one event can be the replay of a dead letter; anybody may write to the queue.
    const isOneEvent = events.length + read.unreadable.length === 1;
    const deadLetterId = isOneEvent ? message.deadLetterId : undefined;
    unreadable.push(...read.unreadable.map((event) => unreadableEvent(message, head, event, deadLetterId)));
    for (const { event: sent, index } of events) {
      const event = withTrace(sent, head.eventTraceparent);
      const origin = originOf(head, index);
      const full = chunker.add({ tenant, receivedAt, retention, event, origin, head, index, message, deadLetterId });
      if (full === undefined) continue;
      yield { events: full, unreadable };
      unreadable = [];
    }
  }
  yield { events: chunker.rest(), unreadable };
}

/** The event alone in an envelope, so that it can be sent to the event queue again as it is. */
function refusedEvent(
  { tenant, receivedAt, event, head, index, message, deadLetterId }: SourcedEvent,
  error: DatabaseError,
): Pending {
  const deadLetter: DeadLetter = {
    body: writeEnvelope(headOf(head, index), event),
    reason: error.reason,
    sqlState: error.sqlState,
    detail: error.detail,
    tenant,
    type: event.type,
    source: event.source,
    id: event.id,
    receivedAt,
    ...triesOf(message),
    deadLetterId,
  };
  return { message, deadLetter };
}

/** The text of the event alone in an envelope; its neighbours are stored. */
function unreadableEvent(
  message: ReceivedMessage,
  head: EnvelopeHead,
  { text, detail, index }: UnreadableEvent,
  deadLetterId: string | undefined,
): Pending {
  const { tenant, receivedAt } = head;
  const body = wrapText(text, headOf(head, index));
  const facts = { reason: "unreadable_event", detail, tenant, receivedAt, ...triesOf(message), deadLetterId };
  const deadLetter = { ...UNKNOWN, body, ...facts };
  return { message, deadLetter };
}

/** The whole message as it came: its events cannot be judged, and none is ever dropped. */
function unreadableMessage(message: ReceivedMessage, detail: string): Pending {
  const { body, deadLetterId } = message;
  const deadLetter = { ...UNKNOWN, body, reason: "unreadable_message", detail, ...triesOf(message), deadLetterId };
  return { message, deadLetter };
}

const UNKNOWN = {
  sqlState: undefined,
  tenant: undefined,
  type: undefined,
  source: undefined,
  id: undefined,
  receivedAt: undefined,
};

const triesOf = ({ attempts, replays }: ReceivedMessage) => ({ attempts, replays });
