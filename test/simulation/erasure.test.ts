import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { createDeliveryWork } from "../../functions/adapters/data-api/delivery-work.ts";
import { createErasureJobs } from "../../functions/adapters/data-api/erasure-jobs.ts";
import { createErasureWork } from "../../functions/adapters/data-api/erasure-work.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createSubscriptionStore } from "../../functions/adapters/data-api/subscription-store.ts";
import type { ErasureSelection, ErasureStep, ErasureWork } from "../../functions/core/erasure-job.ts";
import type { ErasedObjects } from "../../functions/core/erasure-objects.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { createErasureStep } from "../../functions/retain/erasure-step.ts";
import { noObjects } from "../support/no-objects.ts";
import { actorOf, newSubscription } from "../support/conformance/deliveries.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { newDeadLetter } from "../support/dead-letter-samples.ts";
import { erase, erasureId, PLANNED, runErasure } from "../support/erasure.ts";
import { storable } from "../support/event-samples.ts";
import { passHorizon, settle } from "../support/settle.ts";

let db: TestDatabase;
beforeEach(async () => {
  db = await startMigratedDatabase();
});
afterEach(() => db.remove());

const store = (events: StorableEvent[]) => createEventStore(db.writer).store(events, soon());

/** Every row of every table, as text. */
async function dump(): Promise<Map<string, string>> {
  const tables = await db.ask<{ name: string }>(
    "select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
  );
  const rows = new Map<string, string>();
  for (const { name } of tables) {
    const all = await db.ask<{ row: string }>(`select cast(t as text) as row from ${name} as t`);
    rows.set(name, all.map(({ row }) => row).join("\n"));
  }
  return rows;
}

