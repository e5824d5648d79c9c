import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHolds } from "../../functions/adapters/data-api/holds.ts";
import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
import { createRetentionWork } from "../../functions/adapters/data-api/retention-work.ts";
import { parseFilter } from "../../functions/core/filter/filter.ts";
import type { NewHoldRecord } from "../../functions/core/hold.ts";
import { HOLDS_FILTERS_MAX_BYTES, HOLDS_MAX, HOLDS_PAGE } from "../../functions/core/hold-limits.ts";
import { createHoldMatches } from "../../functions/retain/hold-matches.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { aged, retainStep, storeAged } from "../support/retention.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await startMigratedDatabase();
});
afterAll(() => db.remove());
beforeEach(() => db.empty("holds", "events", "event_keys"));

const idOf = (number: number) => `hld_${String(number).padStart(32, "0")}`;
const wanted = (number: number, changes: Partial<NewHoldRecord> = {}): NewHoldRecord => ({
  id: idOf(number),
  tenant: "acme",
  filter: undefined,
  reason: "a case",
  until: undefined,
  createdBy: "key",
  ...changes,
});
const filterOf = (bytes: number) => JSON.stringify({ exact: { subject: "s".repeat(bytes - 24) } });

describe("holds in PostgreSQL", () => {
  it("a hold comes back as it was made, keeps the digits of its filter, and is made once", async () => {
    const holds = createHolds(db.database);
    const filter = '{"data":{"n":[12345678901234567890]}}';

    const made = await holds.make(wanted(1, { filter, until: "2099-01-01T00:00:00.000000Z" }), soon());

    expect(made).toMatchObject({ state: "active", filter, until: "2099-01-01T00:00:00.000Z", createdBy: "key" });
    expect(await holds.make(wanted(1, { reason: "other" }), soon())).toEqual(made);
    expect(await holds.read("acme", idOf(1), soon())).toEqual(made);
    expect(await holds.read("other", idOf(1), soon())).toBeUndefined();
    expect(await holds.release("other", idOf(1), { reason: "r", keyId: "k" }, soon())).toBeUndefined();
    expect(await holds.read("acme", idOf(1), soon())).toEqual(made);
  });

  it("a release is written once, and a hold whose time is over is ended and not released", async () => {
    const holds = createHolds(db.database);
    await holds.make(wanted(1), soon());
    await holds.make(wanted(2, { until: "2099-01-01T00:00:00Z" }), soon());
    await db.ask("update holds set until = now() - interval '1 second' where until is not null");

    const released = await holds.release("acme", idOf(1), { reason: "closed", keyId: "k2" }, soon());

    expect(released).toMatchObject({ state: "released", releasedBy: "k2", releaseReason: "closed" });
    expect(await holds.release("acme", idOf(1), { reason: "again", keyId: "k3" }, soon())).toEqual(released);
    const ended = await holds.release("acme", idOf(2), { reason: "late", keyId: "k2" }, soon());
    expect(ended).toMatchObject({ state: "ended", releasedAt: undefined });
    expect(await holds.countActive(soon())).toEqual({ holds: 0, tenants: 0 });
  });

  it("holds of a tenant are listed latest first, page by page", async () => {
    const holds = createHolds(db.database);
    for (let at = 1; at <= 3; at += 1) await holds.make(wanted(at), soon());
    await holds.make(wanted(4, { tenant: "other" }), soon());

    const first = await holds.list("acme", { after: undefined, limit: 2 }, soon());
    const second = await holds.list("acme", { after: first.next, limit: 2 }, soon());

    expect([first.items.map(({ id }) => id), second.items.map(({ id }) => id), second.next]).toEqual([
      [idOf(3), idOf(2)],
      [idOf(1)],
      undefined,
    ]);
    expect(await holds.countActive(soon())).toEqual({ holds: 4, tenants: 2 });
  });

  it("a tenant has no more holds in force than it may have, and no more bytes of filters, however many are made at once", async () => {
    const holds = createHolds(db.database);
    const many = await Promise.all(
      Array.from({ length: HOLDS_MAX + 5 }, (_, at) => holds.make(wanted(at), Date.now() + 60_000)),
    );
    expect(many.filter((each) => each === undefined)).toHaveLength(5);
    expect(await holds.make(wanted(500, { tenant: "other" }), soon())).toBeDefined();
    const first = many.find((each) => each !== undefined);
    await holds.release("acme", first?.id ?? "", { reason: "r", keyId: "k" }, soon());
    expect(await holds.make(wanted(501), soon())).toBeDefined();

    const filters = { tenant: "long", filter: filterOf(HOLDS_FILTERS_MAX_BYTES / 16) };
    for (let at = 600; at < 616; at += 1) expect(await holds.make(wanted(at, filters), soon())).toBeDefined();
    expect(await holds.make(wanted(616, { ...filters, filter: filterOf(24) }), soon())).toBeUndefined();
    expect(await holds.make(wanted(617, { ...filters, filter: undefined }), soon())).toBeDefined();
  });

  it("a run reads the holds of all tenants, in as many pages as they have", async () => {
    const holds = createHolds(db.database);
    const count = 2 * HOLDS_PAGE + 1;
    for (let at = 0; at < count; at += 1)
      await holds.make(
        wanted(at, { tenant: at % 2 === 0 ? "a" : "B", filter: filterOf(9_000 / (1 + (at % 9))) }),
        soon(),
      );

    const found = await createRetentionWork(db.database).holds(soon());

    expect(new Set(found.map(({ id }) => id)).size).toBe(count);
    expect(found).toHaveLength(count);
  });

  it("the events that match a new hold are counted, the newest first, of its tenant alone", async () => {
    await storeAged(db, [
      aged("1", 30, 2, { tenant: "acme", subject: "p" }),
      aged("2", 30, 1, { tenant: "acme", subject: "p" }),
      aged("3", 30, 1, { tenant: "acme", subject: "q" }),
      aged("4", 30, 1, { tenant: "other", subject: "p" }),
    ]);
    const matchesOf = createHoldMatches({ reader: createListReader(db.database), clock: () => new Date() });
    const filter = parseFilter({ exact: { subject: "p" } });

    const found = await eventually(
      () => matchesOf("acme", filter, soon()),
      ({ count }) => count === 2,
    );

    expect(found.isComplete).toBe(true);
    expect(found.events.map((event) => (JSON.parse(event) as { id: string }).id)).toEqual(["2", "1"]);
  });

  it("a hold that is made while released events are deleted waits, or is seen: the run deletes nothing of another tenant's state", async () => {
    await db.ask("select declare_retention(30, array[7])");
    await storeAged(db, [aged("held", 7, 9, { tenant: "acme" })]);
    const holds = createHolds(db.database);
    await holds.make(wanted(1), soon());
    await retainStep(db.database).run();
    await holds.release("acme", idOf(1), { reason: "r", keyId: "k" }, soon());
    const work = createRetentionWork(db.database);
    const before = await work.holds(soon());
    await holds.make(wanted(2), soon());

    expect(await work.dropReleased("acme", before, 10, soon())).toBe(0);
    expect(await db.ask("select id from events_held")).toEqual([{ id: "held" }]);

    const session = db.owner;
    await session.query("begin");
    await session.query("select drop_unheld('acme', $1, 'false', '{}', 10)", [JSON.stringify([idOf(2)])]);
    const making = holds.make(wanted(3), soon());
    const isMade = await Promise.race([
      making.then(() => true),
      new Promise((resolve) => setTimeout(() => resolve(false), 300)),
    ]);
    await session.query("rollback");
    expect(isMade).toBe(false);
    expect(await making).toMatchObject({ state: "active" });
  });

  it("a hold that is made behind the first deletion of keys moves no event of the day, which nobody can read by then", async () => {
    await db.ask("select declare_retention(30, array[7])");
    await storeAged(db, [aged("late", 7, 9, { tenant: "acme" })]);
    const holds = createHolds(db.database);
    const work = createRetentionWork(db.database);
    let makes = true;
    const run = () =>
      retainStep(db.database, {
        keyPages: 1,
        work: {
          deleteKeys: async (day, pages, deadline) => {
            const more = await work.deleteKeys(day, pages, deadline);
            if (!makes) return more;
            makes = false;
            await holds.make(wanted(1), soon());
            throw new Error("killed");
          },
        },
      }).run();
    await expect(run()).rejects.toThrow("killed");

    expect(await run()).toMatchObject({ kind: "done" });

    expect(await db.ask("select id from events union all select id from event_keys")).toEqual([]);
  });
});
