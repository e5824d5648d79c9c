import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { snapshotWrites } from "../../../bench/cost/snapshots.ts";
import { AccessError } from "../../../functions/core/access.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { ConsumerLag } from "../../../functions/core/feed.ts";
import type { LedgerCounts } from "../../../functions/core/ledger.ts";
import { addRange, NO_NUMBERS, readRanges } from "../../../functions/core/number-ranges.ts";
import { newProducerId } from "../../../functions/core/producer-id.ts";
import type { ProducerNote } from "../../../functions/core/producer-notes.ts";
import { accountsOf, sumOf } from "../../../functions/status/accounts.ts";
import { createKeepHistory } from "../../../functions/status/keep-history.ts";
import { createTakeLedger } from "../../../functions/status/take-ledger.ts";
import { memoryHistory } from "../../support/memory-history.ts";
import { memoryLedgerTable } from "../../support/memory-ledger-table.ts";
import { memoryDatabase, memoryMessages, NO_COUNTS, NOW, queuesWith } from "./support.ts";

const HOUR = 3_600_000;
const SECOND = 1_000;

/** A database, the table and the rule on one clock. */
function installation() {
  const time = { now: NOW, waiting: 0 as number | undefined };
  const database = memoryDatabase(() => time.now);
  const table = memoryLedgerTable();
  const { messages, sent, state } = memoryMessages();
  const history = memoryHistory();
  const consumer = { lag: undefined as ConsumerLag | undefined };
  const keepHistory = createKeepHistory({
    history,
    consumer: { read: () => Promise.resolve({ lag: consumer.lag, storedAt: undefined }) },
  });
  const take = createTakeLedger({
    ledger: database.reader,
    table,
    queues: queuesWith(() => time.waiting),
    messages,
    keepHistory,
    clock: () => new Date(time.now),
  });
  const note = (producer: string, tenants: Record<string, string>, at = time.now): Promise<void> => {
    const read = Object.entries(tenants).map(([tenant, text]) => [tenant, readRanges(text)] as const);
    return table.write({ producer, at, tenants: new Map(read) });
  };
  return {
    time,
    database,
    table,
    sent,
    queue: state,
    history,
    keepHistory,
    consumer,
    note,
    take: (due = time.now) => take(due, time.now + 60 * SECOND),
    accounts: async (tenant = "*") => accountsOf(await table.readNotes(time.now), await table.readLedgers(tenant)),
  };
}

