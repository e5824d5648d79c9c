import { createHash, createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDeadLetterStore } from "../../functions/adapters/data-api/dead-letter-store.ts";
import { createDeliveryWork } from "../../functions/adapters/data-api/delivery-work.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createLedgerReader } from "../../functions/adapters/data-api/ledger.ts";
import { createRestoreJobs } from "../../functions/adapters/data-api/restore-jobs.ts";
import { createRestoreWork } from "../../functions/adapters/data-api/restore-work.ts";
import { createSubscriptionStore } from "../../functions/adapters/data-api/subscription-store.ts";
import type { ErasureSelection } from "../../functions/core/erasure-job.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import { actorOf } from "../support/conformance/deliveries.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { newDeadLetter } from "../support/dead-letter-samples.ts";
import { erase, erasureId, interrupted } from "../support/erasure.ts";
import { storable, storables } from "../support/event-samples.ts";
import { settle } from "../support/settle.ts";

let db: TestDatabase;
beforeEach(async () => {
  db = await startMigratedDatabase();
});
afterEach(() => db.remove());

const store = (events: StorableEvent[]) => createEventStore(db.writer).store(events, soon());
const ids = async (table = "events") =>
  (await db.ask<{ id: string }>(`select id from ${table} order by id`)).map(({ id }) => id);

const takeLedger = async () =>
  (await createLedgerReader(db.writer).take({ since: "", producers: [] }, soon())).tenants.find(
    ({ tenant }) => tenant === "default",
  );

describe("rollups behind an erasure", () => {
  const DAY = ["2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"];
  const differences = () => db.ask("select * from check_rollups($1, $2)", DAY);
  const measured = (id: string, v: number, changes: object = {}, second = 0) =>
    storable(
      { id, type: "m", data: { v }, ...changes },
      { receivedAt: `2026-11-21T09:30:${String(second).padStart(2, "0")}.000Z` },
    );
  const rows = (columns: string) =>
    db.ask<Record<string, unknown>>(`select ${columns} from rollups where span = 'day' order by type, source, pointer`);

  it.each([1, 2, 1_000])(
    "are those of the events that are left, in all spans, also the least and the greatest number, %i groups a statement",
    async (mostRows) => {
      await db.ask("insert into measures values ('m', '/v', array['v'], '-infinity')");
      await store([measured("a", 1), measured("b", 5), measured("c", 9, {}, 59), measured("d", 3, { source: "/t" })]);
      await db.ask("select compact_rollups('infinity', 100000)");
      await store([
        measured("e", 100),
        measured("f", -100),
        measured("g", 4, { type: "n" }),
        measured("h", 7, { source: "/u" }),
      ]);

      let statements = 0;
      const database = interrupted(db.database, "erase_rollups", async (call) => void (statements = call));
      const selection: ErasureSelection = { by: "ids", ids: ["a", "e", "f", "c", "d", "h"].map((id) => ({ id })) };
      const job = await erase(database, selection, { mostRows });

      expect(job.counts).toMatchObject({ events: 6, rollups: 6 });
      expect(statements).toBeGreaterThanOrEqual(3 / mostRows);
      expect(await differences()).toEqual([]);
      expect(await rows("type, source, pointer, events::int, low::text, high::text")).toEqual([
        { type: "m", source: "/s", pointer: "", events: 1, low: null, high: null },
        { type: "m", source: "/s", pointer: "/v", events: 1, low: "5", high: "5" },
        { type: "n", source: "/s", pointer: "", events: 1, low: null, high: null },
      ]);
    },
  );

  it("have no group of which every event is erased, so a source that names somebody is in none", async () => {
    await store([measured("a", 1, { source: "/mary" }), measured("b", 1)]);
    await db.ask("select compact_rollups('infinity', 100000)");

    await erase(db.database, { by: "ids", ids: [{ id: "a", source: "/mary" }] });

    expect(JSON.stringify([await rows("*"), await db.ask("select * from rollup_deltas")])).not.toContain("mary");
  });

  it("lose an event that a restore has brought back once, because they never counted it twice", async () => {
    await store([measured("a", 1), measured("b", 1)]);
    await db.ask("update events set transaction_number = -transaction_number where id = 'a'");

    await erase(db.database, { by: "ids", ids: [{ id: "a", source: "/s" }] });

    expect(await differences()).toEqual([]);
  });
});

