import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { soon, type TestDatabase } from "./database.ts";
import { storable } from "./event-samples.ts";
import { openLists, type Page, untilListed } from "./lists.ts";

/** Days that have a partition. */
const DAYS = 3;

/**
 * Pages through a list, forwards and backwards, while writers store events all over its range, and compares the union of the
 * pages with the events below the first page's horizon.
 */
export async function pageUnderWrites(
  db: TestDatabase,
  { rows, writers, limit }: { rows: number; writers: number; limit: number },
): Promise<{ listed: number; written: number; pages: number }> {
  await db.ask(
    `insert into events (tenant, id, source, type, time, received_at, retention)
     select 'default', 'id' || number % 1000, '/s' || number, 'com.example.' || number % 3, now(),
       timestamptz '2026-11-19 00:00Z' + (number * 7919 % $1) * ${DAYS} * interval '1 day' / $1, 0
     from generate_series(1, $1) as number`,
    [rows],
  );
  await db.ask("analyze events");
  await untilListed(db);
  const lists = openLists(db.reader);
  const stop = new AbortController();
  const writing = Array.from({ length: writers }, (_, writer) => write(db, writer, stop.signal));
  try {
    const first = await lists.page({ limit });
    const wanted = new Set(
      (await db.ask<{ key: string }>("select id || ' ' || source as key from events where source not like '/w%'")).map(
        ({ key }) => key,
      ),
    );
    expect(wanted.size).toBe(rows);

    const forwards = [first];
    for await (const page of lists.walk({ limit, cursor: first.next ?? "none" })) forwards.push(page);
    const before = forwards.at(-1)?.prev ?? "none";
    const backwards: Page[] = [];
    for await (const page of lists.walk({ limit, cursor: before }, "prev")) backwards.unshift(page);

    const keys = keysOf(forwards);
    // Texts of all keys as one, because a failure would print them all.
    expect(keysOf([...backwards, ...forwards.slice(-1)]).join() === keys.join()).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
    const listed = new Set(keys);
    expect([...wanted].filter((key) => !listed.has(key))).toEqual([]);
    const late = (await writtenAfter(db, first)).filter((key) => listed.has(key));
    expect(late).toEqual([]);
    const times = forwards.flatMap(({ events }) => events.map(({ receivedat }) => receivedat));
    expect(times.every((time, i) => i === 0 || time <= String(times[i - 1]))).toBe(true);
    stop.abort();
    const written = (await Promise.all(writing)).reduce((all, each) => all + each, 0);
    return { listed: keys.length, written, pages: forwards.length };
  } finally {
    stop.abort();
    await Promise.all(writing);
  }
}

const keysOf = (pages: Page[]) => pages.flatMap(({ events }) => events.map(({ id, source }) => `${id} ${source}`));

/** The keys of the events that are not below the horizon of a page, which its cursor has. */
async function writtenAfter(db: TestDatabase, { next }: Page): Promise<string[]> {
  // A cursor is a MAC of 16 bytes, a hash of 12, and the place as JSON.
  const [, horizon] = JSON.parse(Buffer.from(next ?? "", "base64url").toString("utf8", 28)) as [string, string];
  const found = await db.ask<{ key: string }>(
    "select id || ' ' || source as key from events where transaction_number >= $1",
    [horizon],
  );
  return found.map(({ key }) => key);
}

/** Stores events of the whole range, a few a call, until it is stopped. Returns how many. */
async function write(db: TestDatabase, writer: number, signal: AbortSignal): Promise<number> {
  const store = createEventStore(db.writer);
  let written = 0;
  while (!signal.aborted) {
    const events: StorableEvent[] = Array.from({ length: 20 }, (_, i) => {
      const minute = (written * 20 + i * 217 + writer * 31) % (DAYS * 24 * 60);
      const receivedAt = new Date(Date.UTC(2026, 10, 19, 0, minute)).toISOString();
      return storable({ id: `id${i}`, source: `/w${writer}/${written + i}` }, { receivedAt });
    });
    const { stored } = await store.store(events, soon());
    written += stored;
    await delay(writer);
  }
  return written;
}
