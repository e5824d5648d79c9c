import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHolds } from "../../functions/adapters/data-api/holds.ts";
import type { SqlDatabase, StorableEvent } from "../../functions/core/ports.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { aged, daysAgo, retainStep, storeAged } from "../support/retention.ts";

/** `HOLD_ROUNDS=500 npx vitest run test/simulation/holds.test.ts` takes some minutes. */
const ROUNDS = Number(process.env["HOLD_ROUNDS"] ?? 60);
const TENANTS = ["a", "b"] as const;
const SUBJECTS = ["x", "y", "z"] as const;
/** Days ago: two whose retention is over, and one of which it is not. */
const DAYS = [9, 10, 1] as const;

let db: TestDatabase;
beforeEach(async () => {
  db = await startMigratedDatabase();
  await db.ask("select declare_retention(30, array[7])");
});
afterEach(() => db.remove());

class Killed extends Error {}

/** Numbers that are the same in each run. */
function seeded(seed: string) {
  let count = 0;
  return (below: number) =>
    createHash("sha256")
      .update(`${seed} ${(count += 1)}`)
      .digest()
      .readUInt32BE(0) % below;
}

type Known = { tenant: string; id: string; subject: string; days: number };
type Held = {
  id: string;
  tenant: string;
  filter: object | undefined;
  subject: string | undefined;
  isActive: boolean;
  /** Events that could be read when it was made, or were stored since: they must be kept. */
  has: Set<string>;
  /** The same with those that could not be read: the drop of their day had begun. They may be kept. */
  mayHave: Set<string>;
};

describe("holds, drops and releases at random", () => {
  it.each(["one", "two", "three"])(
    "an event that could be read under a hold can be read as long as one of its holds is in force, and no longer (%s)",
    async (seed) => {
      const random = seeded(seed);
      const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
      const holds = createHolds(db.database);
      const events = new Map<string, Known>();
      const held = new Map<string, Held>();
      const seen = { kept: 0, dropped: 0, kills: 0, within: 0 };
      let ids = 0;

      const readable = async () =>
        new Set((await db.ask<{ id: string }>("select id from events order by id")).map(({ id }) => id));

      async function store(): Promise<void> {
        const known = { tenant: pick(TENANTS), id: `e${(ids += 1)}`, subject: pick(SUBJECTS), days: pick(DAYS) };
        const event: StorableEvent = aged(known.id, 7, known.days, {
          tenant: known.tenant,
          subject: known.subject,
          data: { subject: known.subject },
        });
        // A day whose detached table is there still takes no event.
        if (
          await storeAged(db, [event]).then(
            () => true,
            () => false,
          )
        ) {
          events.set(known.id, known);
          for (const each of held.values())
            if (each.isActive && covers(each, known)) for (const set of [each.has, each.mayHave]) set.add(known.id);
        }
      }

      async function make(): Promise<void> {
        const subject = random(4) === 0 ? undefined : pick(SUBJECTS);
        const filter =
          subject === undefined ? undefined : pick([{ exact: { subject } }, { data: { subject: [subject] } }]);
        const id = `hld_${String((ids += 1)).padStart(32, "0")}`;
        const tenant = pick(TENANTS);
        const before = await readable();
        const wanted = { id, tenant, filter: filter && JSON.stringify(filter), reason: "r", until: undefined };
        expect(await holds.make({ ...wanted, createdBy: "k" }, soon())).toMatchObject({ state: "active" });
        const hold: Held = { id, tenant, filter, subject, isActive: true, has: new Set(), mayHave: new Set() };
        for (const event of events.values()) {
          if (!covers(hold, event)) continue;
          hold.mayHave.add(event.id);
          if (before.has(event.id)) hold.has.add(event.id);
        }
        held.set(id, hold);
      }

      async function release(): Promise<void> {
        const active = [...held.values()].filter(({ isActive }) => isActive);
        if (active.length === 0) return;
        const hold = pick(active);
        if (random(2) === 0) await holds.release(hold.tenant, hold.id, { reason: "r", keyId: "k" }, soon());
        else await db.ask("update holds set until = now() - interval '1 second' where id = $1", [hold.id]);
        hold.isActive = false;
      }

      /** A run that is killed at some call, or within which somebody makes a hold, or neither. */
      async function run(): Promise<void> {
        const at = 1 + random(30);
        const what = pick(["kill before", "kill behind", "make", "nothing"] as const);
        let calls = 0;
        const database: Pick<SqlDatabase, "execute"> = {
          async execute(...call) {
            calls += 1;
            if (what.startsWith("kill") && (calls > at || (calls === at && what === "kill before"))) throw new Killed();
            if (what === "make" && calls === at) {
              seen.within += 1;
              await make();
            }
            const result = await db.database.execute(...call);
            if (what === "kill behind" && calls === at) throw new Killed();
            return result;
          },
        };
        const outcome = await retainStep(database, { keyPages: 1 })
          .run("m")
          .catch((error: unknown) => {
            if (!(error instanceof Killed)) throw error;
            seen.kills += 1;
          });
        if (outcome === undefined) return;
        // A hold that came within the run leaves what was released to the next one.
        expect((await retainStep(db.database).run("m")).kind).toBe("done");
        const left = await readable();
        const due = [...events.values()].filter(({ days }) => days > 7);
        expect(due.filter((event) => left.has(event.id) && !isIn(event, "mayHave"))).toEqual([]);
        expect(due.filter((event) => !left.has(event.id) && isIn(event, "has"))).toEqual([]);
        for (const { id } of due) if (!left.has(id)) seen.dropped += Number(events.delete(id));
      }

      const isIn = ({ id }: Known, set: "has" | "mayHave") =>
        [...held.values()].some((hold) => hold.isActive && hold[set].has(id));

      for (let round = 0; round < ROUNDS; round += 1) {
        await pick([store, store, store, make, release, run, run])();
        const left = await readable();
        const keys = await db.ask<{ id: string; keys: number }>(
          "select id, count(*)::int as keys from event_keys group by id",
        );
        const byId = new Map(keys.map((each) => [each.id, each.keys]));
        for (const event of events.values()) {
          if (!isIn(event, "has")) continue;
          seen.kept += 1;
          expect([event.id, left.has(event.id), byId.get(event.id)], `round ${round}`).toEqual([event.id, true, 1]);
        }
        expect(await db.ask("select tenant, id from events group by 1, 2 having count(*) > 1")).toEqual([]);
      }

      expect(Math.min(seen.kept, seen.dropped, seen.kills, seen.within)).toBeGreaterThan(0);
      // Behind the release of all nothing is left whose day is over.
      for (const { id, tenant } of held.values()) await holds.release(tenant, id, { reason: "r", keyId: "k" }, soon());
      await retainStep(db.database).run("m");
      const [left] = await db.ask<{ events: number; keys: number }>(
        `select (select count(*)::int from events where received_at < $1) as events,
           (select count(*)::int from event_keys where received_at < $1) as keys`,
        [`${daysAgo(8)}T00:00:00Z`],
      );
      expect(left).toEqual({ events: 0, keys: 0 });
    },
    120_000,
  );
});

const covers = (hold: Pick<Held, "tenant" | "subject">, event: Pick<Known, "tenant" | "subject">): boolean =>
  hold.tenant === event.tenant && (hold.subject === undefined || hold.subject === event.subject);
