import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeedPlace } from "../../../functions/core/feed.ts";
import type { StorableEvent } from "../../../functions/core/ports.ts";
import type {
  AttemptResult,
  Claim,
  ClaimBounds,
  ClaimedDelivery,
  DeliveryWork,
} from "../../../functions/core/delivery-work.ts";
import type {
  ListPage,
  NewSubscription,
  PageOf,
  SubscriptionStore,
} from "../../../functions/core/subscription-store.ts";
import {
  DELIVERY_BATCH_MAX,
  REDELIVERIES_MAX_RUNNING,
  SUBSCRIPTIONS_MAX,
} from "../../../functions/core/subscription-limits.ts";
import { soon } from "../database.ts";
import { storable } from "../event-samples.ts";
import { eventually } from "../eventually.ts";

/** A place with subscriptions: the two ports, and the world around them. */
export type Deliveries = {
  store: SubscriptionStore;
  work: DeliveryWork;
  /** Stores events in one transaction, and waits until it is below the horizon. */
  storeEvents(events: StorableEvent[]): Promise<void>;
  /** Opens a transaction that holds the horizon; returns its end. */
  hold(): Promise<() => Promise<void>>;
  /** Lets time pass. */
  pass(seconds: number): Promise<void>;
  now(): Date;
  /** The place of the feed behind all that a tenant has. */
  place(tenant: string): Promise<FeedPlace>;
  /** Drops the events with these ids, as the end of their retention does. */
  forget(ids: string[]): Promise<void>;
};

export const TENANT = "acme";
const WORKER = "worker-a";

let ids = 0;
const nextId = (prefix: string) => `${prefix}_${String((ids += 1)).padStart(32, "0")}`;

export const newSubscription = (changes: Partial<NewSubscription> = {}): NewSubscription => ({
  id: nextId("sub"),
  tenant: TENANT,
  name: "orders",
  filter: undefined,
  allowed: { types: undefined, sources: undefined },
  sink: { type: "webhook", url: "https://example.com/hook" },
  order: "none",
  schedule: "standard",
  batch: 1,
  rate: undefined,
  timeoutMs: 15_000,
  keyId: "keyOfTests00",
  start: { kind: "now" },
  sealed: undefined,
  ...changes,
});

export const eventOf = (id: string, changes: Partial<StorableEvent["event"]> = {}, receivedAt?: string) =>
  storable({ id, ...changes }, { tenant: TENANT, ...(receivedAt && { receivedAt }) });

/** The steps that tests take with the two ports. */
export function actorOf({ store, work, now }: Pick<Deliveries, "store" | "work" | "now">) {
  const result = (
    { id, subscriptionId, attempt }: ClaimedDelivery,
    changes: Partial<AttemptResult> = {},
  ): AttemptResult => ({
    deliveryId: id,
    subscriptionId,
    number: attempt,
    status: "delivered",
    dueAt: undefined,
    code: 200,
    at: now().toISOString(),
    durationMs: 12,
    error: undefined,
    response: undefined,
    isEnded: false,
    ...changes,
  });
  const claim = (bounds: Partial<ClaimBounds> = {}, worker = WORKER) =>
    work.claim(worker, { most: 100, mostOfOne: 50, leaseSeconds: 45, ...bounds }, soon());
  const settleAll = (
    { deliveries }: Pick<Claim, "deliveries">,
    changes: Partial<AttemptResult> = {},
    worker = WORKER,
  ) =>
    work.settle(
      worker,
      deliveries.map((each) => result(each, changes)),
      soon(),
    );
  return {
    result,
    claim,
    settleAll,
    async create(changes: Partial<NewSubscription> = {}) {
      const made = await store.create(newSubscription(changes), soon());
      if (typeof made === "string") throw new Error(`There is no subscription, because it is ${made}.`);
      return made;
    },
    dispatch: async () => (await work.dispatch(5_000, soon())).matched,
    /** Claims and settles until nothing is claimable. */
    async drain(changes: Partial<AttemptResult> = {}) {
      const seen: string[] = [];
      for (;;) {
        const claimed = await claim();
        if (claimed.deliveries.length === 0) return seen;
        seen.push(...eventIdsOf(claimed));
        await settleAll(claimed, changes);
      }
    },
    inSeconds: (seconds: number) => new Date(now().getTime() + seconds * 1_000).toISOString(),
    ledger: (id: string) => store.ledger(TENANT, id, soon()),
    /** Takes the notices that wait, as a worker that has sent them. */
    async takeNotices() {
      const notices = await work.notices(100, soon());
      await work.deleteNotices(
        notices.map((notice) => notice.id),
        soon(),
      );
      return notices;
    },
    read: async (id: string) => {
      const found = await store.read(TENANT, id, soon());
      if (found === undefined) throw new Error(`There is no subscription ${id}.`);
      return found;
    },
  };
}

export const eventIdsOf = ({ deliveries }: Pick<Claim, "deliveries">) =>
  deliveries.map(({ event }) => (JSON.parse(event) as { id: string }).id);

