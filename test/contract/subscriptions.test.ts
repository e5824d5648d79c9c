import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDeliveryWork } from "../../functions/adapters/data-api/delivery-work.ts";
import { createEventReader } from "../../functions/adapters/data-api/event-reader.ts";
import { createEventStore } from "../../functions/adapters/data-api/event-store.ts";
import { createFeedReader } from "../../functions/adapters/data-api/feed-reader.ts";
import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
import { createSubscriptionStore } from "../../functions/adapters/data-api/subscription-store.ts";
import type { StorableEvent } from "../../functions/core/ports.ts";
import type { AttemptResult } from "../../functions/core/delivery-work.ts";
import { readPage } from "../support/conformance/feed-reader.ts";
import { soon, startMigratedDatabase, type TestDatabase } from "../support/database.ts";
import { emptyDeliveries } from "../support/delivery-rows.ts";
import { storable } from "../support/event-samples.ts";
import { settle } from "../support/settle.ts";
import { apiUnderTest, URL_OF_SINK } from "../unit/notify/api-under-test.ts";

const filter = `{"all":[{"prefix":{"type":"com.example."}},{"data":{"n":[{"numeric":[">",12345678901234567890]}]}}]}`;
const BIG = { type: "com.example.big" };

let db: TestDatabase;
let api: ReturnType<typeof apiUnderTest>;
beforeAll(async () => {
  db = await startMigratedDatabase();
  // The matches of a subscription are those of the last day, so there has to be a partition of today.
  await db.migrate(undefined, new Date());
});
afterAll(() => db.remove());
beforeEach(async () => {
  await emptyDeliveries(db);
  const [store, reader] = [createSubscriptionStore(db.writer), createListReader(db.reader)];
  api = apiUnderTest({ store, reader, events: createEventReader(db.reader) }, new Date());
});

const event = (id: string, changes: object = {}) =>
  storable({ id, ...BIG, ...changes }, { tenant: "acme", receivedAt: new Date().toISOString() });

async function store(...events: StorableEvent[]): Promise<void> {
  await createEventStore(db.writer).store(events, soon());
  await settle(db);
}

/** Dispatches everything, and lets each due delivery fail with this status. */
async function failWith(code: number): Promise<void> {
  const work = createDeliveryWork(db.writer);
  await work.dispatch(10_000, soon());
  const { deliveries } = await work.claim("w", { most: 10, mostOfOne: 10, leaseSeconds: 60 }, soon());
  const results = deliveries.map(
    ({ id: deliveryId, subscriptionId, attempt }): AttemptResult => ({
      deliveryId,
      subscriptionId,
      number: attempt,
      status: "failed",
      dueAt: undefined,
      code,
      at: new Date().toISOString(),
      durationMs: 12,
      error: `status ${code}`,
      response: "no",
      isEnded: false,
    }),
  );
  await work.settle("w", results, soon());
}

