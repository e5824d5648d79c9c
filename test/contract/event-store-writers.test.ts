import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EventStore, StorableEvent } from "../../functions/core/ports.ts";
import { eventually } from "../support/eventually.ts";
import { soon } from "../support/database.ts";
import { storable, storables } from "../support/event-samples.ts";
import { allWell, startEventStore, type TestEventStore } from "../support/event-store.ts";

let setup: TestEventStore;
let store: EventStore;
beforeAll(async () => {
  setup = await startEventStore();
  ({ store } = setup);
});
afterAll(() => setup.db.remove());
beforeEach(() => setup.empty());

const counts = async () => [await setup.count("events"), await setup.count("event_keys")];
const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);

describe("writers of the same keys at the same time", () => {
  /** Several blocks of them. */
  const events = storables(1_500, "e");
  const writers = (changes: (each: StorableEvent, i: number) => StorableEvent) => {
    const all = events.map(changes);
    return [all, all.toReversed(), all, all.toReversed(), all, all.toReversed()];
  };

  it("in opposite orders do not deadlock, and store each once", async () => {
    const outcomes = await Promise.all(writers((each) => each).map((all) => store.store(all, soon())));

    expect(sum(outcomes.map(({ stored }) => stored))).toBe(events.length);
    expect(outcomes.flatMap(({ conflicts, refused }) => [...conflicts, ...refused])).toEqual([]);
    expect(await counts()).toEqual([events.length, events.length]);
  });

  it("do not deadlock either when some of their events are refused", async () => {
    const bad = 20;
    const withRefused = writers((each, i) =>
      i % (events.length / bad) === 7 ? storable({ ...each.event, data: "\0" }) : each,
    );

    const outcomes = await Promise.all(withRefused.map((all) => store.store(all, soon())));

    expect(sum(outcomes.map(({ stored }) => stored))).toBe(events.length - bad);
    expect(outcomes.map(({ refused }) => refused.length)).toEqual(withRefused.map(() => bad));
    expect(await counts()).toEqual([events.length - bad, events.length - bad]);
  });

  it("lock the keys in one order, also where JavaScript and PostgreSQL sort them otherwise", async () => {
    const [first, second] = ["\u{1f680}", "\uffee"];

    const late = await setup.db.database.transaction(async (execute) => {
      await execute(insertKey, { id: first }, soon());
      const outcome = store.store([storable({ id: second }), storable({ id: first })], soon());
      await someoneWaits();
      await execute(insertKey, { id: second }, soon());
      return { outcome };
    }, soon());

    expect(await late.outcome).toEqual(allWell(0));
  });

  it("each find the conflict with what another one committed first", async () => {
    const late = await setup.db.database.transaction(async (execute) => {
      await execute(insertKey, { id: "1" }, soon());
      await execute(insertEvent, { id: "1" }, soon());
      const outcome = store.store([storable({ id: "0" }), storable({ id: "1" })], soon());
      await someoneWaits();
      return { outcome };
    }, soon());

    expect(await late.outcome).toEqual({ stored: 1, conflicts: [1], erased: 0, refused: [] });
  });
});

/** The steps of another writer in a transaction that stays open. */
const insertKey = `
  insert into event_keys (tenant, id, source, received_at, retention)
  values ('default', :id, '/s', '2026-11-21T09:30:00Z', 0)`;
const insertEvent = `
  insert into events (tenant, id, source, type, time, received_at, retention)
  values ('default', :id, '/s', 'com.example.first', '2026-11-21T09:30:00Z', '2026-11-21T09:30:00Z', 0)`;

const someoneWaits = () =>
  eventually(
    () =>
      setup.db.ask(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%store_batch%'",
      ),
    (waiting) => waiting.length === 1,
  );
