import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDeliveryWork } from "../../functions/adapters/data-api/delivery-work.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createFeedReader } from "../../functions/adapters/data-api/feed-reader.ts";
import { createSubscriptionStore } from "../../functions/adapters/data-api/subscription-store.ts";
import { DatabaseError } from "../../functions/core/errors.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import type { Claim, ClaimedDelivery, DeliveryWork } from "../../functions/core/delivery-work.ts";
import type { Start } from "../../functions/core/subscription.ts";
import type { SubscriptionStore } from "../../functions/core/subscription-store.ts";
import { createKeepDeliveries } from "../../functions/migrate/keep-deliveries.ts";
import { actorOf, eventIdsOf, eventOf, newSubscription, TENANT } from "../support/conformance/deliveries.ts";
import { readPage } from "../support/conformance/feed-reader.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { emptyDeliveries, passTime } from "../support/delivery-rows.ts";
import { storable } from "../support/event-samples.ts";
import { settle } from "../support/settle.ts";

let db: TestDatabase;
let store: SubscriptionStore;
let work: DeliveryWork;
beforeAll(async () => {
  db = await startMigratedDatabase();
  store = createSubscriptionStore(db.writer);
  work = createDeliveryWork(db.writer);
});
afterAll(() => db.remove());
beforeEach(() => emptyDeliveries(db));

const storeEvents = async (events: StorableEvent[]) => {
  await createEventStore(db.writer).store(events, soon());
  await settle(db);
};
const actor = () => actorOf({ store, work, now: () => new Date() });
const many = (count: number, prefix = "e") => Array.from({ length: count }, (_, i) => eventOf(`${prefix}${i}`));
const startOf = async (changes: object): Promise<Start> => ({
  kind: "place",
  place: { ...(await readPage(createFeedReader(db.reader), { tenant: TENANT, after: "now" })).place, ...changes },
});