describe("the API of subscriptions on PostgreSQL", () => {
  it("a subscription comes back as it was made, with all digits and without its secrets", async () => {
    const { text, body } = await api.call("createSubscription", {
      body: `{"name":"n","filter":${filter},"sink":{"type":"webhook","url":"${URL_OF_SINK}","headers":{"a":"b"}},"rate":5,"schedule":"doubling"}`,
      principal: { types: ["com.example.*"] },
    });

    expect(text).toContain(`"filter":${filter}`);
    const { secret: _secret, publicKey: _publicKey, matches: _matches, warning: _warning, ...kept } = body;
    const read = await api.call("readSubscription", { id: body.id });
    const ledger = { matched: 0, delivered: 0, pending: 0, failed: 0, skipped: 0 };
    expect(read.body).toEqual({ ...kept, ledger });
    expect(read.text).toContain(`"filter":${filter}`);
    expect((await api.call("listSubscriptions")).body).toEqual({ subscriptions: [kept], next: null });
  });

  it("a change takes away filter and rate, and keeps the others", async () => {
    const made = await api.create({ filter: { exact: BIG }, rate: 5, timeoutMs: 2_000 });

    const body = { filter: null, rate: null, sink: { type: "webhook", url: "https://b.example/" } };
    const changed = (await api.call("changeSubscription", { id: made.id, body })).body;

    expect(changed).toMatchObject({ name: "orders", timeoutMs: 2_000, sink: { url: "https://b.example/" } });
    expect([changed["filter"], changed["rate"]]).toEqual([undefined, undefined]);
  });

  it("the matches of a new subscription are counted by the database, and so is one that has none", async () => {
    const type = `com.example.m${Date.now()}`;
    await store(event(`${type}-1`, { type }), event(`${type}-2`, { type }));

    const { matches } = await api.create({ filter: { exact: { type } } });

    expect(matches).toMatchObject({ count: 2, complete: true, events: [{ type }, { type }] });
    expect((await api.create({ filter: { exact: { type: `${type}.none` } } })).warning).toMatch(/^No event/);
  });

  it("attempts, deliveries, failures and redeliveries have the form that they should", async () => {
    const { id } = await api.create({ filter: { exact: BIG } });
    await store(event("f-1"), event("f-2"), event("other", { type: "other" }));
    await failWith(500);

    const { attempts } = (await api.call("listAttempts", { id, query: { code: "500", limit: "1" } })).body;
    expect(attempts).toMatchObject([{ status: "failed", code: 500, durationMs: 12, number: 1, response: "no" }]);
    const first = (await api.call("listDeliveries", { id, query: { state: "failed", limit: "1" } })).body;
    const rest = (await api.call("listDeliveries", { id, query: { state: "failed", after: String(first.next) } })).body;
    const listed = [...(first.deliveries ?? []), ...(rest.deliveries ?? [])].map(({ eventId }) => String(eventId));
    expect(listed.toSorted()).toEqual(["f-1", "f-2"]);
    expect((await api.call("groupFailures", { id })).body.groups).toMatchObject([{ code: 500, count: 2 }]);
    expect((await api.call("readSubscription", { id })).body.ledger).toMatchObject({ matched: 2, failed: 2 });

    const body = { codes: [500], filter: { exact: { id: "f-1" } }, from: "2026-01-01T00:00:00Z" };
    const plan = await api.call("startRedelivery", { id, body: { ...body, dryRun: true } });
    expect(plan.body).toMatchObject({ planned: 1, sample: [{ eventId: "f-1" }] });
    const started = (await api.call("startRedelivery", { id, body })).body;
    expect(started).toMatchObject({ state: "running", planned: 1, request: { codes: [500], filter: body.filter } });
    const { body: read } = await api.call("readRedelivery", { id, retryId: started.id });
    expect(read).toEqual(started);
    expect((await api.call("listRedeliveries", { id })).body.retries).toEqual([started]);
    expect((await api.call("cancelRedelivery", { id, retryId: started.id })).body.state).toBe("cancelled");
  });

  it("disable, enable, rotate, seek by a cursor of the feed, and delete answer the subscription as it is", async () => {
    const { id } = await api.create();
    await store(event("before"));
    const { place } = await readPage(createFeedReader(db.reader), { tenant: "acme", after: "now" });
    await store(event("behind"));

    expect((await api.call("disableSubscription", { id })).body).toMatchObject({ disabledReason: "requested" });
    expect((await api.call("enableSubscription", { id })).body["disabledReason"]).toBeUndefined();
    expect((await api.call("rotateSecret", { id })).body.secret).toMatch(/^whsec_/);
    await api.call("seekSubscription", { id, body: { from: await api.feedCursor(place) } });
    await createDeliveryWork(db.writer).dispatch(10_000, soon());

    const { deliveries } = (await api.call("listDeliveries", { id })).body;
    expect(deliveries?.map(({ eventId }) => eventId)).toEqual(["behind"]);
    const foreign = await api.feedCursor({ ...place, incarnation: "00000000-0000-4000-8000-00000000000f" });
    expect(await api.refusal("seekSubscription", { id, body: { from: foreign } })).toMatch(/^cursor_expired/);
    expect((await api.call("deleteSubscription", { id })).status).toBe(204);
    expect(await api.refusal("readSubscription", { id })).toMatch(/^no_such_subscription/);
  });

  it("a stored event is tested by its key", async () => {
    await store(event("tested", { data: { n: 1 } }));
    const body = `{"filter":${filter},"event":{"id":"tested"}}`;

    const { why } = (await api.call("testSubscription", { body })).body;

    expect(why?.map(({ pointer }) => pointer)).toEqual(["/all/1/data/n"]);
  });
});
