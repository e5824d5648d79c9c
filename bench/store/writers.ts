import type { Client } from "pg";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createStoreMessages, type StoreMessages } from "../../functions/consume/store-messages.ts";
import { packEvents } from "../../functions/core/envelope.ts";
import { toMessageBody } from "../../functions/core/message-text.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { newProducerId } from "../../functions/core/producer-id.ts";
import type { ReceivedMessage } from "../../functions/core/queue-message.ts";
import type { BenchEvent } from "../events.ts";
import { copyIn } from "./copy-in.ts";

/** Storing as the deployed consumer does it; dead letters are counted and dropped. */
export function createConsumer(database: SqlDatabase): StoreMessages {
  return createStoreMessages({
    store: createEventStore(database),
    deadLetters: { send: async (deadLetters) => deadLetters.map(() => "enqueued") },
    clock: () => new Date(),
    tracing: { serve: () => undefined },
  });
}

/** Packs events into messages as ingest does, with the numbers of a new producer. */
export function toMessages(events: readonly BenchEvent[], perMessage: number): ReceivedMessage[] {
  const now = new Date();
  const producer = newProducerId(now.getTime());
  const messages: ReceivedMessage[] = [];
  for (let i = 0; i < events.length; i += perMessage) {
    const head = { tenant: "default", receivedAt: now.toISOString(), producer, sequence: i + 1 };
    for (const { text } of packEvents(events.slice(i, i + perMessage), head, (event) => JSON.stringify(event)))
      messages.push({
        messageId: `${i}-${messages.length}`,
        body: toMessageBody(text),
        receiptHandle: "",
        receiveCount: 1,
        attempts: 1,
        replays: 0,
        deadLetterId: undefined,
        group: "default",
        firstSentAt: Date.now(),
      });
  }
  return messages;
}

/** Runs the consumer. @throws Error unless each event was stored or dead-lettered as expected */
export async function consume(
  storeMessages: StoreMessages,
  messages: ReceivedMessage[],
  expected: { stored: number; dead?: number },
): Promise<void> {
  const { failed, metrics } = await storeMessages(messages, Date.now() + 60_000);
  const { EventsStored: stored, EventsDeadLettered: dead } = metrics;
  if (failed.length > 0 || stored !== expected.stored || dead !== (expected.dead ?? 0))
    throw new Error(`Stored ${stored}, dead-lettered ${dead}, failed messages ${failed.length}.`);
}

/** Makes the text of `COPY`, PostgreSQL's fastest way: the same rows into the same table with its index, without keys. */
export function toCopyText(events: readonly BenchEvent[]): string {
  const receivedAt = new Date().toISOString();
  return events
    .map(({ id, source, type, time, data }) =>
      ["default", id, source, type, time, receivedAt, KEPT, JSON.stringify(data)].map(escapeCopy).join("\t"),
    )
    .join("\n");
}

/** The retention class of the consumer's events, too: the default of a database that no stage has configured. */
const KEPT = "0";

/** @see https://www.postgresql.org/docs/17/sql-copy.html (text format) */
function escapeCopy(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

export function copy(client: Client, text: string): Promise<void> {
  return copyIn(client, "copy events (tenant, id, source, type, time, received_at, retention, data) from stdin", text);
}

/** The table of the usual sample: one row per statement, with a primary key that finds copies. */
export const makeRecordsTable = `
  create table records (
    tenant text not null, source text not null, id text not null, type text not null, time timestamptz not null,
    received_at timestamptz not null default clock_timestamp(), data jsonb,
    primary key (tenant, source, id)
  )`;

const insertRecord = {
  name: "insert_record",
  text: `
    insert into records (tenant, source, id, type, time, data) values ($1, $2, $3, $4, $5, $6)
    on conflict do nothing`,
};

/** Distributes the events over the connections; each writes one after the other. */
export async function insertEach(clients: readonly Client[], events: readonly BenchEvent[]): Promise<void> {
  let next = 0;
  const write = async (client: Client) => {
    for (let event = events[next++]; event !== undefined; event = events[next++]) {
      const { id, source, type, time, data } = event;
      await client.query({ ...insertRecord, values: ["default", source, id, type, time, JSON.stringify(data)] });
    }
  };
  await Promise.all(clients.map(write));
}
