import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { messageOf } from "../message-of.ts";
import { connectionSettings } from "../postgres/connection-settings.ts";
import type { Addresses } from "../addresses.ts";

const STORED_WITHIN_MS = 60_000;
const POLL_MS = 250;
const ANSWER_MS = 10_000;

/**
 * Sends an event to a stack, reads it back, and deletes it from the database. A stage that refuses types outside its
 * catalog refuses this event too, and gives "refused".
 * @throws Error with the event's id and the last answer, if it is not stored in time
 */
export async function probe(
  { url, databaseUrl, apiKey }: Pick<Addresses, "url" | "databaseUrl" | "apiKey">,
  withinMs = STORED_WITHIN_MS,
): Promise<"stored" | "refused"> {
  const id = `probe-${randomUUID()}`;
  const body = JSON.stringify({ id, type: "sluice.probe", source: "/sluice/probe", data: {} });
  const headers = { authorization: `Bearer ${apiKey}` };
  const post = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body };
  const deadline = Date.now() + withinMs;
  const sent = await askUntil([202, 422], deadline, `${url}/events`, post);
  if (sent.text.includes('"unknown_type"')) return "refused";
  if (sent.status === 422) throw new Error(`The deployed stack refused a probe event: ${sent.text.slice(0, 500)}`);
  await askUntil([200], deadline, `${url}/events/${id}`, { headers });
  await deleteEvent(databaseUrl, id);
  return "stored";
}

async function askUntil(wanted: number[], deadline: number, url: string, init?: RequestInit): Promise<Answer> {
  for (;;) {
    const { status, text } = await ask(url, Math.max(deadline - Date.now(), ANSWER_MS), init);
    if (wanted.includes(status)) return { status, text };
    if (Date.now() > deadline) {
      const last = `${init?.method ?? "GET"} ${url} last answered ${status} ${text.slice(0, 500)}`.trim();
      throw new Error(`The deployed stack did not store a probe event in time: ${last}`);
    }
    await delay(POLL_MS);
  }
}

/** A status and a body; without a response, 0 and the reason. */
type Answer = { status: number; text: string };

/** Waits for the answer: a cold start may take half a minute, and a second POST would store the event a second time. */
async function ask(url: string, withinMs: number, init?: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(withinMs) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: 0, text: messageOf(error) };
  }
}

async function deleteEvent(databaseUrl: string, id: string): Promise<void> {
  const client = new Client(connectionSettings(databaseUrl));
  await client.connect();
  try {
    await client.query(DELETE_EVENT, [id]);
  } finally {
    await client.end();
  }
}

const DELETE_EVENT = `
  with deleted as (delete from events where id = $1 returning tenant, id, source)
  delete from event_keys using deleted
  where (event_keys.tenant, event_keys.id, event_keys.source) = (deleted.tenant, deleted.id, deleted.source)`;
