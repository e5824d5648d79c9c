import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { createLedgerReader } from "../../functions/adapters/data-api/ledger.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { deadLetterIdOf } from "../../functions/core/dead-letter-id.ts";
import type { LedgerSnapshot } from "../../functions/core/ledger.ts";
import type { SqlDatabase, StorableEvent } from "../../functions/core/ports.ts";
import { describeLedger, type LedgerUnderTest } from "../support/conformance/ledger.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { newDeadLetter } from "../support/dead-letter-samples.ts";
import { storable, storables } from "../support/event-samples.ts";
import { eventually } from "../support/eventually.ts";
import { memoryLedger } from "../support/memory-ledger.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());

const TABLES = [
  "dead_letter_replays",
  "dead_letters",
  "events",
  "event_keys",
  "arrivals",
  "arrival_totals",
  "arrival_deltas",
];

async function postgresLedger(): Promise<LedgerUnderTest> {
  db.faults.clear();
  await db.empty(...TABLES);
  const [store, deadLetters] = [createEventStore(db.writer), createDeadLetterStore(db.writer)];
  return {
    reader: createLedgerReader(db.writer),
    store: (events) => store.store(events, soon()),
    record: (all) => deadLetters.record(all, soon()),
    rows: () => db.ask('select id, event_id as "eventId", state, replays from dead_letters order by opened_at, id'),
    replay: (id) =>
      db.ask("update dead_letters set state = 'replayed', replays = replays + 1, closed_at = now() where id = $1", [
        id,
      ]),
    discard: (id) => db.ask("update dead_letters set state = 'discarded', closed_at = now() where id = $1", [id]),
    prune: () => db.ask("select delete_closed_dead_letters('infinity', 1000)"),
    outage: () => db.faults.add({ kind: "error", error: "DatabaseUnavailableException" }),
  };
}

const isRefused = ({ data }: { data?: unknown }) => typeof data === "string" && data.includes("\0");

function inMemory() {
  const { setDown, rows, ...ledger } = memoryLedger({ isRefused });
  return { ...ledger, rows: async () => rows(), outage: () => setDown(true) };
}

describeLedger("in PostgreSQL", postgresLedger);
describeLedger("in memory", async () => inMemory());

const take = (ledger: Pick<LedgerUnderTest, "reader">) => ledger.reader.take({ since: "", producers: [] }, soon());
const inOrder = ({ tenants, arrivals }: LedgerSnapshot) => ({
  tenants: tenants.toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1)),
  arrivals: arrivals.toSorted((a, b) => (a.producer + a.tenant < b.producer + b.tenant ? -1 : 1)),
});

/** The totals of tenants that are not the sums of their rows, and the reverse. */
const differing = () =>
  db.ask(`
    with summed as (
      select
        tenant, sum(unnumbered + count_numbers(numbers)), sum(stored), sum(copies), sum(conflicts), sum(discarded)
      from arrivals group by tenant
    ), kept as (
      select tenant, arrived, stored, copies, conflicts, discarded from arrival_totals
    )
    (table kept except table summed) union all (table summed except table kept)`);

const PRODUCERS = ["0mi2x0000aaaaaaaaaaaa", "0mi2z0000bbbbbbbbbbbb"];
const [PRODUCER = ""] = PRODUCERS;