describe("several workers at once", () => {
  it("workers that claim and settle at once have each delivery once, and end with all delivered", async () => {
    const { create, dispatch, result, settleAll, ledger } = actor();
    const made = [
      await create(),
      await create({ filter: '{"prefix":{"id":"e1"}}' }),
      await create({ order: "subject" }),
    ];
    await storeEvents(many(120).map((each, i) => ({ ...each, event: { ...each.event, subject: `s${i % 7}` } })));
    const matched = await dispatch();
    const seen: string[] = [];
    let leased = 0;

    const bounds = { most: 9, mostOfOne: 12, leaseSeconds: 45 };
    const note = async ({ deliveries }: Claim) => {
      seen.push(...deliveries.map(({ id }) => id));
      leased = Math.max(leased, await leasedOfOne());
    };
    await Promise.all([
      ...["a", "b"].map(async (worker) => {
        while (seen.length < matched) {
          const claimed = await work.claim(worker, bounds, soon());
          await note(claimed);
          await settleAll(claimed, {}, worker);
        }
      }),
      ...["c", "d"].map(async (worker) => {
        for (let held: ClaimedDelivery[] = []; seen.length < matched || held.length > 0; ) {
          const results = held.map((each) => result(each));
          const { claim } = await work.settleAndClaim(worker, results, bounds, soon());
          held = claim.deliveries;
          await note(claim);
        }
      }),
    ]);

    expect(seen).toHaveLength(matched);
    expect(new Set(seen).size).toBe(matched);
    expect(leased).toBeGreaterThan(0);
    expect(leased).toBeLessThanOrEqual(12);
    for (const { id } of made) {
      const { matched: all, delivered } = (await ledger(id)) ?? {};
      expect(delivered).toBe(all);
    }
  });

  it("a worker that settles and claims twice at once has each delivery once, and passes none over", async () => {
    const { create, dispatch, result, ledger } = actor();
    const { id } = await create();
    await storeEvents(many(90));
    await dispatch();
    const bounds = { most: 20, mostOfOne: 100, leaseSeconds: 45 };
    const first = await work.claim("w", bounds, soon());
    const second = await work.claim("w", bounds, soon());

    const claims = await Promise.all(
      [first, second].map(async ({ deliveries }) => {
        const results = deliveries.map((each) => result(each));
        return (await work.settleAndClaim("w", results, bounds, soon())).claim.deliveries;
      }),
    );

    expect(claims.map(({ length }) => length)).toEqual([20, 20]);
    const ids = [first.deliveries, second.deliveries, ...claims].flat().map((each) => each.id);
    expect(new Set(ids).size).toBe(80);
    expect(await ledger(id)).toMatchObject({ delivered: 40, pending: 50 });
  });

  const leasedOfOne = async () => {
    const { rows } = await db.database.execute(
      "select coalesce(max(n), 0) from (select count(*) as n from deliveries where leased_by is not null group by subscription_id) as each",
      {},
      soon(),
    );
    return Number(rows[0]?.[0]);
  };

  it("dispatchers at once make each delivery once, and all of them", async () => {
    const { create, ledger } = actor();
    const made = [await create(), await create({ order: "subject" }), await create()];
    for (let i = 0; i < 6; i += 1) await storeEvents(many(40, `t${i}-`));
    const small = () => createDeliveryWork(db.writer, { dispatchMost: 30 });

    const results = await Promise.all([1, 2, 3].map(() => small().dispatch(20_000, soon())));

    expect(results.reduce((sum, { matched }) => sum + matched, 0)).toBe(3 * 240);
    expect(results.every(({ isAtEnd }) => isAtEnd)).toBe(true);
    for (const { id } of made) expect(await ledger(id)).toMatchObject({ matched: 240, pending: 240 });
    expect(await db.ask("select 1 from deliveries group by subscription_id, event_id having count(*) > 1")).toEqual([]);
  });

  it("subscriptions that are dispatched together have their own matches each, in the order of the feed", async () => {
    const { create, ledger } = actor();
    const all = [await create(), await create(), await create({ order: "subject" }), await create()];
    const some = [
      await create({ filter: '{"prefix":{"id":"e1"}}' }),
      await create({ filter: '{"prefix":{"id":"e1"}}' }),
    ];
    await storeEvents(many(12).map((each, i) => ({ ...each, event: { ...each.event, subject: `s${i % 3}` } })));

    await createDeliveryWork(db.writer, { dispatchMost: 24 }).dispatch(20_000, soon());

    const feed = await db.ask("select id from events order by transaction_number, received_at, id, source");
    const matchesOf = (id: string) =>
      db.ask("select event_id as id from deliveries where subscription_id = $1 order by number", [id]);
    for (const { id } of all) {
      expect(await matchesOf(id)).toEqual(feed);
      expect(await ledger(id)).toMatchObject({ matched: 12, pending: 12 });
    }
    for (const { id } of some) {
      expect(await matchesOf(id)).toEqual(feed.filter((event) => String(event["id"]).startsWith("e1")));
      expect(await ledger(id)).toMatchObject({ matched: 3, pending: 3 });
    }
    const free = "select ordered_by from deliveries where ordered_by is not null and not is_blocked order by 1";
    expect(await db.ask(free)).toEqual(["s0", "s1", "s2"].map((ordered_by) => ({ ordered_by })));
  });

  it("an event that is dispatched twice in a generation stays one delivery", async () => {
    const { create, dispatch, ledger } = actor();
    const { id } = await create({ start: { kind: "time", at: "2026-11-01T00:00:00Z" } });
    await storeEvents(many(3));
    expect(await dispatch()).toBe(3);
    // As after a restore of the row alone.
    await db.ask("update subscriptions set next_number = 0");
    await storeEvents([eventOf("new")]);

    expect(await dispatch()).toBe(1);

    expect(await ledger(id)).toMatchObject({ matched: 4, pending: 4 });
  });

  it("a subscription that another worker has just now holds up no claim of the others", async () => {
    const { create, dispatch, claim } = actor();
    const locked = await create();
    const free = await create();
    await storeEvents([eventOf("a")]);
    await dispatch();
    await db.owner.query("begin");
    try {
      await db.owner.query("select 1 from subscriptions where id = $1 for update", [locked.id]);

      const { deliveries } = await claim();

      expect(deliveries.map(({ subscriptionId }) => subscriptionId)).toEqual([free.id]);
    } finally {
      await db.owner.query("rollback");
    }
    expect((await claim()).deliveries).toHaveLength(1);
  });

  it("a late result, of a lease that another worker has by now, writes no attempt and judges no circuit", async () => {
    const { create, dispatch, claim, settleAll, ledger, read } = actor();
    const { id } = await create();
    await storeEvents([eventOf("a")]);
    await dispatch();
    const late = await claim({}, "late");
    await passTime(db, 46);
    const current = await claim({}, "current");

    await settleAll(late, { status: "failed", code: 410, isEnded: true }, "late");

    expect(await ledger(id)).toMatchObject({ pending: 1, failed: 0 });
    expect(await db.ask("select 1 from delivery_attempts")).toEqual([]);
    expect(await read(id)).toMatchObject({ state: "active" });
    expect((await read(id)).failingSince).toBeUndefined();
    await settleAll(current, {}, "current");
    expect(await ledger(id)).toMatchObject({ delivered: 1, pending: 0 });
    expect(await db.ask("select number, status from delivery_attempts")).toEqual([{ number: 1, status: "delivered" }]);
  });

  it("a subject whose first delivery ends while the next is dispatched does not stand still", async () => {
    const { create, claim, settleAll, dispatch } = actor();
    await create({ order: "subject" });
    const seen: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      await storeEvents([eventOf(`e${i}`, { subject: "s" })]);
      const claimed = await claim();
      seen.push(...eventIdsOf(claimed));
      await Promise.all([dispatch(), settleAll(claimed)]);
    }
    for (let claimed: Claim; (claimed = await claim()).deliveries.length > 0; ) {
      seen.push(...eventIdsOf(claimed));
      await settleAll(claimed);
    }

    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => `e${i}`));
  });
});