describe("a canary in every event of a subject", () => {
  const CANARY = "canary7f3a";
  const canary = (i: number) => `${CANARY}-${String(i).padStart(4, "0")}`;
  const TENANT = "acme";
  const EVENTS = 1_000;

  /** An event that has the canary in each of its texts. */
  const marked = (i: number): StorableEvent => ({
    ...storable(
      {
        id: canary(i),
        source: `/${canary(i)}`,
        subject: CANARY,
        type: "com.example.canary",
        data: { name: canary(i), n: i },
        extensions: { note: canary(i) },
      },
      { tenant: TENANT, receivedAt: `2026-11-${i % 2 === 0 ? 20 : 21}T09:${String(i % 60).padStart(2, "0")}:00.000Z` },
    ),
    retention: i % 3 === 0 ? 7 : i % 3 === 1 ? 30 : 0,
  });

  it("is nowhere behind the erasure, and none of the events is stored again", async () => {
    const days = [7, 30, 0].flatMap((of) => ["2026-11-20", "2026-11-21"].map((day) => ({ class: of, day })));
    await db.ask("select ensure_waiting_days($1)", [JSON.stringify(days)]);
    await db.ask("insert into measures values ('com.example.canary', '/n', array['n'], '-infinity')");
    await db.ask(
      "insert into indexed_fields (type, pointer, path, covered_from) values ('com.example.canary', '/name', array['name'], '-infinity')",
    );
    const subscriptions = createSubscriptionStore(db.writer);
    const work = createDeliveryWork(db.writer);
    const { create, dispatch, claim, settleAll } = actorOf({ store: subscriptions, work, now: () => new Date() });
    await create(newSubscription({ tenant: TENANT, order: "subject" }));
    await create(newSubscription({ tenant: TENANT }));
    const events = Array.from({ length: EVENTS }, (_, i) => marked(i));
    const stored = events.slice(0, 800);
    const others = Array.from({ length: 50 }, (_, i) => ({
      ...storable({ id: `other-${i}`, subject: "other" }, { tenant: TENANT }),
      retention: 30 as const,
    }));
    // Of these only the archive has something left, and the rollups.
    await store(events.slice(900));
    await db.empty("events", "event_keys", "event_fields", "event_transactions");
    await store([...stored, ...others]);
    await settle(db);
    await dispatch();
    const claimed = await claim({ most: 40 });
    const [ofCanary = [], ofOthers = []] = [true, false].map((is) =>
      claimed.deliveries.filter(({ event }) => event.includes(CANARY) === is),
    );
    await settleAll({ deliveries: ofOthers });
    await settleAll(
      { deliveries: ofCanary },
      { response: `I know ${CANARY}`, error: `not ${CANARY}`, status: "failed" },
    );
    await db.ask("select compact_rollups('infinity', 100000)");
    // Days of a class are detached, and one has copies of a restore.
    const restored = `rst_${"e".repeat(32)}`;
    await db.ask("select start_restore($1, $2, 'beside', null, '{}', 'k', '[]', 2)", [restored, TENANT]);
    await db.ask(
      `insert into restored_${"e".repeat(32)} select received_at, id, source, event_json(events) from events where retention = 7 limit 30`,
    );
    await db.ask("alter table events_7d detach partition events_7d_20261120");
    await db.ask("alter table event_fields_7d detach partition event_fields_7d_20261120");
    // Dead letters: in the table, one with an edit, and in their queue.
    const dead = (from: number, to: number) =>
      events.slice(from, to).map(({ event }, i) =>
        newDeadLetter({
          tenant: TENANT,
          event,
          message: `ERROR: Key ("${event.id}")`,
          origin: { producer: "p", sequence: from + i + 1 },
        }),
      );
    await createDeadLetterStore(db.writer).record(dead(800, 850), soon());
    await db.ask(
      "select start_replay('rpl_1', 'replay', 'acme', '{}', 'k', null, null, 1, jsonb_build_array(jsonb_build_array(id, body))) from dead_letters limit 1",
    );
    const inQueue = dead(850, 900);
    // Objects of the adapters for files, which search by the match of the erasure.
    const archive = new Map(
      events.slice(900).map(({ event, receivedAt }) => [
        event.id,
        JSON.stringify({
          ...event,
          specversion: "1.0",
          tenant: TENANT,
          receivedat: receivedAt,
          storedat: "2026-11-21T10:00:00.000000Z",
        }),
      ]),
    );
    const exported = new Map(stored.slice(0, 50).map(({ event }) => [event.id, event.source]));
    const objects: ErasedObjects = {
      ...noObjects,
      async erase(_scope, isErased, { deadline }) {
        const lines = [...archive].map(([id, json]) => ({ id, source: `/${id}`, json }));
        for (const [index, is] of (await isErased("archive", lines, deadline)).entries())
          if (is) archive.delete(lines[index]?.id ?? "");
        const keys = [...exported].map(([id, source]) => ({ id, source }));
        for (const [index, is] of (await isErased("exports", keys, deadline)).entries())
          if (is) exported.delete(keys[index]?.id ?? "");
        return { counts: { exports: 1, archive: 1, refusals: 0 }, cursor: undefined };
      },
    };
    const before = [...(await dump())].filter(([, rows]) => rows.includes(CANARY)).map(([name]) => name);
    expect(before.length).toBeGreaterThan(12);

    const job = await erase(db.database, { by: "subject", subject: CANARY }, { tenant: TENANT, objects });
    const { recorded } = await createDeadLetterStore(db.writer).record(inQueue, soon());

    expect(job).toMatchObject({
      state: "done",
      counts: { events: 800, restored: 30, deadLetters: 50, deliveries: 1_600, keys: 950, rollups: 900 },
    });
    expect(job.counts.attempts).toBeGreaterThan(10);
    expect(recorded).toBe(0);
    const left = [...(await dump())]
      .filter(([, rows]) => rows.includes(CANARY))
      .map(([name, rows]) => [name, rows.slice(0, 200)]);
    expect(left).toEqual([]);
    expect([archive.size, exported.size]).toEqual([0, 0]);
    expect(JSON.stringify(job)).not.toContain(CANARY);
    // All of them again, and those that were not erased.
    expect(await store(events)).toMatchObject({ stored: 0, erased: EVENTS, conflicts: [], refused: [] });
    expect(await db.ask("select count(*)::int as n from events")).toEqual([{ n: 50 }]);
  }, 120_000);
});

class Killed extends Error {}