describe("a snapshot of the ledger", () => {
  it("a snapshot keeps the counts of each tenant, and the accounts have a difference of 0 at rest", async () => {
    const { database, note, take, accounts, table } = installation();
    const producer = newProducerId(NOW);
    await note(producer, { acme: "1-3", other: "1" });
    for (const number of [1, 2]) database.end("acme", "stored", { producer, number });
    database.end("acme", "open", { producer, number: 3 });
    database.end("other", "copies", { producer, number: 1 });

    expect(await take()).toEqual({ kind: "taken", tenants: 2, written: 2, inFlight: 0, difference: 0 });

    expect(await table.readTakenAt()).toBe(new Date(NOW).toISOString());
    expect(await accounts("acme")).toContainEqual({
      tenant: "acme",
      ...NO_COUNTS,
      accepted: 3,
      stored: 2,
      open: 1,
      inFlight: 0,
      difference: 0,
      active: 2,
      disabled: 1,
      pending: 7,
    });
  });

  it("a snapshot that was taken after the wanted time is not taken again, and the database is not asked", async () => {
    const { database, take, time } = installation();
    await take();
    time.now += 60 * SECOND;

    expect(await take(NOW)).toEqual({ kind: "fresh" });
    expect(await take(NOW + 1)).toMatchObject({ kind: "taken" });
    expect(database.asked).toHaveLength(2);
  });

  it("events that were noted behind a snapshot are in flight until the next one", async () => {
    const { database, note, take, accounts, time } = installation();
    const producer = newProducerId(NOW);
    database.end("acme", "stored", { producer, number: 1 });
    await take();

    await note(producer, { acme: "1-5" });
    expect(sumOf(await accounts())).toMatchObject({ accepted: 5, stored: 1, inFlight: 4, difference: 4 });

    for (const number of [2, 3, 4, 5]) database.end("acme", "stored", { producer, number });
    time.now += 60 * SECOND;
    await take();
    expect(sumOf(await accounts())).toMatchObject({ accepted: 5, stored: 5, inFlight: 0, difference: 0 });
  });

  it("an event whose number is noted only after it arrived counts once", async () => {
    const { database, note, take, accounts } = installation();
    const producer = newProducerId(NOW);
    // The producer begins, and its event arrives, between the read of the notes and the snapshot.
    database.state.beforeTake = () => database.end("acme", "stored", { producer, number: 1 });
    await take();
    await note(producer, { acme: "1" });

    expect(sumOf(await accounts())).toMatchObject({ accepted: 1, stored: 1, inFlight: 0, difference: 0 });
  });

  it("dead letters that name no tenant are in the sum alone", async () => {
    const { database, take, accounts } = installation();
    database.end("", "open");
    database.end("acme", "stored");
    await take();

    expect(sumOf(await accounts())).toMatchObject({ accepted: 2, stored: 1, open: 1, difference: 0 });
    expect(sumOf(await accounts("acme"))).toMatchObject({ accepted: 1, stored: 1, open: 0, difference: 0 });
  });

  it("the ledger of a tenant is written only where it has changed", async () => {
    const { database, take, time } = installation();
    database.end("acme", "stored");
    database.end("other", "stored");
    await take();
    database.end("other", "stored");
    time.now += 60 * SECOND;

    expect(await take()).toMatchObject({ tenants: 2, written: 1 });
  });

  it("a snapshot writes as many items as its price counts", async () => {
    const { database, table, history, take } = installation();
    const calls = [vi.spyOn(table, "writeLedger"), vi.spyOn(table, "writeLast"), vi.spyOn(history, "writeSample")];
    for (const tenant of ["acme", "other", "third"]) database.end(tenant, "stored");

    await take();

    expect(calls.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBe(snapshotWrites(3));
  });

  it("a tenant that a restored database does not know has no counts any more", async () => {
    const { database, take, table, time, accounts, keepHistory } = installation();
    database.end("acme", "stored");
    await take();
    time.now += 60 * SECOND;
    const restored = memoryDatabase(() => time.now);
    const again = createTakeLedger({
      ledger: restored.reader,
      table,
      queues: queuesWith(() => 0),
      messages: memoryMessages().messages,
      keepHistory,
      clock: () => new Date(time.now),
    });
    await again(time.now, time.now + HOUR);

    expect(sumOf(await accounts())).toMatchObject({ accepted: 0, stored: 0, difference: 0 });
  });

  it("a note is deleted when its producer has ended and all of its events arrived, and no number comes back", async () => {
    const { database, note, take, accounts, table, time } = installation();
    const [ended, open, running] = [newProducerId(NOW - 2 * HOUR), newProducerId(NOW - 2 * HOUR), newProducerId(NOW)];
    await note(ended, { acme: "1-2" });
    await note(open, { acme: "1-2" });
    await note(running, { acme: "1" });
    for (const number of [1, 2]) database.end("acme", "stored", { producer: ended, number });
    database.end("acme", "stored", { producer: open, number: 1 });
    database.end("acme", "stored", { producer: running, number: 1 });

    for (const _again of [1, 2]) {
      await take();
      time.now += 60 * SECOND;
      expect(sumOf(await accounts())).toMatchObject({ accepted: 5, stored: 4, inFlight: 1, difference: 1 });
    }

    expect((await table.readNotes(time.now)).map(({ producer }) => producer)).toEqual([open, running]);
    expect(database.asked.at(-1)?.producers).toEqual([open]);
  });
});

describe("the difference of the ledger", () => {
  it("events on their way are no difference, and behind the last batch somebody looks again", async () => {
    const { note, take, time, sent } = installation();
    await note(newProducerId(NOW), { acme: "1-4" });
    time.now += 10 * SECOND;

    expect(await take()).toMatchObject({ inFlight: 4, difference: 0 });
    expect(sent).toEqual([{ message: { kind: "ledger", due: time.now + 200 * SECOND }, delaySeconds: 200 }]);
  });

  it("events that no queue has some minutes after they were sent are a difference, and nobody looks again for them", async () => {
    const { note, take, time, sent } = installation();
    await note(newProducerId(NOW), { acme: "1-4" });
    time.now += 200 * SECOND;

    expect(await take()).toMatchObject({ inFlight: 4, difference: 4 });
    expect(sent).toEqual([]);
  });

  it.each([3, undefined])(
    "events on their way are no difference for an hour while a queue has messages or cannot be read (%s)",
    async (waiting) => {
      const { note, take, time, sent } = installation();
      time.waiting = waiting;
      await note(newProducerId(NOW), { acme: "1-4" });
      time.now += HOUR;
      expect(await take()).toMatchObject({ inFlight: 4, difference: 0 });

      time.now += HOUR;
      expect(await take()).toMatchObject({ inFlight: 4, difference: 4 });
      expect(sent).toEqual([]);
    },
  );

  it("a note that the table still has behind its time is no difference, because the database has forgotten its producer", async () => {
    const { database, note, take, time, accounts } = installation();
    await note(newProducerId(NOW), { acme: "1-100" });
    time.now += 22 * 24 * HOUR;
    for (let event = 0; event < 99; event++) database.end("acme", "stored");

    expect(await take()).toMatchObject({ inFlight: 0, difference: 0 });
    expect(await accounts("acme")).toContainEqual(expect.objectContaining({ accepted: 99, difference: 0 }));
  });

  it("counts that are not what arrived are a difference at once", async () => {
    const { database, note, take } = installation();
    const producer = newProducerId(NOW);
    await note(producer, { acme: "1-2" });
    database.end("acme", "stored", { producer, number: 1 });
    database.miscount("acme");

    expect(await take()).toMatchObject({ inFlight: 1, difference: 1 });
  });
});

describe("two snapshots at once", () => {
  /** An installation whose ledger has a dead letter. `before` lets something happen before the next calls of a method. */
  async function withDeadLetter() {
    const parts = installation();
    const { database, take, time } = parts;
    database.end("acme", "open");
    await take();
    time.now += 60 * SECOND;
    const before = <Name extends string>(
      calls: Record<Name, (...given: never[]) => Promise<unknown>>,
      name: Name,
      meanwhile: () => Promise<unknown>,
      times = 1,
    ) => {
      const call = calls[name];
      let left = times;
      calls[name] = async (...given) => {
        if (left > 0) {
          left -= 1;
          await meanwhile();
        }
        return call(...given);
      };
    };
    const takeWhole = async () => {
      time.now += SECOND;
      expect(await take()).toMatchObject({ kind: "taken" });
    };
    return { ...parts, before, takeWhole };
  }

  it("leave what the later one saw where it is whole before the earlier one writes", async () => {
    const { database, table, before, takeWhole, take, accounts } = await withDeadLetter();
    database.move("acme", "open", "replayed");
    // For the later one nothing has changed.
    before(table, "writeLedger", async () => {
      database.move("acme", "replayed", "open");
      await takeWhole();
    });

    expect(await take()).toMatchObject({ kind: "taken" });

    expect(await accounts("acme")).toMatchObject([{ open: 1, replayed: 0 }]);
    expect(database.asked).toHaveLength(4);
  });

  it("leave what the later one saw where the earlier one is whole before the later one asks the database", async () => {
    const { database, before, takeWhole, take, accounts } = await withDeadLetter();
    before(database.reader, "take", async () => {
      database.move("acme", "open", "replayed");
      await takeWhole();
      database.move("acme", "replayed", "open");
    });

    expect(await take()).toMatchObject({ kind: "taken" });

    expect(await accounts("acme")).toMatchObject([{ open: 1, replayed: 0 }]);
    expect(database.asked).toHaveLength(4);
  });

  it("are tried three times, and then a message asks for one more", async () => {
    const { table, before, takeWhole, take, time, sent, queue } = await withDeadLetter();
    const { writeLast } = table;
    table.writeLast = () => Promise.resolve(false);
    expect(await take()).toEqual({ kind: "postponed", reason: "overtaken" });
    expect(sent).toEqual([{ message: { kind: "ledger", due: time.now }, delaySeconds: 5 }]);

    queue.answers = false;
    expect(await take()).toEqual({ kind: "failed", reason: "overtaken" });

    table.writeLast = writeLast;
    before(table, "writeLast", takeWhole, 2);
    expect(await take()).toMatchObject({ kind: "taken" });
  });
});

describe("the history that a snapshot keeps", () => {
  const MINUTE = 60 * SECOND;

  it("a snapshot some seconds behind a minute keeps the counts of that minute, of each tenant that changed and of all", async () => {
    const { database, note, take, history, time } = installation();
    const producer = newProducerId(NOW);
    await note(producer, { acme: "1-3" });
    database.end("acme", "stored", { producer, number: 1 });
    database.end("acme", "open", { producer, number: 2 });
    database.end("other", "stored");
    database.end("", "open");
    time.now += 4 * SECOND;

    await take();

    const at = NOW - MINUTE;
    const acme = { at, accepted: 3, stored: 1, open: 1 };
    expect((await history.read("acme", NOW - 90 * SECOND)).samples).toEqual([acme]);
    expect((await history.read("other", NOW - 90 * SECOND)).samples).toEqual([{ at, accepted: 1, stored: 1, open: 0 }]);
    expect((await history.read("*", NOW - 90 * SECOND)).samples).toEqual([{ at, accepted: 5, stored: 2, open: 2 }]);
  });

  it("the next snapshot keeps what was known before it, and nothing of a tenant that did not change", async () => {
    const { database, take, history, time } = installation();
    database.end("acme", "stored");
    database.end("other", "stored");
    await take();
    time.now += 10 * MINUTE;
    database.end("other", "stored");
    await take();

    const since = NOW + MINUTE;
    expect(await history.read("acme", since)).toMatchObject({ samples: [{ stored: 1 }], before: { stored: 0 } });
    expect(await history.read("other", since)).toMatchObject({ samples: [{ stored: 1 }, { stored: 2 }] });
    expect(await history.read("*", since)).toMatchObject({ samples: [{ stored: 2 }, { stored: 3 }] });
  });

  it("a minute has the lag of the consumer only where that stored in it", async () => {
    const { database, take, history, time, consumer } = installation();
    database.end("acme", "stored");
    consumer.lag = { lagMs: 800, at: NOW - 61 * SECOND };
    await take();
    consumer.lag = { lagMs: 900, at: NOW + 61 * SECOND };
    time.now += 2 * MINUTE;
    await take();

    const { samples } = await history.read("*", NOW - HOUR);
    expect(samples.map(({ lagMs }) => lagMs)).toEqual([undefined, 900]);
  });

  it("in an outage the history goes on with what is accepted", async () => {
    const { database, note, take, history, time } = installation();
    const producer = newProducerId(NOW);
    await note(producer, { acme: "1-2" });
    for (const number of [1, 2]) database.end("acme", "stored", { producer, number });
    await take();
    database.state.fault = new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "" });
    time.now += 5 * MINUTE;
    await note(producer, { acme: "1-9" });
    await take();

    const { samples } = await history.read("acme", NOW - HOUR);
    expect(samples).toMatchObject([
      { accepted: 2, stored: 2 },
      { accepted: 9, stored: 2 },
    ]);
  });

  it("a snapshot whose history cannot be kept comes again, and is taken then", async () => {
    const { database, take, history, time, table } = installation();
    database.end("acme", "stored");
    const { writeSample } = history;
    history.writeSample = () => Promise.reject(new AccessError("no answer", { isOutage: true }));

    await expect(take()).rejects.toThrow("no answer");
    expect(await table.readTakenAt()).toBeUndefined();

    history.writeSample = writeSample;
    expect(await take(NOW)).toMatchObject({ kind: "taken" });
    expect((await history.read("acme", time.now - HOUR)).samples).toHaveLength(1);
  });
});