describe("a flood", () => {
  it("a huge backlog of one subscription does not keep the others from their events", async () => {
    const { create, ledger } = actor();
    await storeEvents(many(20, "x"));
    const old = await create({ start: { kind: "time", at: "2026-11-01T00:00:00Z" } });
    for (let i = 0; i < 8; i += 1) await storeEvents(many(100, `t${i}-`));
    const other = await create();
    await storeEvents([eventOf("fresh")]);

    const { isAtEnd } = await createDeliveryWork(db.writer, { dispatchMost: 100 }).dispatch(0, soon());

    expect(isAtEnd).toBe(false);
    expect(await ledger(other.id)).toMatchObject({ matched: 1 });
    expect((await ledger(old.id))?.matched).toBeLessThan(821);
  });

  it("a claim is as large as one result of the Data API, and the rest comes with the next", async () => {
    const { create, dispatch, drain, claim } = actor();
    for (let i = 0; i < 3; i += 1) await create({ sink: largeSink });
    await storeEvents(many(12).map((each) => ({ ...each, event: { ...each.event, data: "é\\".repeat(25_000) } })));
    await dispatch();

    const first = await claim();
    expect(first.deliveries.length).toBeGreaterThan(2);
    expect(first.deliveries.length).toBeLessThan(36);
    expect((await drain()).length + first.deliveries.length).toBe(36);
  });

  it("a batch that is tried again is claimed as a whole, and waits for a claim in which it has room", async () => {
    const { create, dispatch, claim, settleAll, ledger } = actor();
    const { id } = await create({ batch: 100 });
    await storeEvents(many(12).map((each) => ({ ...each, event: { ...each.event, data: "x".repeat(100_000) } })));
    await dispatch();
    const sent: string[][] = [];
    for (let claimed: Claim; (claimed = await claim()).deliveries.length > 0; ) {
      sent.push(eventIdsOf(claimed).toSorted());
      await settleAll(claimed, { status: "later", dueAt: new Date().toISOString() });
      if (sent.length === 4) break;
    }

    expect(sent.slice(0, 2).map(({ length }) => length)).toEqual([7, 5]);
    expect(sent.slice(2)).toEqual(sent.slice(0, 2));
    expect(await ledger(id)).toMatchObject({ pending: 12 });
  });

  const largeSink = {
    type: "webhook" as const,
    url: "https://example.com",
    headers: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`x-${i}`, "v".repeat(2_000)])),
  };

  it("subscriptions of the largest size are listed and dispatched in as many calls as they need", async () => {
    const filter = JSON.stringify({
      any: Array.from({ length: 40 }, (_, i) => ({ exact: { id: `${i}`.padEnd(1_000, "x") } })),
    });
    const made = [];
    for (let i = 0; i < 30; i += 1) made.push((await actor().create({ filter, sink: largeSink })).id);
    await storeEvents([eventOf("0".padEnd(1_000, "x"))]);

    expect((await work.dispatch(20_000, soon())).matched).toBe(30);

    const listed: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await store.list(TENANT, { after, limit: 100 }, soon());
      listed.push(...page.items.map(({ id }) => id));
      if (page.next === undefined) break;
      after = page.next;
    }
    expect(listed).toEqual(made.toReversed());
  });
});