describe("deliveries of erased events", () => {
  it("are deleted with their attempts, and those of others stay; the ledger of the subscription adds up", async () => {
    const subscriptions = createSubscriptionStore(db.writer);
    const work = createDeliveryWork(db.writer);
    const { create, dispatch, settleAll, ledger, claim } = actorOf({
      store: subscriptions,
      work,
      now: () => new Date(),
    });
    const ordered = await create({ tenant: "acme", order: "subject" });
    const plain = await create({ tenant: "acme" });
    const events = Array.from({ length: 8 }, (_, i) =>
      storable({ id: `e${i}`, subject: i % 2 === 0 ? "mary" : "mark" }, { tenant: "acme" }),
    );
    await store(events);
    await settle(db);
    await dispatch();
    await settleAll(await claim({ most: 5 }));

    const job = await erase(db.database, { by: "subject", subject: "mary" }, { tenant: "acme", mostRows: 3 });

    expect(job.counts).toMatchObject({ events: 4, deliveries: 8 });
    expect(job.counts.attempts).toBeGreaterThan(0);
    const left = await db.ask<{ event_id: string }>("select distinct event_id from deliveries order by 1");
    expect(left.map(({ event_id }) => event_id)).toEqual(["e1", "e3", "e5", "e7"]);
    const attempts = await db.ask<{ event_id: string }>("select distinct event_id from delivery_attempts");
    expect(attempts.every(({ event_id }) => left.some((each) => each.event_id === event_id))).toBe(true);
    for (const { id } of [ordered, plain]) {
      const { matched = 0, delivered = 0, pending = 0, failed = 0, skipped = 0 } = (await ledger(id)) ?? {};
      expect(matched).toBe(8);
      expect(delivered + pending + failed + skipped).toBe(8);
    }
    await settleAll(await claim());
    await settleAll(await claim());
    await settleAll(await claim());
    await settleAll(await claim());
    expect((await ledger(ordered.id))?.pending).toBe(0);
  });

  it("that were sent with others leave none of the sink's answer to the others", async () => {
    const subscriptions = createSubscriptionStore(db.writer);
    const { create, dispatch, settleAll, claim } = actorOf({
      store: subscriptions,
      work: createDeliveryWork(db.writer),
      now: () => new Date(),
    });
    await create({ tenant: "acme", batch: 2 });
    await store(["mary", "mark", "x", "y"].map((subject, i) => storable({ id: `e${i}`, subject }, { tenant: "acme" })));
    await settle(db);
    await dispatch();
    await settleAll(await claim(), { response: "I know them" });
    const answers = () =>
      db.ask<{ event_id: string; response: string | null }>(
        "select event_id, response from delivery_attempts order by event_id",
      );
    expect(await answers()).toHaveLength(4);

    await erase(db.database, { by: "subject", subject: "mary" }, { tenant: "acme" });

    expect(await answers()).toEqual([
      { event_id: "e1", response: null },
      { event_id: "e2", response: "I know them" },
      { event_id: "e3", response: "I know them" },
    ]);
  });

  it("of a dispatch that was under way are found as well", async () => {
    const subscriptions = createSubscriptionStore(db.writer);
    const { create, dispatch } = actorOf({
      store: subscriptions,
      work: createDeliveryWork(db.writer),
      now: () => new Date(),
    });
    await create({ tenant: "acme" });
    await store([storable({ id: "x", subject: "mary" }, { tenant: "acme" })]);
    await settle(db);
    const database = interrupted(db.database, "erase_rows", async (call) => {
      if (call === 1) await dispatch();
    });

    const job = await erase(database, { by: "subject", subject: "mary" }, { tenant: "acme" });

    expect(job.counts).toMatchObject({ events: 1, deliveries: 1 });
    expect(await ids("deliveries")).toEqual([]);
  });
});