/** The work on a job, of which each call in its order ends the step once: before it, and behind it when its answer is lost. */
function killing(work: ErasureWork, kills: { at: number }): ErasureWork {
  let calls = 0;
  return new Proxy(work, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function" || name === "hold" || name === "release") return member;
      return async (...args: unknown[]) => {
        calls += 1;
        const at = calls === Math.floor(kills.at / 2) + 1 ? (kills.at % 2 === 0 ? "before" : "behind") : "never";
        if (at === "before") throw new Killed();
        const result: unknown = await (member as (...all: unknown[]) => unknown).apply(target, args);
        if (at === "behind") throw new Killed();
        return result;
      };
    },
  });
}

describe("an erasure that is killed", () => {
  it("before or behind any call is continued by the next step, and its receipt is that of one that was not", async () => {
    const jobs = createErasureJobs(db.database);
    const tenants: string[] = [];
    let points = 0;
    for (let at = 0, isKilled = true; isKilled; at += 1) {
      const tenant = `t${at}`;
      tenants.push(tenant);
      const id = erasureId(tenant);
      await store([
        ...Array.from({ length: 25 }, (_, i) => storable({ id: `m${i}`, subject: "mary" }, { tenant })),
        storable({ id: "other" }, { tenant }),
      ]);
      await createDeadLetterStore(db.writer).record(
        ["m0", "n1"].map((event) =>
          newDeadLetter({
            tenant,
            messageId: `${tenant}-${event}`,
            event: { id: event, source: "/s", subject: "mary" },
          }),
        ),
        soon(),
      );
      const selection: ErasureSelection = { by: "subject", subject: "mary" };
      await jobs.start({ id, tenant, selection, why: "w", suppress: undefined, keyId: "k", planned: PLANNED }, soon());
      const sent: ErasureStep[] = [];
      const killed = createErasureStep({
        work: killing(createErasureWork(db.database, { mostRows: 10 }), { at }),
        objects: noObjects,
        steps: { send: async (step) => sent.push(step) > 0 },
        whyEnded: async () => undefined,
        clock: () => new Date(Date.now() + 60_000),
      });
      isKilled = false;
      sent.push({ erasure: id });
      const end = Date.now() + 90_000;
      while (sent.length > 0 && Date.now() < end) {
        sent.length = 0;
        try {
          const outcome = await killed({ erasure: id }, { messageId: "m-1" }, Date.now() + 300_000);
          if (outcome.kind === "settling") await passHorizon(db);
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          isKilled = true;
          points += 1;
          // The lease of a step that was killed ends by itself.
          await db.ask("update erasures set lease_until = null, lease_by = null");
        }
      }
      if (isKilled) await runErasure(db.database, id, { tenant, mostRows: 10 });
      expect(await jobs.read(tenant, id, soon()), `killed at ${at}`).toMatchObject({
        state: "done",
        counts: { events: 25, deadLetters: 2, keys: 26, rollups: 25 },
      });
    }
    expect(points).toBeGreaterThan(16);
    expect(await db.ask("select tenant, id from events order by tenant")).toHaveLength(tenants.length);
    expect(await db.ask("select * from check_rollups('2026-11-21', '2026-11-22')")).toEqual([]);
    expect(await db.ask("select * from erasure_events")).toEqual([]);
  }, 180_000);
});