describe("what waits, and somebody lets go", () => {
  const inPieces = () => createSubscriptionStore(db.writer, { freeMost: 4 });
  const waiting = async (settings: object = {}) => {
    const place = actor();
    const { id } = await place.create(settings);
    await storeEvents(many(10).map((each) => ({ ...each, event: { ...each.event, subject: "s" } })));
    await place.dispatch();
    return { ...place, id };
  };
  const LATER = { status: "later", code: 503, dueAt: "2099-01-01T00:00:00.000Z" } as const;

  it("an enabled subscription makes everything due that waits, in statements of a bounded size", async () => {
    const { id, claim, settleAll } = await waiting();
    await settleAll(await claim(), LATER);
    await inPieces().setState(TENANT, id, "disabled", soon());

    await inPieces().setState(TENANT, id, "active", soon());

    expect((await claim()).deliveries).toHaveLength(10);
  });

  it("a delivery that fails while its subscription is being enabled keeps the wait of its schedule", async () => {
    const { id, claim, settleAll } = await waiting();
    const [first, ...others] = (await claim()).deliveries;
    if (first === undefined) throw new Error("They are claimed.");
    await settleAll({ deliveries: others }, LATER);
    let pieces = 0;
    const meanwhile = createSubscriptionStore(
      {
        execute: async (sql, parameters, deadline) => {
          if (sql.includes("free_deliveries") && ++pieces === 2)
            await settleAll({ deliveries: [first] }, { ...LATER, at: new Date(Date.now() + 1_000).toISOString() });
          return db.writer.execute(sql, parameters, deadline);
        },
      },
      { freeMost: 4 },
    );

    await meanwhile.setState(TENANT, id, "active", soon());

    expect(pieces).toBe(3);
    expect((await claim()).deliveries.map((each) => each.id).toSorted()).toEqual(
      others.map((each) => each.id).toSorted(),
    );
  });

  it("an enabling that ends too late has let some go, and goes on when it is asked for again", async () => {
    const { id, claim, settleAll } = await waiting();
    await settleAll(await claim(), LATER);
    let pieces = 0;
    const broken = createSubscriptionStore(
      {
        execute: (sql, parameters, deadline) =>
          sql.includes("free_deliveries") && ++pieces === 2
            ? Promise.reject(new DatabaseError({ disposition: "retry", reason: "timeout", detail: "" }))
            : db.writer.execute(sql, parameters, deadline),
      },
      { freeMost: 4 },
    );

    await expect(broken.setState(TENANT, id, "active", soon())).rejects.toThrow(DatabaseError);
    const before = (await claim()).deliveries.length;
    await inPieces().setState(TENANT, id, "active", soon());

    expect([before, (await claim()).deliveries.length]).toEqual([4, 6]);
  });

  it("a subscription without an order any more frees everything that waited for others, in statements of a bounded size", async () => {
    const { id, claim } = await waiting({ order: "subject" });

    await inPieces().change(TENANT, id, { order: "none" }, soon());

    expect((await claim()).deliveries).toHaveLength(10);
  });
});