describe("what comes behind an erasure", () => {
  it("a dead letter of an erased event is not recorded, and others of its call are", async () => {
    await erase(db.database, { by: "ids", ids: [{ id: "x", source: "/shop" }] });
    await erase(db.database, { by: "subject", subject: "mary" }, { id: erasureId("2") });
    await erase(db.database, { by: "filter", filter: '{"data":{"total":[99]}}' }, { id: erasureId("3") });

    const { recorded } = await createDeadLetterStore(db.writer).record(
      [
        newDeadLetter({ event: { id: "x" }, origin: { producer: "p", sequence: 1 } }),
        newDeadLetter({ event: { id: "a", subject: "mary" } }),
        newDeadLetter({ event: { id: "b", data: { total: 99 } } }),
        newDeadLetter({ event: { id: "c" } }),
        newDeadLetter({ tenant: "b", event: { id: "x" } }),
      ],
      soon(),
    );

    expect(recorded).toBe(2);
    expect(await db.ask("select tenant, event_id as id from dead_letters order by 1")).toEqual([
      { tenant: "b", id: "x" },
      { tenant: "default", id: "c" },
    ]);
    const total = await takeLedger();
    expect(total).toMatchObject({ discarded: 3, open: 1 });
  });

  it("the ledger counts an erased event that comes again as discarded, once for its number", async () => {
    const numbered = (id: string, sequence: number, changes: object = {}) =>
      storable({ id, ...changes }, { origin: { producer: "p", sequence } });
    await store([numbered("a", 1), numbered("b", 2)]);
    await erase(db.database, { by: "ids", ids: [{ id: "a", source: "/s" }] });

    await store([numbered("a", 3), numbered("c", 4)]);
    await store([numbered("a", 3), numbered("c", 4)]);
    await store([numbered("a", 1)]);

    const total = await takeLedger();
    expect(total).toMatchObject({ stored: 3, copies: 0, conflicts: 0, discarded: 1 });
  });

  it("an event that is being stored when the erasure begins is erased", async () => {
    const session = await db.connectAs("writer");
    await session.query("begin");
    const line = JSON.stringify({
      tenant: "default",
      id: "late",
      source: "/s",
      type: "t",
      subject: "mary",
      time: "2026-11-21T09:29:59.123Z",
      received_at: "2026-11-21T09:30:00.000Z",
    });
    await session.query("select * from store_batch(array[$1])", [line]);
    const database = interrupted(db.database, "erase_rows", async () => undefined);
    const erasing = erase(database, { by: "subject", subject: "mary" });
    await new Promise((resolve) => setTimeout(resolve, 400));
    await session.query("commit");
    await session.end();

    expect((await erasing).counts).toMatchObject({ events: 1 });
    expect(await ids()).toEqual([]);
  });

  it("a restore brings no erased event back", async () => {
    await db.ask(`select ensure_waiting_days('[{"class":0,"day":"2026-11-21"}]')`);
    await erase(db.database, { by: "subject", subject: "mary" });
    const id = `rst_${"c".repeat(32)}`;
    const jobs = createRestoreJobs(db.database);
    const work = createRestoreWork(db.database);
    for (const into of ["live", "beside"] as const) {
      const restore = {
        id: into === "live" ? id : id.replaceAll("c", "d"),
        tenant: "default",
        into,
        request: {},
        keyId: "k",
      };
      await jobs.start({ ...restore, retention: into === "live" ? 0 : undefined, manifests: [], planned: 2 }, soon());
      await work.hold(restore.id, "h", 60, soon());
      const lines = ["mary", "mark"].map((subject) =>
        JSON.stringify({
          id: subject,
          source: "/s",
          type: "t",
          subject,
          time: "2026-11-21T09:29:59.123Z",
          receivedat: "2026-11-21T09:30:00.000Z",
          storedat: "2026-11-21T09:30:01.000000Z",
          data: 1,
        }),
      );
      const job = await work.store(
        restore.id,
        "h",
        { lines, read: 2, next: { manifestAt: 1, partAt: 0, lineAt: 0 } },
        soon(),
      );
      expect(job).toMatchObject({ matched: 1, restored: 1 });
    }
    expect(await ids()).toEqual(["mark"]);
    expect(await ids(`restored_${"d".repeat(32)}`)).toEqual(["mark"]);
  });
});

describe("the receipt of an erasure", () => {
  it("has the hash of the events, which the key of the database makes again, and that of the request", async () => {
    await store(storables(3, "ü"));
    const [pads] = await db.ask<{ inner_pad: Buffer }>("select inner_pad from erasure_key");
    const secret = Buffer.from((pads?.inner_pad ?? Buffer.alloc(64)).map((byte) => byte ^ 0x36)).subarray(0, 32);
    const hmac = (kind: string, first: string, second: string) =>
      createHmac("sha256", secret).update(`${kind},7,default${first.length},${first}${second}`).digest();

    const job = await erase(db.database, { by: "subject", subject: "mary" });
    const second = await erase(
      db.database,
      {
        by: "ids",
        ids: [
          { id: "ü0", source: "/s" },
          { id: "ü2", source: "/s" },
        ],
      },
      { id: erasureId("2") },
    );

    const sorted = ["ü0", "ü2"].map((id) => hmac("event", "/s", id)).toSorted(Buffer.compare);
    expect(second.eventsSha256).toBe(createHash("sha256").update(Buffer.concat(sorted)).digest("hex"));
    expect(job.requestHash).toBe(hmac("request", JSON.stringify({ subject: "mary" }), "").toString("hex"));
    expect(job.eventsSha256).toBe(createHash("sha256").digest("hex"));
    expect(Number(second.horizonAfter)).toBeGreaterThan(Number(second.horizonBefore));
  });
});