describe("an outage", () => {
  const outage = new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "" });

  it("a new message asks again while the database does not answer, and no note is deleted", async () => {
    const { database, note, take, time, sent, table } = installation();
    await note(newProducerId(NOW - 2 * HOUR), { acme: "1" });
    database.state.fault = outage;

    expect(await take()).toEqual({ kind: "postponed", reason: "database_unavailable" });

    expect(sent).toEqual([{ message: { kind: "ledger", due: time.now }, delaySeconds: 300 }]);
    expect(await table.readNotes(NOW)).toHaveLength(1);
  });

  it("the message stays where the queue does not confirm the new one", async () => {
    const { database, take, queue } = installation();
    database.state.fault = outage;
    queue.answers = false;

    expect(await take()).toEqual({ kind: "failed", reason: "database_unavailable" });
  });

  it("a table that does not answer fails the invocation, so that the message comes again", async () => {
    const { table, take } = installation();
    table.readNotes = () => Promise.reject(new AccessError("no answer", { isOutage: true }));

    await expect(take()).rejects.toThrow("no answer");
  });
});

describe("the ledger in any order of things", () => {
  const tenants = ["a", "b"] as const;
  const ends = Object.keys(NO_COUNTS) as (keyof LedgerCounts)[];
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("send"),
        tenant: fc.constantFrom(...tenants),
        isConfirmed: fc.boolean(),
        process: fc.nat(2),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("arrive"),
        pick: fc.nat(),
        as: fc.constantFrom(...ends),
        isAgain: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("note"), process: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("snapshot") }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait"), minutes: fc.nat(90) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill"), process: fc.nat(2) }) },
  );

  it("the accounts are always the own count of what is noted or was seen to arrive, and at rest each difference is 0", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step as fc.Arbitrary<Step>, { maxLength: 60 }), async (steps) => {
        const { time, database, table, take, accounts } = installation();
        const processes = new Map<number, ProcessModel>();
        const queue: { tenant: string; producer: string; number: number }[] = [];
        const [counted, noted, seen] = [new Set<string>(), new Set<string>(), new Set<string>()];
        const keyOf = (tenant: string, producer: string, number: number) => `${tenant} ${producer} ${number}`;
        const modelOf = (index: number): ProcessModel => {
          const known = processes.get(index);
          if (known !== undefined && time.now < known.began + HOUR) return known;
          const fresh = {
            producer: newProducerId(time.now),
            began: time.now,
            next: new Map<string, number>(),
            sent: new Map(),
          };
          processes.set(index, fresh);
          return fresh;
        };
        const arrive = (each: (typeof queue)[number], as: keyof LedgerCounts) => {
          database.end(each.tenant, as, each);
          counted.add(keyOf(each.tenant, each.producer, each.number));
        };
        for (const each of steps) {
          time.now += SECOND;
          if (each.kind === "send") {
            const { producer, next, sent } = modelOf(each.process);
            const number = next.get(each.tenant) ?? 1;
            next.set(each.tenant, number + 1);
            // An unconfirmed message may be in the queue too.
            queue.push({ tenant: each.tenant, producer, number });
            if (each.isConfirmed) sent.set(each.tenant, addRange(sent.get(each.tenant) ?? NO_NUMBERS, number, number));
          } else if (each.kind === "arrive" && queue.length > 0) {
            const at = each.pick % queue.length;
            arrive(queue[at] as (typeof queue)[number], each.as);
            if (!each.isAgain) queue.splice(at, 1);
          } else if (each.kind === "note") {
            const model = processes.get(each.process);
            if (model !== undefined && time.now < model.began + HOUR + 60 * SECOND) {
              await table.write({ producer: model.producer, at: time.now, tenants: new Map(model.sent) });
              for (const [tenant, ranges] of model.sent)
                for (const [first, last] of ranges)
                  for (let number = first; number <= last; number++) noted.add(keyOf(tenant, model.producer, number));
            }
          } else if (each.kind === "snapshot") {
            await take();
            for (const key of counted) seen.add(key);
          } else if (each.kind === "wait") time.now += each.minutes * 60 * SECOND;
          else if (each.kind === "kill") processes.delete(each.process);
          const inFlight = [...noted].filter((key) => !seen.has(key)).length;
          expect(sumOf(await accounts())).toMatchObject({
            accepted: seen.size + inFlight,
            inFlight,
            difference: inFlight,
          });
        }
        for (const each of queue.splice(0)) arrive(each, "stored");
        time.now += 60 * SECOND;
        await take();

        for (const tenant of tenants) {
          const own = [...counted].filter((key) => key.startsWith(`${tenant} `)).length;
          expect(
            sumOf(await accounts(tenant).then((all) => all.filter((each) => each.tenant === tenant))),
          ).toMatchObject({
            accepted: own,
            inFlight: 0,
            difference: 0,
          });
        }
      }),
      { numRuns: 300 },
    );
  });
});

type ProcessModel = {
  producer: string;
  began: number;
  next: Map<string, number>;
  sent: Map<string, ProducerNote["tenants"] extends ReadonlyMap<string, infer Ranges> ? Ranges : never>;
};

type Step =
  | { kind: "send"; tenant: string; isConfirmed: boolean; process: number }
  | { kind: "arrive"; pick: number; as: keyof LedgerCounts; isAgain: boolean }
  | { kind: "note" | "kill"; process: number }
  | { kind: "snapshot" }
  | { kind: "wait"; minutes: number };
