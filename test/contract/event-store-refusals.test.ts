import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CHUNK_MAX_EVENTS } from "../../functions/core/database-limits.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import type { EventStore, StoreOutcome } from "../../functions/core/ports.ts";
import { soon } from "../support/database.ts";
import { storable, storables } from "../support/event-samples.ts";
import { allWell, chunksOf, startEventStore, type TestEventStore } from "../support/event-store.ts";

let setup: TestEventStore;
let store: EventStore;
beforeAll(async () => {
  setup = await startEventStore();
  ({ store } = setup);
});
afterAll(() => setup.db.remove());
beforeEach(() => setup.empty());

const ids = async () => (await setup.rows()).map(({ id }) => id);
const counts = async () => [await setup.count("events"), await setup.count("event_keys")];
const verdicts = ({ refused }: StoreOutcome) =>
  refused.toSorted((a, b) => a.index - b.index).map(({ index, error }) => [index, error.disposition, error.sqlState]);

describe("an event that the database refuses", () => {
  it.each([
    ["22P05", { data: "a\u0000b" }],
    ["22P02", { data: "half \ud83d" }],
    ["22003", { data: parseLossless("[1e200000]").lossless }],
    ["22007", { time: "yesterday at noon" }],
    ["22008", { time: "2026-02-30T00:00:00Z" }],
    ["54000", { id: "i".repeat(3_000), source: fc.sample(fc.stringMatching(/^[!-~]{9000}$/), 1)[0] ?? "" }],
  ])("for %s leaves nothing behind, and its neighbours are stored", async (sqlState, changes) => {
    const batch = [storable({ id: "0" }), storable({ id: "1", ...changes }), storable({ id: "2" })];

    const outcome = await store.store(batch, soon());

    expect(outcome).toMatchObject({ stored: 2, conflicts: [] });
    expect(verdicts(outcome)).toEqual([[1, "dead-letter", sqlState]]);
    expect(outcome.refused[0]?.error.detail).toMatch(/^ERROR: /);
    expect(await ids()).toEqual(["0", "2"]);
    expect(await counts()).toEqual([2, 2]);
  });

  it("for a missing partition is to come again, and is stored once there is one", async () => {
    const late = storable({ id: "late" }, { receivedAt: "2026-09-01T00:00:00.000Z" });

    const outcome = await store.store([storable(), late], soon());

    expect(outcome.stored).toBe(1);
    expect(verdicts(outcome)).toEqual([[1, "wait", "23514"]]);
    expect(await counts()).toEqual([1, 1]);

    await setup.db.ask("select ensure_event_partitions('2026-09-01', '2026-09-01')");
    expect(await store.store([storable(), late], soon())).toEqual(allWell(1));
  });

  it("is reported in the database's words, cut to what fits into one result", async () => {
    const { refused } = await store.store([storable(), storable({ id: "bad", data: "\u00e4\u0000" })], soon());

    expect(refused[0]?.error.detail).toMatch(/^ERROR: .*\\u0000 cannot be converted to text/);
    expect(refused[0]?.error.message).toBe("not_storable (SQLSTATE 22P05)");
  });
});