describe("erasures, holds and stores in any order", () => {
  const SUBJECTS = ["mary", "mark"];
  const event = fc.record({
    id: fc.integer({ min: 0, max: 11 }).map(String),
    source: fc.constantFrom("/s", "/t"),
    subject: fc.constantFrom(...SUBJECTS, undefined),
    n: fc.integer({ min: 0, max: 2 }),
    retention: fc.constantFrom(7 as const, 30 as const, 0 as const),
  });
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("store" as const), events: fc.array(event, { maxLength: 12 }) }),
    fc.record({ kind: fc.constant("erase" as const), subject: fc.constantFrom(...SUBJECTS) }),
    fc.record({
      kind: fc.constant("eraseIds" as const),
      ids: fc.array(
        fc.record({ id: fc.integer({ min: 0, max: 11 }).map(String), source: fc.constantFrom("/s", "/t", undefined) }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    }),
    fc.record({ kind: fc.constant("eraseData" as const), n: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant("hold" as const), n: fc.integer({ min: 0, max: 2 }) }),
    fc.constant({ kind: "release" as const }),
  );

  it("the rows, their keys and the rollups are those of a model", async () => {
    const days = [7, 30, 0].map((of) => ({ class: of, day: "2026-11-21" }));
    await db.ask("select ensure_waiting_days($1)", [JSON.stringify(days)]);
    await db.ask("insert into measures values ('com.example.sample', '/n', array['n'], '-infinity')");
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 3, maxLength: 12 }), async (operations) => {
        run += 1;
        const tenant = `p${run}`;
        type Kept = { id: string; source: string; subject: string | undefined; n: number };
        const model = new Map<string, Kept>();
        const refused: ((kept: Kept) => boolean)[] = [];
        let held: number | undefined;
        let jobs = 0;
        for (const each of operations) {
          switch (each.kind) {
            case "store": {
              const out = each.events.filter((one) => refused.some((test) => test(one)));
              const outcome = await store(
                each.events.map(({ id, source, subject, n, retention }) => ({
                  ...storable({ id, source, data: { n }, ...(subject !== undefined && { subject }) }, { tenant }),
                  retention,
                })),
              );
              expect(outcome.erased).toBe(out.length);
              for (const one of each.events) {
                const key = `${one.id} ${one.source}`;
                if (!out.includes(one) && !model.has(key)) model.set(key, one);
              }
              break;
            }
            case "hold":
              if (held !== undefined) break;
              held = each.n;
              await db.ask("insert into holds (id, tenant, filter, reason, created_by) values ($1, $2, $3, 'r', 'k')", [
                `h${run}`,
                tenant,
                JSON.stringify({ data: { n: [each.n] } }),
              ]);
              break;
            case "release":
              held = undefined;
              await db.ask("delete from holds where tenant = $1", [tenant]);
              break;
            default: {
              jobs += 1;
              const ids = each.kind === "eraseIds" ? each.ids : [];
              const isMeant = (one: Kept): boolean =>
                each.kind === "erase"
                  ? one.subject === each.subject
                  : each.kind === "eraseData"
                    ? one.n === each.n
                    : ids.some(({ id, source }) => id === one.id && (source ?? one.source) === one.source);
              const meant = [...model].filter(([, one]) => isMeant(one));
              const selection: ErasureSelection =
                each.kind === "erase"
                  ? { by: "subject", subject: each.subject }
                  : each.kind === "eraseData"
                    ? { by: "filter", filter: JSON.stringify({ data: { n: [each.n] } }) }
                    : { by: "ids", ids };
              const job = await erase(db.database, selection, {
                tenant,
                id: erasureId(`${tenant}-${jobs}`),
                mostRows: 50,
              });
              const isHeld = meant.some(([, one]) => one.n === held);
              expect(job.state).toBe(isHeld ? "failed" : "done");
              if (isHeld) break;
              expect(job.counts.events ?? 0).toBe(meant.length);
              for (const [key] of meant) model.delete(key);
              const keys = new Set(meant.map(([key]) => key));
              refused.push((one) => isMeant(one) || keys.has(`${one.id} ${one.source}`));
            }
          }
        }
        const inOrder = (rows: string[]) => rows.toSorted();
        const rows = await db.ask<{ key: string }>("select id || ' ' || source as key from events where tenant = $1", [
          tenant,
        ]);
        expect(inOrder(rows.map(({ key }) => key))).toEqual(inOrder([...model.keys()]));
        const keys = await db.ask<{ key: string }>(
          "select id || ' ' || source as key from event_keys where tenant = $1",
          [tenant],
        );
        expect(inOrder(keys.map(({ key }) => key))).toEqual(inOrder([...model.keys()]));
        expect(
          await db.ask("select * from check_rollups('2026-11-21', '2026-11-22') where tenant = $1", [tenant]),
        ).toEqual([]);
      }),
      { numRuns: 30 },
    );
  }, 240_000);
});