describe("a filter that fails", () => {
  it("a filter that the database cannot apply holds up no other subscription", async () => {
    const { create, ledger, claim } = actor();
    const bad = await create({ filter: '{"exact":{"id":"bad"}}' });
    const good = await create();
    await storeEvents([eventOf("a")]);
    // As a defect of the database's functions for filters would do.
    const failing = createDeliveryWork({
      execute: (sql, parameters, deadline) =>
        db.writer.execute(
          sql,
          {
            ...parameters,
            ...(parameters["given"] && {
              given: parameters["given"].replace("e.id = ($1)[1]", "cast(($1)[1] as numeric) = 1"),
            }),
          },
          deadline,
        ),
    });

    const result = await failing.dispatch(1_000, soon());

    expect(result).toMatchObject({ matched: 1, isAtEnd: true, failing: [bad.id] });
    expect(await ledger(good.id)).toMatchObject({ matched: 1 });
    expect((await claim()).deliveries).toHaveLength(1);
  });

  it("a redelivery whose filter the database cannot apply holds up neither others nor what is due", async () => {
    const { create, dispatch, claim, settleAll } = actor();
    const { id } = await create();
    await storeEvents(many(2));
    await dispatch();
    await settleAll(await claim(), { status: "failed", code: 400 });
    const start = (job: string, filter?: string) =>
      store.startRedelivery(
        { id: job, subscriptionId: id, request: { ...(filter && { filter }) }, planned: 2, keyId: "k" },
        soon(),
      );
    const [bad, good] = [`rdl_${"1".repeat(32)}`, `rdl_${"2".repeat(32)}`];
    await start(bad, '{"exact":{"id":"bad"}}');
    await start(good);
    // As a defect of the database's functions for filters would do.
    const failing = createDeliveryWork({
      execute: (sql, { condition, ...parameters }, deadline) =>
        db.writer.execute(
          sql,
          {
            ...parameters,
            ...(condition !== undefined && {
              condition: condition?.replace("e.id = ($1)[1]", "cast(($1)[1] as numeric) = 1") ?? null,
            }),
          },
          deadline,
        ),
    });

    expect(await failing.redeliver(100, soon())).toEqual({ taken: 2, isAtEnd: true, failing: [bad] });
    expect((await claim()).deliveries).toHaveLength(2);
    expect(await store.readRedelivery(TENANT, bad, soon())).toMatchObject({ state: "running", taken: 0 });
  });

  it("a text of a user in the condition is refused by the database as well", async () => {
    const { create } = actor();
    const { id } = await create();
    await storeEvents([eventOf("a")]);
    const given = JSON.stringify([{ id, version: "", condition: "e.id = 'a' or true", texts: [] }]);

    await expect(
      db.writer.execute("select * from dispatch_subscriptions(cast(:given as jsonb), 10, 100)", { given }, soon()),
    ).rejects.toMatchObject({ sqlState: "42601" });
    await expect(
      db.writer.execute(
        "select * from plan_redelivery(:tenant, :id, cast('{}' as jsonb), 'true or current_user is not null', null, 1)",
        { tenant: TENANT, id },
        soon(),
      ),
    ).rejects.toMatchObject({ sqlState: "42601" });
  });

  it("a condition of a filter that was changed meanwhile is not used", async () => {
    const { create, ledger } = actor();
    const { id } = await create({ filter: '{"exact":{"id":"a"}}' });
    await storeEvents([eventOf("b")]);
    const given = JSON.stringify([{ id, version: "", condition: null, texts: [] }]);

    const { rows } = await db.writer.execute(
      "select dispatched, matched, unfinished from dispatch_subscriptions(cast(:given as jsonb), 10, 100)",
      { given },
      soon(),
    );

    expect(rows).toEqual([[0, 0, 1]]);
    expect(await ledger(id)).toMatchObject({ matched: 0 });
  });
});