describe("the ledger in PostgreSQL", () => {
  /** Accepted events, each with its number, or without one. */
  const accepted = fc
    .array(
      fc.record({
        tenant: fc.constantFrom("t1", "t2"),
        id: fc.constantFrom("a", "b", "c"),
        data: fc.constantFrom("x", "x", "y", "\0"),
        producer: fc.constantFrom(...PRODUCERS, undefined),
      }),
      { minLength: 1, maxLength: 14 },
    )
    .map((events) => {
      const last = new Map<string, number>();
      return events.map(({ tenant, id, data, producer }): StorableEvent => {
        if (producer === undefined) return storable({ id, data }, { tenant });
        const sequence = (last.get(producer + tenant) ?? 0) + 1;
        last.set(producer + tenant, sequence);
        return storable({ id, data }, { tenant, origin: { producer, sequence } });
      });
    });
  const some = fc.array(fc.nat(), { minLength: 1, maxLength: 10 });
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("store" as const), some }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("record" as const), some, copy: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("replay", "discard", "return"), one: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("prune", "merge") }) },
  );

  it("is that of brute force after any deliveries, dead letters, replays and discards, and adds up", async () => {
    await fc.assert(
      fc.asyncProperty(accepted, fc.array(step, { maxLength: 12 }), async (events, steps) => {
        const both = [await postgresLedger(), inMemory()] as const;
        const pick = (numbers: number[]) => numbers.map((each) => events[each % events.length] as StorableEvent);
        const deadLetterOf = ({ tenant, event, origin }: StorableEvent, copy: number) => {
          const messageId = `${JSON.stringify([tenant, event, origin])} ${copy}`;
          return newDeadLetter({
            tenant,
            event: { ...event, data: event.data === "\0" ? "z" : event.data },
            origin,
            messageId,
          });
        };

        for (const each of steps) {
          for (const ledger of both) {
            if ("copy" in each) await ledger.record(pick(each.some).map((event) => deadLetterOf(event, each.copy)));
            else if ("some" in each) await ledger.store(pick(each.some));
            else if (each.kind === "prune") await ledger.prune();
            else if (each.kind === "merge") await db.ask("select merge_arrivals()");
            else if ("one" in each) {
              const state = each.kind === "return" ? "replayed" : "open";
              const rows = (await ledger.rows()).filter((row) => row.state === state);
              const row = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))[each.one % Math.max(rows.length, 1)];
              if (row === undefined) continue;
              if (each.kind === "replay") await ledger.replay(row.id);
              else if (each.kind === "discard") await ledger.discard(row.id);
              else {
                const all = [0, 1].flatMap((copy) => events.map((event) => deadLetterOf(event, copy)));
                const back = all.find(({ messageId }) => deadLetterIdOf(messageId, 0) === row.id);
                if (back === undefined) continue;
                await ledger.record([{ ...back, messageId: "back", deadLetterId: row.id, replays: row.replays }]);
              }
            }
          }
        }

        const [found, expected] = [inOrder(await take(both[0])), inOrder(await take(both[1]))];
        expect(found).toEqual(expected);
        for (const { tenant: _, arrived, ...counts } of found.tenants)
          expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(arrived);
        expect(await differing()).toEqual([]);

        await db.ask("select forget_producers('infinity')");
        expect(inOrder(await take(both[0])).tenants).toEqual(expected.tenants);
        expect(await differing()).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("two transactions at once", () => {
  const numbered = (sequence: number, id = String(sequence), data = "x") =>
    storable({ id, data }, { origin: { producer: PRODUCER, sequence } });
  const deadLetter = (sequence: number, messageId: string) =>
    newDeadLetter({
      messageId,
      origin: { producer: PRODUCER, sequence },
      event: { id: String(sequence), source: "/s" },
    });
  const total = async () =>
    (await take({ reader: createLedgerReader(db.writer) })).tenants.find(({ tenant }) => tenant === "*");

  /** Begins a transaction that is held open behind a statement, while `meanwhile` runs; returns what that came to. */
  async function beside<T>(sql: string, parameters: Record<string, string>, meanwhile: () => Promise<T>): Promise<T> {
    const { waiting } = await db.database.transaction(async (execute) => {
      await execute(sql, parameters, soon());
      const waiting = meanwhile();
      // Either waits for this transaction, or is over.
      await Promise.race([waiting, eventually(someoneWaits, (sessions) => sessions.length > 0)]);
      return { waiting };
    }, soon());
    return waiting;
  }
  const someoneWaits = () =>
    db.ask(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()",
    );
  const STORE =
    "select * from store_batch(string_to_array(:heads, chr(10)), string_to_array(:data, chr(10)), cast(:origins as jsonb))";
  const RECORD = "select record_dead_letters(string_to_array(:lines, chr(10)), string_to_array(:bodies, chr(1)))";

  /** The parameters of the statement that a store would send. */
  async function parametersOf(call: (database: SqlDatabase) => Promise<unknown>): Promise<Record<string, string>> {
    let sent: Record<string, string> = {};
    const execute: SqlDatabase["execute"] = async (_sql, parameters) => {
      sent = parameters as Record<string, string>;
      return { rows: [["stored", 0, null, null]], updated: 0 };
    };
    await call({ execute, transaction: (work) => work(execute) }).catch(() => undefined);
    return sent;
  }

  it("that get the same copies count each once", async () => {
    const { store } = await postgresLedger();
    await store([numbered(1)]);
    const copies = [numbered(2, "1"), numbered(3, "1", "other")];
    const parameters = await parametersOf((database) => createEventStore(database).store(copies, soon()));

    await beside(STORE, parameters, async () => store(copies));

    expect(await total()).toMatchObject({ stored: 1, copies: 1, conflicts: 1, arrived: 3 });
  });

  it("that get the same new events count each once", async () => {
    const { store } = await postgresLedger();
    const events = [numbered(1), numbered(2), numbered(3, "1")];
    const parameters = await parametersOf((database) => createEventStore(database).store(events, soon()));

    await beside(STORE, parameters, async () => store(events));

    expect(await total()).toMatchObject({ stored: 2, copies: 1, arrived: 3 });
  });

  it("that get two copies of a dead letter record one", async () => {
    const { record, rows } = await postgresLedger();
    const parameters = await parametersOf((database) =>
      createDeadLetterStore(database).record([deadLetter(1, "m1")], soon()),
    );

    await beside(RECORD, parameters, () => record([deadLetter(1, "m2")]));

    expect(await rows()).toHaveLength(1);
    expect(await total()).toMatchObject({ open: 1, arrived: 1 });
  });

  it("of which one stores an event and one records its dead letter count it once", async () => {
    const { record } = await postgresLedger();
    const parameters = await parametersOf((database) => createEventStore(database).store([numbered(1)], soon()));

    await beside(STORE, parameters, () => record([deadLetter(1, "m1")]));

    expect(await total()).toMatchObject({ stored: 1, open: 0, arrived: 1 });
  });

  it("with copies of several producers in opposite orders do not deadlock", async () => {
    const { store } = await postgresLedger();
    const first = Array.from({ length: 40 }, (_, i) => storable({ id: `${i}` }, { origin: originAt(i, 1) }));
    await store(first);
    const again = first.map((event, i) => ({ ...event, origin: originAt(i, 2) }));

    await Promise.all([again, again.toReversed(), again, again.toReversed()].map(async (each) => store(each)));

    expect(await total()).toMatchObject({ stored: 40, copies: 40, arrived: 80 });
  });
  const originAt = (i: number, sequence: number) => ({ producer: `0mi2x0000${String(i).padStart(12, "a")}`, sequence });

  it("a snapshot during merges and calls adds up at every moment", async () => {
    const { store } = await postgresLedger();
    const done = new AbortController();
    const sums: unknown[] = [];
    const watch = async () => {
      while (!done.signal.aborted) {
        const found = await total();
        const { stored = 0, copies = 0, arrived = 0 } = found ?? {};
        sums.push(stored + copies - arrived);
      }
    };
    const merge = async () => {
      while (!done.signal.aborted) await db.ask("select merge_arrivals()");
    };
    const watching = [watch(), watch(), merge()];
    for (let i = 0; i < 20; i++) {
      const events = Array.from({ length: 30 }, (_, at) => numbered(30 * i + at + 1, String((30 * i + at) % 400)));
      await Promise.all([store(events), store(events)]);
    }
    done.abort();
    await Promise.all(watching);

    expect(new Set(sums)).toEqual(new Set([0]));
    expect(await total()).toMatchObject({ stored: 400, copies: 200, arrived: 600 });
    expect(await differing()).toEqual([]);
  });
});

describe("what a ledger of many tenants, producers and numbers needs", () => {
  it("pages have each tenant once, and their sum is that of all", async () => {
    const { store } = await postgresLedger();
    const tenants = Array.from({ length: 30 }, (_, i) => `${i % 2 === 0 ? "!" : "t"}${i}`);
    await store(
      tenants.map((tenant, i) =>
        storable({}, { tenant, ...(i % 3 > 0 && { origin: { producer: PRODUCER, sequence: 1 } }) }),
      ),
    );
    const paged = createLedgerReader(db.writer, { pageBytes: 200 });

    const [one, many] = [await take({ reader: createLedgerReader(db.writer) }), await take({ reader: paged })];

    expect(inOrder(many)).toEqual(inOrder(one));
    expect(many.tenants).toHaveLength(31);
    expect(many.tenants.find(({ tenant }) => tenant === "*")).toMatchObject({ stored: 30, arrived: 30 });
  });

  it("a producer with thousands of gaps is in the snapshot whole", async () => {
    const { store } = await postgresLedger();
    await store(
      storables(2_500, "e").map((event, i) => ({ ...event, origin: { producer: PRODUCER, sequence: 2 * i + 1 } })),
    );

    const [arrivals] = (await take({ reader: createLedgerReader(db.writer) })).arrivals;

    expect(arrivals?.numbers).toHaveLength(2_500);
    expect(arrivals?.numbers.at(-1)).toEqual([4_999, 4_999]);
  });

  it("a producer that was silent for long is forgotten, but not one with a dead letter, and its events still count", async () => {
    const { store, record, reader } = await postgresLedger();
    await store(
      [0, 1].flatMap((i) =>
        [1, 2].map((sequence) =>
          storable({ id: `${i}${sequence}` }, { origin: { producer: PRODUCERS[i] ?? "", sequence } }),
        ),
      ),
    );
    await record([newDeadLetter({ origin: { producer: PRODUCERS[1] ?? "", sequence: 3 } })]);
    const before = await take({ reader });

    await db.ask("select forget_producers('-infinity')");
    expect(await take({ reader })).toMatchObject({ arrivals: before.arrivals });
    await db.ask("select forget_producers('infinity')");

    const after = await take({ reader });
    expect(after.tenants).toEqual(before.tenants);
    expect(after.arrivals.map(({ producer }) => producer)).toEqual([PRODUCERS[1]]);
  });

  it("subscriptions are counted by tenant and state, with the deliveries that are pending", async () => {
    const { reader } = await postgresLedger();
    await db.ask(`insert into subscriptions (id, tenant, name, sink, delivery_order, schedule, batch, timeout_ms, key_id, state, next_number)
      select 'sub_' || number, tenant, 'n', '{}', 'none', 'standard', 1, 1000, 'k', state, 0
      from (values (1, 'a', 'active'), (2, 'a', 'disabled'), (3, 'b', 'active')) as given (number, tenant, state)`);
    await db.ask(`insert into deliveries (id, subscription_id, event_id, event_source, event_type, event_received_at, state)
      select 'dlv_' || number, 'sub_' || number % 2 + 1, 'e', '/s', 't', now(), case number when 5 then 'delivered' else 'pending' end
      from generate_series(1, 5) as number`);

    expect((await take({ reader })).subscriptions).toEqual([
      { tenant: "a", active: 1, disabled: 1, pending: 4 },
      { tenant: "b", active: 1, disabled: 0, pending: 0 },
    ]);
    await db.empty("deliveries", "subscriptions");
  });

  it("events of a message that somebody wrote for the tenant * are in the sum alone, as those that name no tenant", async () => {
    const { store, reader } = await postgresLedger();

    await store([storable({ id: "a" }, { tenant: "acme" }), storable({ id: "b" }, { tenant: "*" })]);

    const { tenants } = await take({ reader });
    expect(tenants.map(({ tenant, stored }) => [tenant, stored])).toEqual([
      ["*", 2],
      ["acme", 1],
    ]);
  });

  it.each([0, 1])(
    "an event that is counted with a number in use shows as a difference, after %i merges",
    async (merges) => {
      const { store, reader } = await postgresLedger();
      const origin = { producer: PRODUCER, sequence: 1 };

      await store([storable({ id: "a" }, { origin })]);
      for (let i = 0; i < merges; i++) await db.ask("select merge_arrivals()");
      await store([storable({ id: "b" }, { origin })]);

      expect((await take({ reader })).tenants).toContainEqual(
        expect.objectContaining({ tenant: "default", stored: 2, arrived: 1 }),
      );
      expect(await differing()).toEqual([]);
    },
  );
});
