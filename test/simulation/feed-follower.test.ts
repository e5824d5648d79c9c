import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFeedReader } from "../../functions/adapters/data-api/feed-reader.ts";
import { createCursors } from "../../functions/core/cursor.ts";
import { createFeed } from "../../functions/query/feed.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { NOW } from "../support/migrations.ts";
import { storable } from "../support/event-samples.ts";
import { adminOf } from "../support/principal.ts";
import { settle } from "../support/settle.ts";

const WRITERS = 8;
const TRANSACTIONS_OF_WRITER = 40;
/** Writers go on until the follower was killed often enough, but not without end. */
const MAX_TRANSACTIONS_OF_WRITER = 1_000;
const KILLS_OF_FOLLOWER = 100;
const DAY_MS = 86_400_000;

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

const random = (most: number) => Math.floor(Math.random() * most);

/** The lines of a chunk, as the consumer sends them. Some events are replayed: they were received up to 18 days ago. */
function chunkOf(ids: string[]): string[] {
  return ids.map((id) => {
    const receivedAt = random(4) === 0 ? new Date(NOW.getTime() - random(18) * DAY_MS) : NOW;
    return JSON.stringify({ ...storable({ id }).event, tenant: "default", received_at: receivedAt.toISOString() });
  });
}

/**
 * Stores chunks in transactions that stay open for a random time, so they commit in another order than they began. Some
 * writers are killed or roll back before the commit; like the consumer, they store the chunk again. Each also stores copies
 * of events that were stored before.
 */
async function write(writer: number, isEnough: () => boolean): Promise<void> {
  let session = await db.connectAs("writer");
  session.on("error", () => undefined);
  try {
    for (let number = 0; number < MAX_TRANSACTIONS_OF_WRITER; number++) {
      if (number >= TRANSACTIONS_OF_WRITER && isEnough()) return;
      // The follower has to keep up: far behind the writers, nothing can be missed.
      await delay(random(60));
      const copies = number === 0 ? [] : [`${writer}-${random(number)}-0`];
      const ids = Array.from({ length: 1 + random(6) }, (_, i) => `${writer}-${number}-${i}`);
      const lines = chunkOf([...ids, ...copies].toSorted());
      for (let attempt = 0; ; attempt++) {
        await session.query("begin");
        await session.query("select store_batch($1)", [lines]);
        await delay(random(25));
        const fate = attempt > 2 ? 9 : random(10);
        if (fate === 0) {
          await killed(session);
          session = await db.connectAs("writer");
          session.on("error", () => undefined);
        } else if (fate === 1) await session.query("rollback");
        else {
          await session.query("commit");
          break;
        }
      }
    }
  } finally {
    await session.end();
  }
}

async function killed(session: Client): Promise<void> {
  const ended = new Promise((resolve) => session.once("end", resolve));
  await session.query("select pg_terminate_backend(pg_backend_pid())").catch(() => undefined);
  await ended;
}

/** A follower that handles the events of each page, and then saves the cursor; a kill loses what it has not saved. */
async function followFeed(isOver: () => boolean, onKill: () => void): Promise<string[]> {
  const handled: string[] = [];
  let saved = "start";
  for (;;) {
    const wasOver = isOver();
    const feed = createFeed({
      reader: createFeedReader(db.reader),
      cursors: createCursors(async () => Buffer.from("secret")),
      mark: { read: async () => undefined },
      clock: () => new Date(),
      wait: delay,
    });
    const limit = 1 + random(100);
    const { events, next } = await feed({
      principal: adminOf("default"),
      after: saved,
      filter: undefined,
      limit,
      waitMs: 0,
      deadline: soon(),
    });
    const ids = (JSON.parse(events) as { id: string }[]).map(({ id }) => id);
    const isKilled = !wasOver && ids.length > 0 && random(3) === 0;
    if (isKilled) {
      onKill();
      handled.push(...ids.slice(0, random(ids.length + 1)));
      continue;
    }
    handled.push(...ids);
    saved = next;
    if (ids.length === 0 && wasOver) return handled;
    await delay(1);
  }
}

/** A follower of the time at which an event was stored, as many systems have it. It is never killed. */
async function followTime(isOver: () => boolean): Promise<string[]> {
  const handled: string[] = [];
  let saved = "-infinity";
  for (;;) {
    const wasOver = isOver();
    const rows = await db.ask<{ id: string; stored: string }>(
      "select id, stored_at::text as stored from events where stored_at > $1 order by stored_at limit 20",
      [saved],
    );
    handled.push(...rows.map(({ id }) => id));
    saved = rows.at(-1)?.stored ?? saved;
    if (rows.length === 0 && wasOver) return handled;
    await delay(random(5));
  }
}

describe("a follower beside eight writers that commit in random order, are killed, and replay old events", () => {
  it("a follower of the feed gets every event in the order of transactions though it is killed 100 times, and one of stored_at loses some", async () => {
    let isOver = false;
    let kills = 0;
    const isEnough = () => kills >= KILLS_OF_FOLLOWER;
    const writeAll = async () => {
      await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer, isEnough)));
      await settle(db);
      isOver = true;
    };

    const [, handled, byTime] = await Promise.all([
      writeAll(),
      followFeed(
        () => isOver,
        () => (kills += 1),
      ),
      followTime(() => isOver),
    ]);

    const stored = await db.ask<{ id: string; number: string; day: string }>(
      "select id, transaction_number as number, received_at::date::text as day from events",
    );
    expect(kills).toBeGreaterThanOrEqual(KILLS_OF_FOLLOWER);
    expect(stored.length).toBeGreaterThan(WRITERS * TRANSACTIONS_OF_WRITER);
    expect(new Set(stored.map(({ day }) => day)).size).toBeGreaterThan(5);
    // None is missing, and none comes that is not stored.
    expect([...new Set(handled)].toSorted()).toEqual(stored.map(({ id }) => id).toSorted());
    const numbers = new Map(stored.map(({ id, number }) => [id, Number(number)]));
    const inOrder = [...new Set(handled)].map((id) => numbers.get(id) ?? Number.NaN);
    expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
    // The same test finds the fault of the other way.
    expect(stored.length - new Set(byTime).size).toBeGreaterThan(0);
  }, 120_000);
});