const LATER = { status: "later", code: 503, error: "The sink answered 503." } as const;
const FAILED = { status: "failed", code: 400, error: "The sink answered 400." } as const;
const numbered = (count: number, prefix = "e") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** All items of a list, page by page. */
async function allPages<T>(read: (page: PageOf) => Promise<ListPage<T>>, limit: number): Promise<T[]> {
  const items: T[] = [];
  for (let after: string | undefined; ; ) {
    const page = await read({ after, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    if (page.next === undefined) return items;
    after = page.next;
  }
}

/**
 * The contract of the ports SubscriptionStore and DeliveryWork.
 * @param open makes an empty place
 */
export function describeDeliveries(where: string, open: () => Promise<Deliveries>): void {
  const start = async () => {
    const place = await open();
    return { ...place, ...actorOf(place) };
  };

  describe(`subscriptions ${where}`, () => {
    it("a subscription is read, listed and counted as it was made, by its tenant alone", async () => {
      const { store, create } = await start();
      const given = newSubscription({
        filter: '{"exact":{"type":"com.example.a"},"n":1.00}',
        allowed: { types: ["com.*"], sources: ["/s"] },
        sink: { type: "webhook", url: "https://example.com", format: "binary", headers: { "x-b": "1", "x-a": "é" } },
        order: "subject",
        schedule: "doubling",
        batch: 7,
        rate: 2.5,
      });
      const { start: _start, sealed: _sealed, ...settings } = given;

      const made = await create(given);

      expect(made).toMatchObject({ ...settings, state: "active" });
      expect(made).toEqual(await store.read(TENANT, given.id, soon()));
      expect(JSON.stringify(made.sink)).toBe(JSON.stringify(given.sink));
      for (const absent of [made.disabledReason, made.disabledAt, made.failingSince, made.openUntil])
        expect(absent).toBeUndefined();
      expect(await store.count(TENANT, soon())).toBe(1);
      expect(await store.list(TENANT, { after: undefined, limit: 10 }, soon())).toEqual({
        items: [made],
        next: undefined,
      });
      expect(await store.read("other", given.id, soon())).toBeUndefined();
      expect(await store.count("other", soon())).toBe(0);
      expect(await store.list("other", { after: undefined, limit: 10 }, soon())).toEqual({
        items: [],
        next: undefined,
      });
    });

    it("subscriptions are listed in pages, each once, the last one that was made first", async () => {
      const { store, create } = await start();
      const made = [await create(), await create(), await create()];

      for (const limit of [1, 2, 3]) {
        const listed = await allPages((page) => store.list(TENANT, page, soon()), limit);
        expect(listed.map(({ id }) => id)).toEqual(made.map(({ id }) => id).toReversed());
      }
    });

    it("a change sets the given members, and null takes one away", async () => {
      const { store, create } = await start();
      const { id, ...before } = await create({ filter: '{"exact":{"id":"a"}}', rate: 5 });

      const named = await store.change(TENANT, id, { name: "other", batch: 3 }, soon());
      expect(named).toMatchObject({ ...before, name: "other", batch: 3, updatedAt: expect.any(String) });
      const bare = await store.change(
        TENANT,
        id,
        { filter: null, rate: null, allowed: { types: ["a"], sources: undefined }, order: "subject" },
        soon(),
      );
      expect(bare).toMatchObject({ name: "other", order: "subject", allowed: { types: ["a"] } });
      expect([bare?.filter, bare?.rate, bare?.allowed.sources]).toEqual([undefined, undefined, undefined]);
      expect(await store.change("other", id, { name: "x" }, soon())).toBeUndefined();
      expect((await store.read(TENANT, id, soon()))?.name).toBe("other");
    });

    it("a removed subscription is not there any more, and neither is anything that belongs to it", async () => {
      const { store, work, create, dispatch, claim, storeEvents } = await start();
      const { id } = await create({ sealed: "s1" });
      await storeEvents([eventOf("a")]);
      await dispatch();

      expect(await store.remove("other", id, soon())).toBe(false);
      expect(await store.remove(TENANT, id, soon())).toBe(true);

      expect(await store.remove(TENANT, id, soon())).toBe(false);
      expect(await store.read(TENANT, id, soon())).toBeUndefined();
      expect(await store.ledger(TENANT, id, soon())).toBeUndefined();
      expect((await store.listDeliveries(TENANT, id, {}, { after: undefined, limit: 10 }, soon())).items).toEqual([]);
      expect((await claim()).deliveries).toEqual([]);
      expect(await work.nextDueAt(50, soon())).toBeUndefined();
      expect(await work.dispatch(1_000, soon())).toMatchObject({ subscriptions: 0 });
    });

    it("a rotated secret signs until its overlap ends, and no rotation ends one before that", async () => {
      const { store, create, dispatch, storeEvents, claim, pass, now } = await start();
      const { id } = await create({ sealed: "s1" });
      const secretsNow = async (event: string) => {
        await storeEvents([eventOf(event)]);
        await dispatch();
        return (await claim()).subscriptions[0]?.secrets.map(({ number, sealed }) => `${number}${sealed}`);
      };
      expect(await secretsNow("a")).toEqual(["1s1"]);

      await store.addSecret(TENANT, id, "s2", 24, soon());
      expect(await secretsNow("b")).toEqual(["2s2", "1s1"]);
      await pass(25 * 3_600);
      expect(await secretsNow("c")).toEqual(["2s2"]);
      await store.addSecret(TENANT, id, "s3", 0, soon());
      expect(await secretsNow("d")).toEqual(["3s3"]);
      for (const [sealed, hours] of [
        ["s4", 2],
        ["s5", 24],
      ] as const)
        await store.addSecret(TENANT, id, sealed, hours, soon());
      const refused = (await store.addSecret(TENANT, id, "s6", 24, soon())) as { fullUntil: string };
      expect((Date.parse(refused.fullUntil) - now().getTime()) / 3_600_000).toBeCloseTo(2, 1);
      expect(await secretsNow("e")).toEqual(["5s5", "4s4", "3s3"]);
      await pass(2.1 * 3_600);
      await store.addSecret(TENANT, id, "s6", 24, soon());
      expect(await secretsNow("f")).toEqual(["6s6", "5s5", "4s4"]);
      await store.addSecret(TENANT, id, "s7", 0, soon());
      expect(await secretsNow("g")).toEqual(["7s7"]);
      expect(await store.addSecret("other", id, "x", 24, soon())).toBeUndefined();
    });
  });

  describe(`limits ${where}`, () => {
    it("a tenant has as many subscriptions as it may, also where several are made at once", async () => {
      const { store, create } = await start();
      for (let made = 0; made < SUBSCRIPTIONS_MAX - 2; made += 1) await create();
      const given = Array.from({ length: 6 }, () => newSubscription());

      const results = await Promise.all(given.map((each) => store.create(each, soon())));

      expect(results.filter((each) => each === "full")).toHaveLength(4);
      expect(await store.count(TENANT, soon())).toBe(SUBSCRIPTIONS_MAX);
      const first = results.find((each) => typeof each !== "string");
      const again = given.find(({ id }) => id === first?.id);
      // A call that comes again after a lost answer is the same subscription.
      expect(await store.create(again ?? newSubscription(), soon())).toMatchObject({ id: first?.id });
      expect(await store.create(newSubscription({ tenant: "other" }), soon())).toMatchObject({ tenant: "other" });
    });

    it("a subscription has as many running redeliveries as it may, also where several are started at once", async () => {
      const { store, create } = await start();
      const { id } = await create();
      const jobOf = () => ({ id: nextId("rdl"), subscriptionId: id, request: {}, planned: 1, keyId: "k" });
      for (let started = 0; started < REDELIVERIES_MAX_RUNNING - 2; started += 1)
        await store.startRedelivery(jobOf(), soon());

      const results = await Promise.all(Array.from({ length: 6 }, () => store.startRedelivery(jobOf(), soon())));

      expect(results.filter((each) => each === "full")).toHaveLength(4);
      const first = results.find((each) => typeof each !== "string");
      await store.cancelRedelivery(TENANT, first?.id ?? "", soon());
      expect(await store.startRedelivery(jobOf(), soon())).toMatchObject({ state: "running" });
    });
  });

  describe(`starts ${where}`, () => {
    it("a subscription from now on gets what is stored afterwards, and nothing from before", async () => {
      const { create, dispatch, claim, storeEvents } = await start();
      await storeEvents([eventOf("before")]);
      await create();
      await storeEvents([eventOf("after")]);

      expect(await dispatch()).toBe(1);
      expect(eventIdsOf(await claim())).toEqual(["after"]);
    });

    it("a subscription from a time begins with the first transaction that has an event received since then", async () => {
      const { create, dispatch, drain, storeEvents } = await start();
      await storeEvents([eventOf("old", {}, "2026-11-20T10:00:00.000Z")]);
      await storeEvents([
        eventOf("new", {}, "2026-11-21T10:00:00.000Z"),
        eventOf("with", {}, "2026-11-20T09:00:00.000Z"),
      ]);
      await storeEvents([eventOf("late", {}, "2026-11-19T10:00:00.000Z")]);
      const at = (time: string) => create({ start: { kind: "time", at: time }, name: time });

      await at("2026-11-21T10:00:00Z");
      await dispatch();
      expect((await drain()).toSorted()).toEqual(["late", "new", "with"]);
      await at("2026-11-20T09:30:00Z");
      await dispatch();
      expect((await drain()).toSorted()).toEqual(["late", "new", "old", "with"]);
      await at("2026-11-21T10:00:00.001Z");
      expect(await dispatch()).toBe(0);
    });

    it("a subscription from a cursor of the feed begins behind it", async () => {
      const { create, dispatch, claim, storeEvents, place } = await start();
      await storeEvents([eventOf("a")]);
      const behind = await place(TENANT);
      await storeEvents([eventOf("b")]);

      await create({ start: { kind: "place", place: behind } });

      await dispatch();
      expect(eventIdsOf(await claim())).toEqual(["b"]);
    });

    it("a start at a cursor of another database is expired", async () => {
      const { store, create, storeEvents, place } = await start();
      await storeEvents([eventOf("a")]);
      const foreign = { ...(await place(TENANT)), incarnation: "11111111-1111-4111-8111-111111111111" };
      const given = newSubscription({ start: { kind: "place", place: foreign } });

      expect(await store.create(given, soon())).toBe("expired");

      expect(await store.read(TENANT, given.id, soon())).toBeUndefined();
      const { id } = await create();
      expect(await store.seek(TENANT, id, { kind: "place", place: foreign }, soon())).toBe("expired");
    });
  });

  describe(`dispatch ${where}`, () => {
    it("each event that matches becomes one delivery, by the filter and by what the key may read", async () => {
      const { work, create, dispatch, drain, storeEvents } = await start();
      await create({ name: "all" });
      await create({ name: "filter", filter: '{"data":{"n":[{"numeric":[">",1]}]}}' });
      await create({ name: "types", allowed: { types: ["com.example.*"], sources: undefined } });
      await create({ name: "sources", allowed: { types: undefined, sources: ["/other"] } });
      await create({ name: "nothing", allowed: { types: [], sources: undefined } });
      await storeEvents([eventOf("a", { type: "com.example.a", data: { n: 1 } })]);
      await storeEvents([
        eventOf("b", { type: "org.b", data: { n: 2 } }),
        eventOf("c", { source: "/other", type: "org.c" }),
      ]);
      await storeEvents([storable({ id: "foreign" }, { tenant: "other" })]);

      expect(await dispatch()).toBe(3 + 1 + 1 + 1);
      expect((await drain()).toSorted()).toEqual(["a", "a", "b", "b", "c", "c"]);
      // Other test files may have transactions open.
      const rest = await eventually(
        () => work.dispatch(1_000, soon()),
        ({ isOpen }) => !isOpen,
      );
      expect(rest).toEqual({
        matched: 0,
        isAtEnd: true,
        isOpen: false,
        subscriptions: 5,
        failing: [],
        hasNotices: false,
      });
    });

    it("an event with the key of one that is no longer retained becomes a delivery of its own", async () => {
      const { create, dispatch, claim, settleAll, storeEvents, forget, ledger } = await start();
      const { id } = await create();
      await storeEvents([eventOf("a", { data: { n: 1 } }, "2026-11-20T10:00:00.000Z")]);
      await dispatch();
      await settleAll(await claim(), FAILED);
      await forget(["a"]);
      await storeEvents([eventOf("a", { data: { n: 2 } }, "2026-11-21T10:00:00.000Z")]);

      expect(await dispatch()).toBe(1);

      expect((await claim()).deliveries.map(({ event }) => (JSON.parse(event) as { data: unknown }).data)).toEqual([
        { n: 2 },
      ]);
      expect(await ledger(id)).toMatchObject({ matched: 2, failed: 1, pending: 1 });
    });

    it("an event below an open transaction's number waits for its end, and is not missed", async () => {
      const { work, create, dispatch, claim, storeEvents, hold } = await start();
      await storeEvents([eventOf("a")]);
      await create();
      const end = await hold();
      await storeEvents([eventOf("b")]);

      expect(await work.dispatch(1_000, soon())).toMatchObject({ matched: 0, isAtEnd: true, isOpen: true });
      await create({ name: "made meanwhile" });
      await end();

      expect(await dispatch()).toBe(2);
      expect(eventIdsOf(await claim())).toEqual(["b", "b"]);
    });

    it("a disabled subscription loses nothing: it goes on where it was", async () => {
      const { store, create, dispatch, claim, drain, storeEvents, read } = await start();
      const { id } = await create();
      await storeEvents([eventOf("pending")]);
      await dispatch();
      expect(await store.setState(TENANT, id, "disabled", soon())).toMatchObject({
        state: "disabled",
        disabledReason: "requested",
      });
      await storeEvents([eventOf("meanwhile")]);

      expect(await dispatch()).toBe(0);
      expect((await claim()).deliveries).toEqual([]);
      expect(await store.setState("other", id, "active", soon())).toBeUndefined();
      const enabled = await store.setState(TENANT, id, "active", soon());
      expect([enabled?.state, enabled?.disabledReason, enabled?.disabledAt]).toEqual(["active", undefined, undefined]);

      expect(await dispatch()).toBe(1);
      expect((await drain()).toSorted()).toEqual(["meanwhile", "pending"]);
      expect(await read(id)).toMatchObject({ state: "active" });
    });

    it("a seek delivers again under new ids, and leaves what is pending", async () => {
      const { store, create, dispatch, claim, settleAll, storeEvents, ledger } = await start();
      await storeEvents([eventOf("a", {}, "2026-11-20T10:00:00.000Z")]);
      const { id } = await create({ start: { kind: "time", at: "2026-11-20T00:00:00Z" } });
      await dispatch();
      const first = await claim();
      await settleAll(first);
      await storeEvents([eventOf("b")]);
      await dispatch();

      await store.seek(TENANT, id, { kind: "time", at: "2026-11-20T00:00:00Z" }, soon());

      expect(await dispatch()).toBe(2);
      const again = await claim();
      expect(eventIdsOf(again).toSorted()).toEqual(["a", "b", "b"]);
      expect(new Set([...first.deliveries, ...again.deliveries].map((each) => each.id)).size).toBe(4);
      expect(await ledger(id)).toEqual({ matched: 4, delivered: 1, pending: 3, failed: 0, skipped: 0 });
      expect(await store.seek("other", id, { kind: "now" }, soon())).toBeUndefined();
      await store.seek(TENANT, id, { kind: "now" }, soon());
      expect(await dispatch()).toBe(0);
    });
  });

  describe(`claims ${where}`, () => {
    it("a claim has the event, the attempt and the subscription with its secrets", async () => {
      const { create, dispatch, claim, storeEvents } = await start();
      const { id, tenant, name, sink, schedule, batch, timeoutMs } = await create({ sealed: "sealed" });
      const text = 'é\\\u0001 "quoted" '.repeat(4_000);
      await storeEvents([eventOf("a", { subject: "x", data: { text, n: 3 } })]);
      await dispatch();

      const { subscriptions, deliveries } = await claim();

      expect(subscriptions).toMatchObject([
        {
          id,
          tenant,
          name,
          sink,
          schedule,
          batch,
          timeoutMs,
          secrets: [{ number: 1, sealed: "sealed" }],
          isProbe: false,
        },
      ]);
      expect(deliveries).toMatchObject([
        { id: expect.stringMatching(/^dlv_[0-9a-f]{32}$/), subscriptionId: id, attempt: 1, scheduleAttempt: 1 },
      ]);
      expect(JSON.parse(deliveries[0]?.event ?? "")).toMatchObject({
        specversion: "1.0",
        id: "a",
        source: "/s",
        subject: "x",
        tenant: TENANT,
        receivedat: expect.any(String),
        data: { text, n: 3 },
      });
    });

    it("an event that goes to several subscriptions is whole in each of their deliveries, whatever its length", async () => {
      const { create, dispatch, claim, storeEvents } = await start();
      const made = [await create({ name: "x" }), await create({ name: "y" }), await create({ name: "z" })];
      const text = 'é\\\u0001 "quoted" '.repeat(4_000);
      await storeEvents([eventOf("long", { data: { text } }), eventOf("short", { data: { n: 1 } })]);
      await dispatch();

      const { deliveries } = await claim();

      for (const { id } of made) {
        const events = deliveries
          .filter((each) => each.subscriptionId === id)
          .map(({ event }) => JSON.parse(event) as object);
        expect(events).toHaveLength(2);
        expect(events).toContainEqual(expect.objectContaining({ id: "long", data: { text } }));
        expect(events).toContainEqual(expect.objectContaining({ id: "short", data: { n: 1 } }));
      }
      expect(new Set(deliveries.map(({ id }) => id)).size).toBe(6);
    });

    it("two workers never have the same delivery, and a lease that ends gives it to the next", async () => {
      const { work, create, dispatch, claim, settleAll, storeEvents, pass, ledger, drain } = await start();
      const { id } = await create();
      await storeEvents([eventOf("first")]);
      await dispatch();
      await drain();
      await storeEvents(numbered(6).map((each) => eventOf(each)));
      await dispatch();

      const a = await claim({ most: 3 }, "a");
      const b = await claim({}, "b");
      expect([...eventIdsOf(a), ...eventIdsOf(b)].toSorted()).toEqual(numbered(6));
      expect((await claim({}, "c")).deliveries).toEqual([]);

      await pass(46);
      const c = await claim({ most: 3 }, "c");
      expect(eventIdsOf(c).toSorted()).toEqual(eventIdsOf(a).toSorted());
      expect(c.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
      await settleAll(a, {}, "a");
      expect(await ledger(id)).toMatchObject({ pending: 6, delivered: 1 });
      // Nobody else has taken these, so the late result counts.
      await settleAll(b, {}, "b");
      await settleAll(c, {}, "c");
      await settleAll(c, FAILED, "c");
      expect(await ledger(id)).toEqual({ matched: 7, delivered: 7, pending: 0, failed: 0, skipped: 0 });
      expect(await work.nextDueAt(50, soon())).toBeUndefined();
    });

    it("a sink that has not answered is left to the worker that has begun with it, until its leases end", async () => {
      const { work, create, dispatch, claim, settleAll, storeEvents, pass, now } = await start();
      await create();
      await storeEvents(numbered(4).map((each) => eventOf(each)));
      await dispatch();
      const a = await claim({ most: 1 }, "a");

      expect((await claim({ most: 1 }, "b")).deliveries).toEqual([]);
      expect(Date.parse((await work.nextDueAt(50, soon())) ?? "") - now().getTime()).toBeGreaterThan(40_000);
      expect((await claim({ most: 1 }, "a")).deliveries).toHaveLength(1);
      await settleAll(a, FAILED, "a");
      expect((await claim({ most: 1 }, "b")).deliveries).toEqual([]);

      await pass(46);
      const c = await claim({ most: 1 }, "c");
      await settleAll(c, {}, "c");
      expect((await claim({ most: 1 }, "c")).deliveries).toHaveLength(1);
      expect((await claim({ most: 1 }, "d")).deliveries).toHaveLength(1);
    });

    it("a claim is fair: a flood of one subscription leaves the others their share", async () => {
      const { create, dispatch, claim, storeEvents } = await start();
      const flooded = await create({ name: "flood" });
      const others = [];
      for (const name of ["x", "y", "z"]) {
        others.push(await create({ name, filter: `{"prefix":{"id":"${name}"}}` }));
      }
      await storeEvents(numbered(60).map((id) => eventOf(id)));
      await storeEvents(["x", "y", "z"].flatMap((name) => numbered(4, name).map((id) => eventOf(id))));
      await dispatch();

      const { deliveries } = await claim({ most: 16 });

      const of = ({ id }: { id: string }) => deliveries.filter(({ subscriptionId }) => subscriptionId === id).length;
      expect([of(flooded), ...others.map(of)]).toEqual([4, 4, 4, 4]);
      expect((await claim({ most: 16 })).deliveries).toHaveLength(16);
    });

    it("of one subscription all workers together have no more than the bound", async () => {
      const { work, create, dispatch, claim, settleAll, storeEvents, pass, now, drain } = await start();
      await create();
      await storeEvents([eventOf("first")]);
      await dispatch();
      await drain();
      await storeEvents(numbered(70).map((id) => eventOf(id)));
      await dispatch();

      const a = await claim({ mostOfOne: 30 }, "a");
      const b = await claim({ mostOfOne: 50 }, "b");
      expect([a.deliveries.length, b.deliveries.length]).toEqual([30, 20]);
      expect((await claim({ mostOfOne: 50 }, "c")).deliveries).toEqual([]);
      const next = Date.parse((await work.nextDueAt(50, soon())) ?? "");
      expect(next - now().getTime()).toBeGreaterThan(40_000);

      await settleAll({ deliveries: a.deliveries.slice(0, 10) }, {}, "a");
      expect((await claim({ mostOfOne: 50 }, "c")).deliveries).toHaveLength(10);
      await pass(50);
      expect((await claim({ mostOfOne: 50 }, "d")).deliveries).toHaveLength(50);
    });

    it("of a subscription whose sink answers fast a worker has more, and of the others no more than before", async () => {
      const { create, dispatch, claim, storeEvents, drain } = await start();
      const [fast, other] = [await create(), await create()];
      await storeEvents([eventOf("first")]);
      await dispatch();
      await drain();
      await storeEvents(numbered(70).map((id) => eventOf(id)));
      await dispatch();

      const { deliveries } = await claim({ most: 400, mostOfOne: 20, fast: [fast.id], mostOfFast: 50 });

      const countOf = (id: string) => deliveries.filter(({ subscriptionId }) => subscriptionId === id).length;
      expect([countOf(fast.id), countOf(other.id)]).toEqual([50, 20]);
      expect((await claim({ most: 400, mostOfOne: 20 }, "b")).deliveries).toEqual([]);
    });

    it.each([51, DELIVERY_BATCH_MAX])(
      "a claim has room for a batch of %i, and for no more than that at once",
      async (batch) => {
        const { work, create, dispatch, claim, storeEvents, now } = await start();
        await create({ batch });
        await storeEvents(numbered(batch + 10).map((id) => eventOf(id)));
        await dispatch();

        expect((await claim({ most: 200 })).deliveries).toHaveLength(batch);
        expect((await claim({ most: 200 }, "b")).deliveries).toEqual([]);
        const next = Date.parse((await work.nextDueAt(50, soon())) ?? "");
        expect(next - now().getTime()).toBeGreaterThan(40_000);
      },
    );

    it("a rate gives as many as it allows, and the next ones when it does", async () => {
      const { work, create, dispatch, claim, storeEvents, pass, now, drain } = await start();
      await create({ rate: 2 });
      await storeEvents([eventOf("first")]);
      await dispatch();
      await drain();
      await pass(1);
      await storeEvents(numbered(8).map((id) => eventOf(id)));
      await dispatch();

      expect((await claim()).deliveries).toHaveLength(2);
      expect((await claim()).deliveries).toHaveLength(0);
      const next = Date.parse((await work.nextDueAt(50, soon())) ?? "") - now().getTime();
      expect(next).toBeGreaterThan(100);
      expect(next).toBeLessThan(600);
      await pass(0.5);
      expect((await claim()).deliveries).toHaveLength(1);
      await pass(60);
      expect((await claim()).deliveries).toHaveLength(2);
    });

    it("an event that is no longer retained is skipped", async () => {
      const { create, dispatch, claim, storeEvents, forget, ledger } = await start();
      const { id } = await create();
      await storeEvents([eventOf("a"), eventOf("b")]);
      await dispatch();
      await forget(["a"]);

      expect(eventIdsOf(await claim())).toEqual(["b"]);
      expect(await ledger(id)).toEqual({ matched: 2, delivered: 0, pending: 1, failed: 0, skipped: 1 });
    });

    it("what a worker gives back is due at once, and its token is there again", async () => {
      const { work, create, dispatch, claim, storeEvents } = await start();
      await create({ rate: 1 });
      await storeEvents([eventOf("a")]);
      await dispatch();
      const { deliveries } = await claim();
      const ids = deliveries.map(({ id }) => id);

      await work.release("another", ids, soon());
      expect((await claim()).deliveries).toEqual([]);
      await work.release(WORKER, ids, soon());

      expect((await claim({}, "b")).deliveries).toMatchObject([{ id: ids[0], attempt: 1 }]);
    });

    it("the next delivery is due when the first that waits is, and a lease ends", async () => {
      const { work, create, dispatch, claim, settleAll, storeEvents, now, inSeconds, drain } = await start();
      expect(await work.nextDueAt(50, soon())).toBeUndefined();
      const { id } = await create();
      await storeEvents([eventOf("first")]);
      await dispatch();
      await drain();
      await storeEvents([eventOf("a"), eventOf("b")]);
      await dispatch();
      const due = async () => Date.parse((await work.nextDueAt(50, soon())) ?? "") - now().getTime();
      expect(await due()).toBeLessThanOrEqual(1);

      const { deliveries } = await claim({ leaseSeconds: 30 });
      expect(Math.round((await due()) / 1_000)).toBe(30);
      await settleAll({ deliveries: deliveries.slice(0, 1) }, { ...LATER, dueAt: inSeconds(10) });
      expect(Math.round((await due()) / 1_000)).toBe(10);
      expect(id).toBe(deliveries[0]?.subscriptionId);
    });

    it("a wake-up is planned once, unless an earlier one is needed, or it has passed", async () => {
      const { work, inSeconds, pass } = await start();

      expect(await work.planWake(inSeconds(100), soon())).toBe(true);
      expect(await work.planWake(inSeconds(100), soon())).toBe(false);
      expect(await work.planWake(inSeconds(500), soon())).toBe(false);
      expect(await work.planWake(inSeconds(50), soon())).toBe(true);
      await pass(51);
      expect(await work.planWake(inSeconds(500), soon())).toBe(true);
    });
  });

  describe(`the order of subjects ${where}`, () => {
    it("of a subject one goes at a time in the order of the feed, and a failing subject holds up itself alone", async () => {
      const { work, create, dispatch, claim, result, storeEvents, inSeconds, pass } = await start();
      const { id } = await create({ order: "subject" });
      const subjects: [string, string | undefined][] = [
        ["a1", "a"],
        ["b1", "b"],
        ["a2", "a"],
        ["free", undefined],
        ["a3", "a"],
        ["b2", "b"],
      ];
      for (const [event, subject] of subjects)
        await storeEvents([eventOf(event, subject === undefined ? {} : { subject })]);
      await dispatch();

      const first = await claim();
      expect(eventIdsOf(first).toSorted()).toEqual(["a1", "b1", "free"]);
      expect(eventIdsOf(await claim({}, "b"))).toEqual([]);
      const [a1, b1, free] = ["a1", "b1", "free"].map((each) => first.deliveries[eventIdsOf(first).indexOf(each)]);
      if (a1 === undefined || b1 === undefined || free === undefined) throw new Error("They are claimed.");
      await work.settle(WORKER, [result(a1, { ...LATER, dueAt: inSeconds(60) }), result(b1), result(free)], soon());
      const second = await claim();
      expect(eventIdsOf(second)).toEqual(["b2"]);
      expect(
        Math.round((Date.parse((await work.nextDueAt(50, soon())) ?? "") - Date.parse(inSeconds(0))) / 1_000),
      ).toBe(45);
      await work.settle(WORKER, [result(second.deliveries[0] as ClaimedDelivery)], soon());
      await storeEvents([eventOf("a4", { subject: "a" })]);
      await dispatch();
      expect(eventIdsOf(await claim())).toEqual([]);

      await pass(61);
      const third = await claim();
      expect(eventIdsOf(third)).toEqual(["a1"]);
      // One that failed for good does not block.
      await work.settle(WORKER, [result(third.deliveries[0] as ClaimedDelivery, FAILED)], soon());
      for (const expected of ["a2", "a3", "a4"]) {
        const next = await claim();
        expect(eventIdsOf(next)).toEqual([expected]);
        await work.settle(WORKER, [result(next.deliveries[0] as ClaimedDelivery)], soon());
      }
      expect(id).toBe(third.deliveries[0]?.subscriptionId);
    });

    it("without the order any more, all that waits is free", async () => {
      const { store, create, dispatch, claim, storeEvents } = await start();
      const { id } = await create({ order: "subject" });
      for (const event of ["1", "2", "3"]) await storeEvents([eventOf(event, { subject: "s" })]);
      await dispatch();
      expect((await claim()).deliveries).toHaveLength(1);

      await store.change(TENANT, id, { order: "none" }, soon());

      expect(eventIdsOf(await claim())).toEqual(["2", "3"]);
    });

    it("a skipped delivery lets the next of its subject go", async () => {
      const { create, dispatch, claim, storeEvents, forget } = await start();
      await create({ order: "subject" });
      for (const event of ["1", "2"]) await storeEvents([eventOf(event, { subject: "s" })]);
      await dispatch();
      await forget(["1"]);

      await claim();

      expect(eventIdsOf(await claim())).toEqual(["2"]);
    });
  });

  describe(`results ${where}`, () => {
    it("a result is written as the state of its delivery and as an attempt", async () => {
      const { work, store, create, dispatch, claim, result, storeEvents, inSeconds, pass, ledger } = await start();
      const { id } = await create();
      await storeEvents([eventOf("a"), eventOf("b"), eventOf("c")]);
      await dispatch();
      const { deliveries } = await claim();
      const [a, b, c] = deliveries as [ClaimedDelivery, ClaimedDelivery, ClaimedDelivery];
      await work.settle(
        WORKER,
        [
          result(a, { response: "ok" }),
          result(b, { ...LATER, dueAt: inSeconds(30), response: "<busy>" }),
          result(c, { ...FAILED, code: undefined }),
        ],
        soon(),
      );

      expect(await ledger(id)).toEqual({ matched: 3, delivered: 1, pending: 1, failed: 1, skipped: 0 });
      expect((await claim()).deliveries).toEqual([]);
      await pass(31);
      const [again] = (await claim()).deliveries;
      expect(again).toMatchObject({ id: b.id, attempt: 2, scheduleAttempt: 2, matchedAt: expect.any(String) });
      await work.settle(WORKER, [result(again as ClaimedDelivery)], soon());

      const page = { after: undefined, limit: 10 };
      const { items } = await store.listAttempts(TENANT, id, {}, page, soon());
      expect(items.map(({ eventId, number, status }) => `${eventId}${number} ${status}`)).toEqual([
        "b2 delivered",
        "c1 failed",
        "b1 later",
        "a1 delivered",
      ]);
      expect(items[2]).toEqual({
        deliveryId: b.id,
        eventId: "b",
        number: 1,
        status: "later",
        code: 503,
        at: expect.stringMatching(/Z$/),
        durationMs: 12,
        error: "The sink answered 503.",
        response: "<busy>",
      });
      const [failed] = (await store.listDeliveries(TENANT, id, { state: "failed" }, page, soon())).items;
      expect(failed).toMatchObject({
        id: c.id,
        subscriptionId: id,
        eventId: "c",
        eventSource: "/s",
        eventType: "com.example.sample",
        state: "failed",
        attempts: 1,
        lastAt: expect.any(String),
        error: "The sink answered 400.",
      });
      expect([failed?.code, failed?.dueAt]).toEqual([undefined, undefined]);
    });

    it("a claim along with results has what they let go, and says whether notices wait", async () => {
      const { work, create, dispatch, claim, result, storeEvents } = await start();
      await create({ order: "subject" });
      for (const id of ["a1", "a2"]) await storeEvents([eventOf(id, { subject: "a" })]);
      await dispatch();
      const { deliveries } = await claim();
      const bounds = { most: 100, mostOfOne: 50, leaseSeconds: 45 };

      const second = await work.settleAndClaim(
        WORKER,
        deliveries.map((each) => result(each)),
        bounds,
        soon(),
      );
      const last = await work.settleAndClaim(
        WORKER,
        second.claim.deliveries.map((each) => result(each, { ...FAILED, isEnded: true })),
        bounds,
        soon(),
      );

      expect(eventIdsOf(second.claim)).toEqual(["a2"]);
      expect(second.claim.subscriptions.map(({ name }) => name)).toHaveLength(1);
      expect(second.hasNotices).toBe(false);
      expect(last).toEqual({ hasNotices: true, claim: { subscriptions: [], deliveries: [] } });
    });

    it("attempts are found by status, code, event and time, page by page", async () => {
      const { store, work, create, dispatch, claim, result, storeEvents, now } = await start();
      const { id } = await create();
      await storeEvents(numbered(5).map((event) => eventOf(event)));
      await dispatch();
      const { deliveries } = await claim();
      const began = now().getTime();
      await work.settle(
        WORKER,
        deliveries.map((each, i) =>
          result(each, { ...(i % 2 === 0 ? FAILED : {}), at: new Date(began + i * 1_000).toISOString() }),
        ),
        soon(),
      );
      const found = async (selection: Parameters<SubscriptionStore["listAttempts"]>[2], limit = 2) =>
        (await allPages((page) => store.listAttempts(TENANT, id, selection, page, soon()), limit)).map(
          ({ eventId }) => eventId,
        );

      expect(await found({})).toEqual(["e4", "e3", "e2", "e1", "e0"]);
      expect(await found({ status: "failed" })).toEqual(["e4", "e2", "e0"]);
      expect(await found({ code: 200 })).toEqual(["e3", "e1"]);
      expect(await found({ eventId: "e2" })).toEqual(["e2"]);
      const at = (i: number) => new Date(began + i * 1_000).toISOString();
      expect(await found({ from: at(1), to: at(3) })).toEqual(["e2", "e1"]);
      const page = { after: undefined, limit: 10 };
      expect((await store.listAttempts("other", id, {}, page, soon())).items).toEqual([]);
    });

    it("deliveries are found by state and event, page by page, the last first", async () => {
      const { store, create, dispatch, claim, settleAll, storeEvents } = await start();
      const { id } = await create();
      await storeEvents(numbered(7).map((event) => eventOf(event)));
      await dispatch();
      await settleAll(await claim({ most: 3 }), FAILED);
      const found = async (selection: Parameters<SubscriptionStore["listDeliveries"]>[2], limit: number) =>
        (await allPages((page) => store.listDeliveries(TENANT, id, selection, page, soon()), limit)).map(
          ({ eventId }) => eventId,
        );

      for (const limit of [1, 3, 7]) expect(await found({}, limit)).toEqual(numbered(7).toReversed());
      expect(await found({ state: "failed" }, 2)).toEqual(["e2", "e1", "e0"]);
      expect(await found({ eventId: "e5" }, 2)).toEqual(["e5"]);
      expect(await found({ state: "failed", eventId: "e5" }, 2)).toEqual([]);
      const page = { after: undefined, limit: 10 };
      expect((await store.listDeliveries("other", id, {}, page, soon())).items).toEqual([]);
      await expect(
        store.listDeliveries(TENANT, id, {}, { after: "1' or true", limit: 1 }, soon()),
      ).rejects.toMatchObject({
        code: "bad_cursor",
      });
    });

    it("failures are grouped by code and error, the largest first, with the last as a sample", async () => {
      const { store, work, create, dispatch, claim, result, storeEvents, now } = await start();
      const { id } = await create();
      await storeEvents(numbered(4).map((event) => eventOf(event)));
      await dispatch();
      const began = now().getTime();
      const { deliveries } = await claim();
      const codes = [400, 500, 500, undefined];
      await work.settle(
        WORKER,
        deliveries.map((each, i) =>
          result(each, { status: "failed", code: codes[i], error: "e", at: new Date(began + i).toISOString() }),
        ),
        soon(),
      );

      const groups = await store.groupFailures(TENANT, id, soon());

      expect(groups[0]).toEqual({
        code: 500,
        error: "e",
        count: 2,
        firstAt: new Date(began + 1).toISOString(),
        lastAt: new Date(began + 2).toISOString(),
        sample: expect.objectContaining({ eventId: "e2", state: "failed" }),
      });
      expect(groups.slice(1).map(({ code, count }) => [code, count])).toEqual(
        expect.arrayContaining([
          [400, 1],
          [undefined, 1],
        ]),
      );
      expect(await store.groupFailures("other", id, soon())).toEqual([]);
    });

    it("the ledger balances whatever happens", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom("store", "dispatch", "claim", "settle", "lose", "seek", "forget", "retry"), {
            minLength: 4,
            maxLength: 20,
          }),
          fc.infiniteStream(fc.constantFrom("delivered", "later", "failed")),
          async (steps, statuses) => {
            const { store, work, create, dispatch, claim, result, storeEvents, pass, inSeconds, forget, ledger } =
              await start();
            const { id } = await create({ start: { kind: "time", at: "2026-11-01T00:00:00Z" }, order: "subject" });
            let [stored, held] = [0, [] as ClaimedDelivery[]];
            for (const step of ["store", "dispatch", ...steps] as const) {
              if (step === "store") {
                const events = numbered(3, `s${(stored += 1)}-`).map((each, i) =>
                  eventOf(each, i === 0 ? {} : { subject: `s${i}` }),
                );
                await storeEvents(events);
              }
              if (step === "dispatch") await dispatch();
              if (step === "claim") held.push(...(await claim()).deliveries);
              if (step === "settle") {
                const results = held.map((each) => {
                  const status = statuses.next().value as AttemptResult["status"];
                  return result(each, { status, dueAt: status === "later" ? inSeconds(1) : undefined });
                });
                await work.settle(WORKER, results, soon());
                held = [];
              }
              if (step === "lose") {
                held = [];
                await pass(50);
              }
              if (step === "seek") await store.seek(TENANT, id, { kind: "time", at: "2026-11-01T00:00:00Z" }, soon());
              if (step === "forget") await forget([`s${stored}-0`]);
              if (step === "retry") {
                const planned = (await store.planRedelivery(TENANT, id, {}, soon())).planned;
                const job = { id: nextId("rdl"), subscriptionId: id, request: {}, planned, keyId: "k" };
                await store.startRedelivery(job, soon());
                expect((await work.redeliver(1_000, soon())).taken).toBe(planned);
              }
              const { matched, ...rest } = (await ledger(id)) as NonNullable<Awaited<ReturnType<typeof ledger>>>;
              expect(Object.values(rest).reduce((sum, each) => sum + each)).toBe(matched);
            }
          },
        ),
        { numRuns: 15 },
      );
    });
  });

  describe(`circuits ${where}`, () => {
    const failing = async (count: number) => {
      const place = await start();
      const { id } = await place.create();
      await place.storeEvents(numbered(count).map((event) => eventOf(event)));
      await place.dispatch();
      return { ...place, id };
    };

    it("twenty failures in a row open the circuit, which takes a probe a minute, and a success of it closes it", async () => {
      const { work, claim, settleAll, pass, read, inSeconds, id, now } = await failing(60);
      await settleAll(await claim({ most: 19 }), { ...LATER, dueAt: inSeconds(3_600) });
      expect((await read(id)).openUntil).toBeUndefined();
      expect((await read(id)).failingSince).toBeDefined();
      await settleAll(await claim({ most: 1 }), { ...LATER, dueAt: inSeconds(3_600) });

      expect(Date.parse((await read(id)).openUntil ?? "") - now().getTime()).toBeGreaterThan(50_000);
      expect((await claim()).deliveries).toEqual([]);
      const next = Date.parse((await work.nextDueAt(50, soon())) ?? "") - now().getTime();
      expect(Math.round(next / 1_000)).toBe(60);

      await pass(61);
      const probe = await claim();
      expect([probe.deliveries.length, probe.subscriptions[0]?.isProbe]).toEqual([1, true]);
      expect((await claim({}, "b")).deliveries).toEqual([]);
      await settleAll(probe, { ...LATER, dueAt: inSeconds(3_600) });
      expect((await claim()).deliveries).toEqual([]);

      await pass(61);
      await settleAll(await claim());
      const { openUntil, failingSince } = await read(id);
      expect([openUntil, failingSince]).toEqual([undefined, undefined]);
      expect((await claim()).deliveries).toHaveLength(38);
    });

    it("a probe whose worker is lost is followed by another one", async () => {
      const { claim, settleAll, pass, inSeconds } = await failing(30);
      await settleAll(await claim({ most: 20 }), { ...LATER, dueAt: inSeconds(3_600) });
      await pass(61);
      expect((await claim({}, "lost")).deliveries).toHaveLength(1);

      await pass(61);

      expect((await claim({}, "b")).deliveries).toHaveLength(1);
    });

    it("more failures than successes open it, once there were fifty", async () => {
      const { work, claim, result, pass, read, inSeconds, id } = await failing(100);
      const settleMixed = async (most: number) => {
        const { deliveries } = await claim({ most });
        const results = deliveries.map((each, i) =>
          result(each, i % 3 === 0 ? {} : { ...LATER, dueAt: inSeconds(3_600) }),
        );
        await work.settle(WORKER, results, soon());
      };

      await settleMixed(48);
      expect((await read(id)).openUntil).toBeUndefined();
      await pass(301);
      await settleMixed(24);
      expect((await read(id)).openUntil).toBeUndefined();
      await settleMixed(28);
      expect((await read(id)).openUntil).toBeDefined();
    });

    it("a request with several events that fails is one failure", async () => {
      const { store, claim, settleAll, read, inSeconds, id } = await failing(50);
      await store.change(TENANT, id, { batch: 25 }, soon());

      await settleAll(await claim(), { ...LATER, dueAt: inSeconds(60), at: inSeconds(0) });

      expect((await read(id)).openUntil).toBeUndefined();
    });

    it("an active state closes the circuit, and makes what waits due now", async () => {
      const { store, claim, settleAll, read, inSeconds, id } = await failing(20);
      await settleAll(await claim(), { ...LATER, dueAt: inSeconds(86_400) });
      expect((await claim()).deliveries).toEqual([]);

      await store.setState(TENANT, id, "disabled", soon());
      await store.setState(TENANT, id, "active", soon());

      expect([(await read(id)).openUntil, (await read(id)).failingSince]).toEqual([undefined, undefined]);
      expect((await claim()).deliveries).toHaveLength(20);
    });

    it("a new sink is tried at once", async () => {
      const { store, claim, settleAll, read, inSeconds, id } = await failing(21);
      await settleAll(await claim({ most: 20 }), { ...LATER, dueAt: inSeconds(3_600) });

      await store.change(TENANT, id, { sink: { type: "webhook", url: "https://new.example.com" } }, soon());

      expect([(await read(id)).openUntil, (await read(id)).failingSince]).toEqual([undefined, undefined]);
      expect((await claim()).deliveries).toHaveLength(1);
    });
  });

  describe(`batches ${where}`, () => {
    /** A subscription with batches of three, and events. */
    const withBatches = async (count: number, settings: Partial<NewSubscription> = {}) => {
      const place = await start();
      const { id } = await place.create({ batch: 3, ...settings });
      await place.storeEvents(numbered(count).map((event, n) => eventOf(event, { data: { n } })));
      await place.dispatch();
      return { ...place, id, again: { ...LATER, dueAt: place.inSeconds(60) } };
    };
    /** The events of a claim by the id of their message. */
    const messagesOf = ({ deliveries }: Claim) =>
      Object.fromEntries(
        [...Map.groupBy(deliveries, ({ batchId, id }) => batchId ?? id)].map(([id, own]) => [
          id,
          eventIdsOf({ deliveries: own }).toSorted(),
        ]),
      );

    it("deliveries become batches when they are claimed first, as many in one as its subscription says", async () => {
      const { claim } = await withBatches(7);

      const messages = messagesOf(await claim());

      expect(Object.values(messages).map(({ length }) => length)).toEqual([3, 3, 1]);
      for (const id of Object.keys(messages)) expect(id).toMatch(/^dlv_[0-9a-f]{32}$/);
    });

    it("a batch that failed is the same batch with the same id when it is tried again, whatever is due beside it", async () => {
      const { claim, settleAll, storeEvents, dispatch, pass, again } = await withBatches(7);
      const first = await claim();
      const sent = messagesOf(first);
      await settleAll(first, again);
      await storeEvents([eventOf("new")]);
      await dispatch();
      await pass(61);

      const retried = messagesOf(await claim());

      expect(retried).toEqual({
        ...sent,
        ...Object.fromEntries(Object.entries(retried).filter(([, own]) => own.includes("new"))),
      });
      expect(Object.values(retried)).toContainEqual(["new"]);
    });

    it("a claim of fewer deliveries than a batch has takes the whole batch", async () => {
      const { claim, settleAll, pass, again } = await withBatches(6);
      const first = await claim();
      const sent = messagesOf(first);
      await settleAll(first, again);
      await pass(61);

      const [one, two] = [messagesOf(await claim({ most: 1 })), messagesOf(await claim({ most: 1 }))];

      expect({ ...one, ...two }).toEqual(sent);
      expect((await claim()).deliveries).toEqual([]);
    });

    it("a batch of a worker that was killed is the same batch when its lease has ended", async () => {
      const { claim, pass } = await withBatches(5);
      const sent = messagesOf(await claim({}, "killed"));
      await pass(46);

      expect(messagesOf(await claim({ most: 4 }))).toEqual(sent);
    });

    it("a batch is due as a whole when one of it is", async () => {
      const { work, claim, result, pass, inSeconds } = await withBatches(3);
      const first = await claim();
      const results = first.deliveries.map((each, at) => result(each, { ...LATER, dueAt: inSeconds(60 + 3_600 * at) }));
      await work.settle(WORKER, results, soon());
      await pass(61);

      expect(messagesOf(await claim())).toEqual(messagesOf(first));
    });

    it("a batch stays one where its subscription has none any more, and a delivery that was sent alone stays alone", async () => {
      const { store, claim, settleAll, storeEvents, dispatch, pass, again, id } = await withBatches(3);
      const batch = await claim();
      await settleAll(batch, again);
      await store.change(TENANT, id, { batch: 1 }, soon());
      await storeEvents([eventOf("alone"), eventOf("killed"), eventOf("new")]);
      await dispatch();
      const alone = await claim({ most: 1 });
      await settleAll(alone, again);
      const killed = await claim({ most: 1, leaseSeconds: 1 }, "killed");
      await store.change(TENANT, id, { batch: 3 }, soon());
      await pass(61);

      const messages = messagesOf(await claim());

      const own = (claimed: Claim) => claimed.deliveries.map((each) => [each.id, eventIdsOf({ deliveries: [each] })]);
      expect(messages).toMatchObject({ ...messagesOf(batch), ...Object.fromEntries([...own(alone), ...own(killed)]) });
      expect(Object.keys(messages)).toHaveLength(4);
    });

    it("a batch is claimed as a whole under a lower rate too, and the rate is kept on average", async () => {
      const { store, claim, settleAll, pass, again, id } = await withBatches(6, { rate: 6 });
      await settleAll(await claim(), again);
      await store.change(TENANT, id, { rate: 1 }, soon());
      await pass(61);

      expect((await claim()).deliveries).toHaveLength(3);
      await pass(1);
      expect((await claim()).deliveries).toEqual([]);
      await pass(2);
      expect((await claim()).deliveries).toHaveLength(3);
    });

    it.each([
      ["deliveries of a claim", { most: 4 }, undefined],
      ["deliveries of one subscription", { mostOfOne: 4 }, undefined],
      ["tokens of the rate", {}, 4],
    ])("batches that are due in a mix begin within the %s", async (_bound, bounds, rate) => {
      const { store, work, claim, result, pass, inSeconds, id } = await withBatches(15);
      const first = await claim();
      const sent = Object.values(messagesOf(first));
      // The first of each batch are due before the second of each.
      const results = first.deliveries.map((each) => {
        const [event = ""] = eventIdsOf({ deliveries: [each] });
        const place = sent.find((own) => own.includes(event))?.indexOf(event) ?? 0;
        return result(each, { ...LATER, dueAt: inSeconds(10 + 10 * place) });
      });
      await work.settle(WORKER, results, soon());
      if (rate !== undefined) await store.change(TENANT, id, { rate }, soon());
      await pass(61);

      const messages = Object.values(messagesOf(await claim(bounds)));

      expect(messages.map(({ length }) => length)).toEqual([3, 3]);
    });

    it("a probe is a batch where that goes again", async () => {
      const { claim, settleAll, pass, again } = await withBatches(60);
      for (let times = 0; times < 2; times += 1) await settleAll(await claim(), again);
      await pass(61);

      const probe = await claim();

      expect(probe.subscriptions[0]?.isProbe).toBe(true);
      expect(Object.values(messagesOf(probe)).map(({ length }) => length)).toEqual([3]);
      await settleAll(probe);
      expect((await claim()).deliveries.length).toBeGreaterThan(40);
    });

    it("an event of a batch that is no longer retained leaves the others together", async () => {
      const { claim, settleAll, forget, pass, again } = await withBatches(3);
      const first = await claim();
      await settleAll(first, again);
      await forget(["e1"]);
      await pass(61);

      expect(messagesOf(await claim())).toEqual({ [Object.keys(messagesOf(first))[0] ?? ""]: ["e0", "e2"] });
    });

    it("a redelivery of a whole batch keeps its id, and one of a part sends that part alone", async () => {
      const { store, work, claim, settleAll, id } = await withBatches(6);
      const first = await claim();
      const sent = messagesOf(first);
      await settleAll(first, FAILED);
      const retry = async (request: object, most = 100) => {
        const job = { id: nextId("rdl"), subscriptionId: id, request, planned: 1, keyId: "k" };
        await store.startRedelivery(job, soon());
        await work.redeliver(most, soon());
        return claim();
      };

      const part = await retry({ filter: '{"data":{"n":[1]}}' });
      expect(messagesOf(part)).toEqual({ [part.deliveries[0]?.id ?? ""]: ["e1"] });
      const rest = await retry({}, 1);

      // It takes one at a time, and the batch of that one.
      const one = Object.keys(sent).find((key) => sent[key]?.includes("e1")) ?? "";
      expect(messagesOf(rest)).toEqual({ [one]: ["e0", "e2"] });
      await work.redeliver(100, soon());
      expect(messagesOf(await claim())).toEqual(
        Object.fromEntries(Object.entries(sent).filter(([key]) => key !== one)),
      );
    });
  });

  describe(`a sink that fails for days ${where}`, () => {
    it("a sink without a success gets a notice at each share of 120 hours, once, and is disabled at the last", async () => {
      const { work, store, create, dispatch, claim, settleAll, takeNotices, storeEvents, pass, read, inSeconds, now } =
        await start();
      const { id, name } = await create();
      await storeEvents([eventOf("a"), eventOf("b")]);
      await dispatch();
      const fail = async () => {
        await settleAll(await claim({ most: 1 }), { ...LATER, dueAt: inSeconds(1) });
        return takeNotices();
      };
      expect(await fail()).toEqual([]);
      const { failingSince } = await read(id);
      const seen: unknown[] = [];
      const began = now().getTime();
      for (let hour = 5; hour <= 125; hour += 5) {
        await pass(5 * 3_600);
        for (const notice of [...(await fail()), ...(await fail())]) seen.push([hour, notice.kind, notice.percent]);
      }

      expect(seen).toEqual([
        [60, "failing", 50],
        [85, "failing", 70],
        [110, "failing", 90],
        [120, "disabled", 100],
      ]);
      expect(failingSince === undefined || Date.parse(failingSince) <= began + 1_000).toBe(true);
      expect(await read(id)).toMatchObject({ state: "disabled", disabledReason: "sink_failing", name });
      expect((await read(id)).disabledAt).toBeDefined();
      expect(await store.ledger(TENANT, id, soon())).toMatchObject({ pending: 2 });
      expect(await work.nextDueAt(50, soon())).toBeUndefined();
    });

    it("a notice names the subscription, and after a success the time begins again", async () => {
      const { create, dispatch, claim, settleAll, takeNotices, storeEvents, pass, read, inSeconds } = await start();
      const { id } = await create();
      await storeEvents([eventOf("a"), eventOf("b"), eventOf("c")]);
      await dispatch();
      const fail = async () => {
        await settleAll(await claim({ most: 1 }), { ...LATER, dueAt: inSeconds(1) });
        return takeNotices();
      };
      await fail();
      await pass(61 * 3_600);
      const { failingSince } = await read(id);
      expect(await fail()).toEqual([
        {
          id: `${id}-${failingSince}-50`,
          subscriptionId: id,
          tenant: TENANT,
          name: "orders",
          failingSince,
          percent: 50,
          kind: "failing",
          at: expect.stringMatching(/Z$/),
        },
      ]);
      await pass(2);
      await settleAll(await claim({ most: 1 }));
      expect((await read(id)).failingSince).toBeUndefined();

      await pass(2);
      expect(await fail()).toEqual([]);
      await pass(61 * 3_600);
      expect(await fail()).toMatchObject([{ percent: 50 }]);
    });

    it("a sink that fails again after days without an attempt gets each notice before it is disabled", async () => {
      const { create, dispatch, claim, settleAll, takeNotices, storeEvents, pass, read, inSeconds } = await start();
      const { id } = await create();
      await storeEvents([eventOf("a")]);
      await dispatch();
      const fail = async () => {
        await settleAll(await claim({ most: 1 }), { ...LATER, dueAt: inSeconds(1) });
        return takeNotices();
      };
      await fail();
      await pass(130 * 3_600);

      const seen: unknown[] = [];
      for (let tries = 0; tries < 4; tries += 1) {
        seen.push(...(await fail()).map(({ kind, percent }) => [kind, percent, seen.length]));
        await pass(2);
      }

      expect(seen).toEqual([50, 70, 90, 100].map((percent, at) => [at < 3 ? "failing" : "disabled", percent, at]));
      expect(await read(id)).toMatchObject({ state: "disabled", disabledReason: "sink_failing" });
    });

    it("a sink that answers that it is no more is disabled at once, and loses nothing", async () => {
      const { store, create, dispatch, claim, settleAll, takeNotices, storeEvents, read } = await start();
      const { id } = await create();
      await storeEvents([eventOf("a"), eventOf("b")]);
      await dispatch();

      expect(await settleAll(await claim({ most: 1 }), { ...FAILED, code: 410, isEnded: true })).toBe(true);

      expect(await takeNotices()).toEqual([
        {
          id: expect.stringMatching(new RegExp(`^${id}-.*Z-ended$`)),
          subscriptionId: id,
          tenant: TENANT,
          name: "orders",
          failingSince: expect.stringMatching(/Z$/),
          percent: undefined,
          kind: "disabled",
          at: expect.stringMatching(/Z$/),
        },
      ]);
      expect(await read(id)).toMatchObject({ state: "disabled", disabledReason: "sink_ended" });
      expect((await claim()).deliveries).toEqual([]);
      await store.setState(TENANT, id, "active", soon());
      expect(eventIdsOf(await claim())).toHaveLength(1);
    });

    it("a notice waits until somebody has sent it, and every call says so, after the end of its subscription too", async () => {
      const { work, store, create, dispatch, claim, settleAll, storeEvents } = await start();
      const { id } = await create();
      const other = await create();
      await storeEvents([eventOf("a")]);
      await dispatch();
      expect(await work.dispatch(1_000, soon())).toMatchObject({ hasNotices: false });
      const { deliveries } = await claim();
      const of = (subscription: string) => ({
        deliveries: deliveries.filter(({ subscriptionId }) => subscriptionId === subscription),
      });
      await settleAll(of(id), { ...FAILED, code: 410, isEnded: true });

      // The answer was lost: the results change nothing the second time.
      expect(await settleAll(of(id), { ...FAILED, code: 410, isEnded: true })).toBe(true);
      expect(await settleAll(of(other.id))).toBe(true);
      await store.remove(TENANT, id, soon());
      expect(await work.dispatch(1_000, soon())).toMatchObject({ hasNotices: true });

      const notices = await work.notices(10, soon());
      expect(notices).toMatchObject([{ subscriptionId: id, kind: "disabled" }]);
      expect(await work.notices(10, soon())).toEqual(notices);
      const ids = notices.map((each) => each.id);
      expect(await work.deleteNotices([...ids, "other"], soon())).toEqual(ids);
      expect(await work.deleteNotices(ids, soon())).toEqual([]);
      expect(await work.notices(10, soon())).toEqual([]);
      expect(await work.dispatch(1_000, soon())).toMatchObject({ hasNotices: false });
    });

    it("notices come in the order in which they were written, as many as are asked for", async () => {
      const { work, create, dispatch, claim, settleAll, storeEvents, pass } = await start();
      for (let number = 0; number < 3; number += 1) await create();
      await storeEvents([eventOf("a")]);
      await dispatch();
      const { deliveries } = await claim();
      for (const each of deliveries) {
        await settleAll({ deliveries: [each] }, { ...FAILED, code: 410, isEnded: true });
        await pass(1);
      }

      const order = (await work.notices(2, soon())).map(({ subscriptionId }) => subscriptionId);

      expect(order).toEqual(deliveries.slice(0, 2).map(({ subscriptionId }) => subscriptionId));
    });
  });

  describe(`redeliveries ${where}`, () => {
    const withFailures = async (count = 4) => {
      const place = await start();
      const { id } = await place.create();
      await place.storeEvents(numbered(count).map((event, i) => eventOf(event, { data: { n: i } })));
      await place.dispatch();
      const { deliveries } = await place.claim();
      const began = place.now().getTime();
      await place.work.settle(
        WORKER,
        deliveries.map((each, i) =>
          place.result(each, { ...FAILED, code: 400 + i, at: new Date(began - 1_000 + i).toISOString() }),
        ),
        soon(),
      );
      const retry = async (request = {}) => {
        const { planned } = await place.store.planRedelivery(TENANT, id, request, soon());
        const job = { id: nextId("rdl"), subscriptionId: id, request, planned, keyId: "keyOfRetry00" };
        const started = await place.store.startRedelivery(job, soon());
        if (started === "full") throw new Error("Too many redeliveries run.");
        return started;
      };
      return { ...place, id, deliveries, began, retry };
    };

    it.each<[string, (began: number) => object, string[]]>([
      ["nothing", () => ({}), ["e0", "e1", "e2", "e3"]],
      ["a filter", () => ({ filter: '{"data":{"n":[{"numeric":[">",1]}]}}' }), ["e2", "e3"]],
      ["codes", () => ({ codes: [400, 403, 599] }), ["e0", "e3"]],
      ["a beginning", (began) => ({ from: new Date(began - 998).toISOString() }), ["e2", "e3"]],
      ["an end", (began) => ({ to: new Date(began - 998).toISOString() }), ["e0", "e1"]],
      ["a limit", () => ({ limit: 3 }), ["e0", "e1", "e2"]],
    ])("a redelivery with %s takes what its plan says", async (_name, requestAt, expected) => {
      const { store, work, claim, id, began, retry } = await withFailures();
      const request = requestAt(began);

      const plan = await store.planRedelivery(TENANT, id, request, soon());
      expect(plan.planned).toBe(expected.length);
      expect(plan.sample.map(({ eventId }) => eventId)).toEqual(expected);
      expect((await store.planRedelivery("other", id, request, soon())).planned).toBe(0);
      const bounded = await store.planRedelivery(TENANT, id, { ...request, to: plan.until }, soon());
      expect(bounded.planned).toBe(expected.length);
      const job = await retry(request);
      expect(await work.redeliver(100, soon())).toEqual({ taken: expected.length, isAtEnd: true, failing: [] });

      expect(eventIdsOf(await claim()).toSorted()).toEqual(expected);
      expect(await store.readRedelivery(TENANT, job.id, soon())).toMatchObject({
        id: job.id,
        subscriptionId: id,
        state: "running",
        request,
        planned: expected.length,
        taken: expected.length,
      });
    });

    it("a redelivered delivery keeps its id, counts its attempts on, and begins its schedule again", async () => {
      const { store, work, claim, settleAll, id, deliveries, retry, pass, ledger } = await withFailures(2);
      const job = await retry();
      expect(job).toMatchObject({
        state: "running",
        planned: 2,
        taken: 0,
        delivered: 0,
        failed: 0,
        keyId: "keyOfRetry00",
      });
      await pass(100);
      await work.redeliver(100, soon());

      const again = await claim();

      expect(again.deliveries.map((each) => each.id).toSorted()).toEqual(deliveries.map((each) => each.id).toSorted());
      for (const each of again.deliveries) {
        expect(each).toMatchObject({ attempt: 2, scheduleAttempt: 1 });
        expect(Date.parse(each.matchedAt)).toBeGreaterThan(Date.parse(job.createdAt));
      }
      const [first, second] = again.deliveries as [ClaimedDelivery, ClaimedDelivery];
      await settleAll({ deliveries: [first] });
      expect(await store.readRedelivery(TENANT, job.id, soon())).toMatchObject({ state: "running", delivered: 1 });
      await settleAll({ deliveries: [second] }, FAILED);

      const ended = await store.readRedelivery(TENANT, job.id, soon());
      expect(ended).toMatchObject({ state: "done", taken: 2, delivered: 1, failed: 1 });
      expect(ended?.finishedAt).toBeDefined();
      expect(await ledger(id)).toEqual({ matched: 2, delivered: 1, pending: 0, failed: 1, skipped: 0 });
      expect(await work.redeliver(100, soon())).toEqual({ taken: 0, isAtEnd: true, failing: [] });
    });

    it("a redelivery takes so many at a time, and nothing that failed after its start", async () => {
      const { work, store, claim, settleAll, storeEvents, dispatch, retry, ledger, id } = await withFailures(3);
      await retry();
      await storeEvents([eventOf("later")]);
      await dispatch();
      await settleAll(await claim(), FAILED);

      expect(await work.redeliver(2, soon())).toEqual({ taken: 2, isAtEnd: false, failing: [] });
      expect(await work.redeliver(2, soon())).toEqual({ taken: 1, isAtEnd: true, failing: [] });

      expect(await ledger(id)).toMatchObject({ pending: 3, failed: 1 });
      expect(
        (await store.listDeliveries(TENANT, id, { state: "failed" }, { after: undefined, limit: 9 }, soon())).items,
      ).toMatchObject([{ eventId: "later" }]);
    });

    it("a cancelled redelivery takes nothing more, and is seen by its tenant alone", async () => {
      const { work, store, retry, ledger, id } = await withFailures(3);
      const job = await retry();
      await work.redeliver(1, soon());

      expect(await store.cancelRedelivery("other", job.id, soon())).toBeUndefined();
      expect(await store.cancelRedelivery(TENANT, job.id, soon())).toMatchObject({ state: "cancelled", taken: 1 });

      expect(await work.redeliver(10, soon())).toEqual({ taken: 0, isAtEnd: true, failing: [] });
      expect(await ledger(id)).toMatchObject({ pending: 1, failed: 2 });
      expect(await store.readRedelivery("other", job.id, soon())).toBeUndefined();
      const all = await allPages((page) => store.listRedeliveries(TENANT, id, page, soon()), 1);
      expect(all.map((each) => each.id)).toEqual([job.id]);
      const page = { after: undefined, limit: 10 };
      expect((await store.listRedeliveries("other", id, page, soon())).items).toEqual([]);
    });

    it("a redelivery that finds nothing is done", async () => {
      const { work, store, retry } = await withFailures(1);
      const job = await retry({ codes: [599] });

      expect(await work.redeliver(10, soon())).toEqual({ taken: 0, isAtEnd: true, failing: [] });

      expect(await store.readRedelivery(TENANT, job.id, soon())).toMatchObject({ state: "done", taken: 0 });
    });
  });
}