describe("a start", () => {
  it("a start in the middle of a transaction goes on behind the event of its cursor", async () => {
    const { create, dispatch, drain } = actor();
    await storeEvents(many(5));
    const page = await readPage(createFeedReader(db.reader), { tenant: TENANT, after: "start", maxEvents: 2 });
    expect(page.place.event).not.toBeNull();
    await storeEvents([eventOf("next")]);

    await create({ start: { kind: "place", place: page.place } });

    await dispatch();
    expect((await drain()).toSorted()).toEqual(["e2", "e3", "e4", "next"]);
  });

  it("a start at a place that this database does not have, or whose events are forgotten, is expired", async () => {
    await storeEvents([eventOf("a")]);
    const create = (start: Start) => store.create(newSubscription({ start }), soon());
    const early = await startOf({});
    const { place } = early as Extract<Start, { kind: "place" }>;

    expect(await create(await startOf({ began: "1" }))).toBe("expired");
    expect(await create({ kind: "place", place: { ...place, number: String(Number(place.number) + 1) } })).toBe(
      "expired",
    );
    await storeEvents([eventOf("b")]);
    await db.ask("select forget_transactions(0, '2026-11-21')");
    expect(await create(early)).toBe("expired");
    expect(await create({ kind: "now" })).toMatchObject({ state: "active" });
  });

  it("a subscription that begins while events are being stored misses none of those that come after", async () => {
    const { create, dispatch, drain } = actor();
    const writer = await db.connectAs("writer");
    try {
      await writer.query("begin");
      const line = JSON.stringify({ ...eventOf("open").event, tenant: TENANT, received_at: "2026-11-21T09:30:00Z" });
      await writer.query("select store_batch($1)", [[line]]);
      await createEventStore(db.writer).store([eventOf("committed")], soon());
      await create();
      await writer.query("commit");
    } finally {
      await writer.end();
    }
    await settle(db);

    await dispatch();

    // The second was committed before, and is above the open transaction: it may come too, but the first must.
    expect(await drain()).toContain("open");
  });

  it("a subscription of a database that was restored from a dump gets what is stored there", async () => {
    const { create, dispatch, claim } = actor();
    await storeEvents([eventOf("a")]);
    await create();
    // A dump has the rows, and transactions are counted from the beginning.
    await db.ask("update event_transactions set transaction_number = transaction_number + 1000000");
    await db.ask("update subscriptions set next_number = next_number + 1000000");
    try {
      await db.ask("select ensure_incarnation()");
      await createEventStore(db.writer).store([eventOf("b")], soon());
      await settle(db);

      await dispatch();

      expect(eventIdsOf(await claim())).toEqual(["b"]);
    } finally {
      await db.ask("update incarnation set number_offset = 0");
      for (const table of ["events", "event_transactions"])
        await db.ask(
          `alter table ${table} alter column transaction_number set default cast(cast(pg_current_xact_id() as text) as bigint)`,
        );
    }
  });
});