describe("with rules of the user's own", () => {
  beforeEach(async () => {
    await setup.db.ask("alter table events add constraint no_check check (subject is distinct from 'check')");
    await setup.db.ask("create sequence tries");
    await setup.db.ask(`
      create function refuse() returns trigger language plpgsql as $$
      begin
        perform nextval('tries');
        if new.subject = 'trigger' then raise exception '%', repeat(new.source, 10); end if;
        if length(new.subject) = 5 and new.subject <> 'check' then
          raise exception 'broken' using errcode = new.subject;
        end if;
        return new;
      end $$`);
    await setup.db.ask("create trigger refuse before insert on events for each row execute function refuse()");
  });
  afterEach(async () => {
    await setup.db.ask("drop trigger refuse on events");
    await setup.db.ask("drop function refuse");
    await setup.db.ask("drop sequence tries");
    await setup.db.ask("alter table events drop constraint no_check");
  });
  /** The number of times a row was tried, also in work that was rolled back: sequences do not go back. */
  const tries = async () => Number((await setup.db.ask<{ n: string }>("select last_value as n from tries"))[0]?.n);

  it.each([
    ["a constraint", "check", "23514"],
    ["a trigger", "trigger", "P0001"],
  ])(
    "finds the one of a chunk that %s refuses in one call, and tries few others twice",
    async (_what, subject, sqlState) => {
      // In the order of their keys the first, the last and one between.
      for (const place of [0, 999, 1_499]) {
        await setup.empty();
        await setup.db.ask("alter sequence tries restart");
        const batch = storables(CHUNK_MAX_EVENTS, "e").with(place, storable({ id: `e${place}`, subject }));

        const outcome = await store.store(batch, soon());

        expect(outcome.stored).toBe(CHUNK_MAX_EVENTS - 1);
        expect(verdicts(outcome)).toEqual([[place, "dead-letter", sqlState]]);
        expect(await tries()).toBeLessThanOrEqual(CHUNK_MAX_EVENTS + 256 + 16 + 1);
      }
    },
  );

  it.each(["21000", "22000", "23505", "44000", "54001", "P0001", "P0004"])(
    "takes an error of class %s for the event's fault",
    async (sqlState) => {
      const outcome = await store.store([storable({ id: "a" }), storable({ id: "bad", subject: sqlState })], soon());

      expect(outcome.stored).toBe(1);
      expect(verdicts(outcome)).toEqual([[1, "dead-letter", sqlState]]);
    },
  );

  it("tries none more than three times if all are refused, and says so within one answer of the Data API", async () => {
    const worst = `"\\\u0001\u{1f680}`;
    const batch = Array.from({ length: CHUNK_MAX_EVENTS }, (_, i) =>
      storable({ id: `e${i}`, source: worst.repeat(50), subject: "trigger" }),
    );
    expect(chunksOf(store, batch)).toHaveLength(1);

    const { stored, refused } = await store.store(batch, soon());

    expect([stored, refused.length]).toEqual([0, CHUNK_MAX_EVENTS]);
    expect(await tries()).toBeLessThanOrEqual(3 * CHUNK_MAX_EVENTS);
    expect(await counts()).toEqual([0, 0]);
  });

  it("stores exactly the others of any set of them, and tells the conflicts among these", async () => {
    const kinds = fc.constantFrom("good", "good", "good", "check", "trigger", "nul", "conflict");
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { maxLength: 600, size: "max" }), async (all) => {
        await setup.empty();
        const placesOf = (...wanted: string[]) => all.flatMap((kind, i) => (wanted.includes(kind) ? [i] : []));
        await store.store(
          placesOf("conflict").map((i) => storable({ id: `e${i}`, type: "com.example.first" })),
          soon(),
        );
        const batch = all.map((kind, i) =>
          storable({ id: `e${i}`, subject: kind, ...(kind === "nul" && { data: "\0" }) }),
        );

        const { stored, conflicts, refused } = await store.store(batch, soon());

        expect(stored).toBe(placesOf("good").length);
        expect(conflicts.toSorted((a, b) => a - b)).toEqual(placesOf("conflict"));
        expect(refused.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(
          placesOf("check", "trigger", "nul"),
        );
        expect(await ids()).toEqual(
          placesOf("good", "conflict")
            .map((i) => `e${i}`)
            .toSorted(),
        );
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    ["40001", "retry"],
    ["40P01", "retry"],
    ["53100", "retry"],
    ["57014", "retry"],
    ["XX000", "retry"],
    ["42501", "stop"],
    ["AB123", "stop"],
  ])("stores nothing when an event meets %s, which is no event's fault", async (sqlState, disposition) => {
    const batch = storables(600, "e").with(500, storable({ id: "unlucky", subject: sqlState }));

    await expect(store.store(batch, soon())).rejects.toMatchObject({ name: "DatabaseError", disposition, sqlState });

    expect(await counts()).toEqual([0, 0]);
  });
});

describe("a call that fails", () => {
  it("after it was committed has stored each event once when it comes again", async () => {
    setup.db.faults.set([{ kind: "dropAfter", operation: "ExecuteStatement", calls: 1 }]);

    const outcome = await store.store(storables(3, "e"), soon());

    // The SDK repeats the call whose answer was lost, and that one finds its own rows.
    expect(outcome).toEqual(allWell(0));
    expect(await counts()).toEqual([3, 3]);
  });

  it("for want of the table says that the schema is not the code's", async () => {
    await setup.db.ask("alter table events rename to renamed");
    try {
      await expect(store.store(storables(2, "e"), soon())).rejects.toMatchObject({
        disposition: "stop",
        sqlState: "42P01",
      });
    } finally {
      await setup.db.ask("alter table renamed rename to events");
    }
  });
});
