import type { Client } from "pg";
import { createDataApiEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createConsume } from "../../functions/consume/consume.ts";
import type { BatchRule, QueueMessage } from "../../functions/core/batch.ts";
import { ENVELOPE_VERSION } from "../../functions/core/envelope.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import type { BenchEvent } from "../events.ts";
import { copyIn } from "./copy-in.ts";

/** Creates the consumer's rule as deployed; dead letters are counted and discarded. */
export function createConsumer(database: SqlDatabase): BatchRule {
  return createConsume({
    store: createDataApiEventStore(database),
    deadLetters: { send: async (deadLetters) => deadLetters.map(() => "stored") },
    clock: () => new Date(),
  });
}

/** Packs events into messages as ingest does. */
export function toMessages(events: readonly BenchEvent[], perMessage: number): QueueMessage[] {
  const receivedAt = new Date().toISOString();
  const messages: QueueMessage[] = [];
  for (let i = 0; i < events.length; i += perMessage) {
    const envelope = {
      version: ENVELOPE_VERSION,
      tenant: "default",
      receivedAt,
      events: events.slice(i, i + perMessage),
    };
    messages.push({ messageId: String(i), body: JSON.stringify(envelope), attempts: 1, replays: 0 });
  }
  return messages;
}

/** Runs the consumer. @throws Error unless each event was stored or dead-lettered as expected */
export async function consume(
  rule: BatchRule,
  messages: QueueMessage[],
  expected: { stored: number; dead?: number },
): Promise<void> {
  const { failed, metrics } = await rule(messages, Date.now() + 60_000);
  const { EventsStored: stored, EventsDeadLettered: dead } = metrics;
  if (failed.length > 0 || stored !== expected.stored || dead !== (expected.dead ?? 0))
    throw new Error(`Stored ${stored}, dead-lettered ${dead}, failed messages ${failed.length}.`);
}

/** Makes the text of `COPY`, PostgreSQL's fastest way: the same rows into the same table with its index, without keys. */
export function toCopyText(events: readonly BenchEvent[]): string {
  const receivedAt = new Date().toISOString();
  return events
    .map(({ id, source, type, time, data }) =>
      ["default", id, source, type, time, receivedAt, JSON.stringify(data)].map(escapeCopy).join("\t"),
    )
    .join("\n");
}

/** @see https://www.postgresql.org/docs/17/sql-copy.html (text format) */
function escapeCopy(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

export function copy(client: Client, text: string): Promise<void> {
  return copyIn(client, "copy events (tenant, id, source, type, time, received_at, data) from stdin", text);
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