describe("the upkeep of deliveries in the database", () => {
  const database = {
    execute: (sql: string, parameters: Record<string, string | null>) => db.database.execute(sql, parameters, soon()),
  };
  const keep = (now = new Date()) => createKeepDeliveries({ database, clock: () => now })(now.getTime() + 60_000);
  const partitions = async () =>
    (
      await db.ask<{ name: string }>(
        "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'delivery_attempts'::regclass order by 1",
      )
    ).map(({ name }) => name);

  it("attempts have a partition a day, which nobody else may read, and old ones are dropped", async () => {
    const { create, dispatch, claim, settleAll } = actor();
    const { id } = await create();
    await storeEvents(many(3));
    await dispatch();
    expect((await keep()).attemptPartitionsMade).toBe(16);
    expect((await keep()).attemptPartitionsMade).toBe(0);
    const today = `delivery_attempts_${new Date().toISOString().slice(0, 10).replaceAll("-", "")}`;
    const [first, second, third] = (await claim()).deliveries;
    if (first === undefined || second === undefined || third === undefined) throw new Error("They are claimed.");
    const old = new Date(Date.now() - 40 * 86_400_000).toISOString();
    await settleAll({ deliveries: [first] });
    await settleAll({ deliveries: [second] }, { at: old });

    expect(await db.ask(`select delivery_id from ${today}`)).toEqual([{ delivery_id: first.id }]);
    expect(await db.ask("select delivery_id from delivery_attempts_default")).toEqual([{ delivery_id: second.id }]);
    expect(
      await db.ask(
        "select relname from pg_class where relname like 'delivery\\_attempts%' and relkind in ('r', 'p') and (relacl is not null or not relrowsecurity)",
      ),
    ).toEqual([]);
    const page = { after: undefined, limit: 10 };
    expect((await store.listAttempts(TENANT, id, {}, page, soon())).items).toHaveLength(2);

    const later = await keep(new Date(Date.now() + 32 * 86_400_000));
    expect(later.attemptPartitionsDropped).toBe(3);
    expect(later.deliveriesFault).toBeUndefined();
    expect(await partitions()).not.toContain(today);
    expect((await store.listAttempts(TENANT, id, {}, page, soon())).items).toEqual([]);
    await settleAll({ deliveries: [third] });
    expect((await store.listAttempts(TENANT, id, {}, page, soon())).items).toHaveLength(1);
  });

  it("a drop that somebody's statement holds up gives up, and the next run does it", async () => {
    await db.ask("select ensure_attempt_partitions('2026-01-01', '2026-01-01')");
    const reader = await db.connectAs("writer");
    await db.owner.query("begin");
    try {
      await db.owner.query("select count(*) from delivery_attempts");
      expect(await keep()).toMatchObject({ attemptPartitionsDropped: 0, deliveriesFault: "object_not_available" });
    } finally {
      await db.owner.query("commit");
      await reader.end();
    }

    const { attemptPartitionsDropped, deliveriesFault } = await keep();

    expect([attemptPartitionsDropped, deliveriesFault]).toEqual([1, undefined]);
    expect(await partitions()).not.toContain("delivery_attempts_20260101");
  });

  it("delivered and skipped deliveries are deleted after 30 days and counted on, and pending and failed ones are kept", async () => {
    const { create, dispatch, claim, settleAll, ledger } = actor();
    const { id } = await create();
    await storeEvents(many(6));
    await dispatch();
    await settleAll(await claim({ most: 2 }));
    await settleAll(await claim({ most: 1 }), { status: "failed" });
    await passTime(db, 29 * 86_400);
    await keep();
    expect(await db.ask("select 1 from deliveries")).toHaveLength(6);
    await settleAll(await claim({ most: 1 }));
    await passTime(db, 2 * 86_400);

    expect((await keep()).deliveriesDeleted).toBe(2);

    expect(await db.ask("select state, count(*)::int as count from deliveries group by 1 order by 1")).toEqual([
      { state: "delivered", count: 1 },
      { state: "failed", count: 1 },
      { state: "pending", count: 2 },
    ]);
    expect(await ledger(id)).toEqual({ matched: 6, delivered: 3, pending: 2, failed: 1, skipped: 0 });
    const job = { id: `rdl_${"1".repeat(32)}`, subscriptionId: id, request: {}, planned: 1, keyId: "k" };
    await store.startRedelivery(job, soon());
    expect(await work.redeliver(10, soon())).toMatchObject({ taken: 1 });
  });

  it("deliveries of a removed subscription are deleted, however many there are", async () => {
    const { create, dispatch } = actor();
    const { id } = await create();
    const kept = await create();
    await storeEvents(many(2));
    await dispatch();
    await db.ask(
      `insert into deliveries (id, subscription_id, event_id, event_source, event_type, event_received_at)
      select 'dlv_' || n, $1, 'e', '/s', 't', now() from generate_series(1, 5010) as n`,
      [id],
    );

    await store.remove(TENANT, id, soon());
    expect((await keep()).deliveriesDeleted).toBe(12);

    expect(await db.ask("select distinct subscription_id as id from deliveries")).toEqual([{ id: kept.id }]);
  });
});

describe("tenants", () => {
  it("a subscription gets the events of its tenant alone, with the same ids and sources", async () => {
    const { create, dispatch, claim } = actor();
    const made = [await create({ tenant: "a" }), await create({ tenant: "b" })];
    await storeEvents(
      ["a", "b", "c"].flatMap((tenant) => ["1", "2"].map((id) => storable({ id, data: { tenant } }, { tenant }))),
    );

    expect(await dispatch()).toBe(4);

    const { deliveries, subscriptions } = await claim();
    for (const { event, subscriptionId } of deliveries) {
      const tenant = subscriptions.find(({ id }) => id === subscriptionId)?.tenant;
      expect(JSON.parse(event)).toMatchObject({ tenant, data: { tenant } });
    }
    expect(new Set(deliveries.map(({ subscriptionId }) => subscriptionId))).toEqual(new Set(made.map(({ id }) => id)));
  });

  /** The functions for requests, and their predicates. */
  const PREDICATES: Record<string, RegExp> = {
    read_subscription: /s\.tenant = for_tenant/g,
    list_subscriptions: /s\.tenant = for_tenant/g,
    count_subscriptions: /tenant = for_tenant/g,
    change_subscription: /s\.tenant = for_tenant/g,
    remove_subscription: /s\.tenant = for_tenant/g,
    set_subscription_state: /s\.tenant = for_tenant/g,
    free_deliveries: /known\.tenant = for_tenant/g,
    seek_subscription: /s\.tenant = for_tenant/g,
    add_subscription_secret: /s\.tenant = for_tenant/g,
    subscription_ledger: /s\.tenant = for_tenant/g,
    list_attempts: /s\.tenant = for_tenant/g,
    list_deliveries: /s\.tenant = for_tenant/g,
    group_failed_deliveries: /s\.tenant = for_tenant/g,
    plan_redelivery: /s\.tenant = \$3/g,
    read_redelivery: /s\.tenant = for_tenant/g,
    list_redeliveries: /s\.tenant = for_tenant/g,
    cancel_redelivery: /s\.tenant = for_tenant/g,
  };

  /** A tenant with something of everything, and all that another tenant sees of it. */
  async function seenByOther(): Promise<Record<string, unknown>> {
    await emptyDeliveries(db);
    const { create, dispatch, claim, settleAll } = actor();
    const { id } = await create({ sealed: "s1" });
    await storeEvents([eventOf("a"), eventOf("b")]);
    await dispatch();
    const [first, ...others] = (await claim()).deliveries;
    await settleAll({ deliveries: first ? [first] : [] }, { status: "failed", error: "e" });
    await settleAll({ deliveries: others }, { status: "later", dueAt: "2099-01-01T00:00:00.000Z" });
    const job = { id: `rdl_${id.slice(4)}`, subscriptionId: id, request: {}, planned: 2, keyId: "k" };
    await store.startRedelivery(job, soon());
    const page = { after: undefined, limit: 10 };
    const other = "other";
    return {
      read_subscription: await store.read(other, id, soon()),
      list_subscriptions: (await store.list(other, page, soon())).items[0],
      count_subscriptions: (await store.count(other, soon())) || undefined,
      subscription_ledger: await store.ledger(other, id, soon()),
      list_attempts: (await store.listAttempts(other, id, {}, page, soon())).items[0],
      list_deliveries: (await store.listDeliveries(other, id, {}, page, soon())).items[0],
      group_failed_deliveries: (await store.groupFailures(other, id, soon()))[0],
      plan_redelivery: (await store.planRedelivery(other, id, {}, soon())).sample[0],
      read_redelivery: await store.readRedelivery(other, job.id, soon()),
      list_redeliveries: (await store.listRedeliveries(other, id, page, soon())).items[0],
      cancel_redelivery:
        (await store.cancelRedelivery(other, job.id, soon())) ??
        (await db.ask("select 1 from redeliveries where state = 'cancelled'"))[0],
      change_subscription:
        (await store.change(other, id, { name: "x" }, soon())) ??
        (await db.ask("select 1 from subscriptions where name = 'x'"))[0],
      set_subscription_state:
        (await store.setState(other, id, "disabled", soon())) ??
        (await db.ask("select 1 from subscriptions where state = 'disabled'"))[0],
      free_deliveries:
        Number(
          (
            await db.writer.execute(
              "select free_deliveries(:other, :id, now() + interval '1 hour', 10)",
              { other, id },
              soon(),
            )
          ).rows[0]?.[0],
        ) || undefined,
      seek_subscription:
        (await store.seek(other, id, { kind: "now" }, soon())) ??
        (await db.ask("select 1 from subscriptions where generation > 1"))[0],
      add_subscription_secret:
        (await store.addSecret(other, id, "s2", 0, soon())) ??
        (await db.ask("select 1 from subscription_secrets where number > 1"))[0],
      remove_subscription: (await store.remove(other, id, soon())) || undefined,
    };
  }

  it("a tenant sees and changes nothing of another tenant's subscription", async () => {
    const seen = await seenByOther();

    expect(Object.keys(seen).toSorted()).toEqual(Object.keys(PREDICATES).toSorted());
    expect(Object.entries(seen).filter(([, value]) => value !== undefined)).toEqual([]);
  });

  it.each(Object.entries(PREDICATES))(
    "without the tenant in the predicate of %s the test before fails",
    async (name, predicate) => {
      const [row] = await db.ask<{ text: string }>("select pg_get_functiondef($1::regproc) as text", [name]);
      const whole = row?.text ?? "";
      expect(whole.match(predicate)?.length).toBeGreaterThan(0);
      await db.ask(whole.replaceAll(predicate, "true"));
      try {
        const seen = await seenByOther();
        expect(seen[name]).toBeDefined();
      } finally {
        await db.ask(whole);
      }
    },
  );
});
