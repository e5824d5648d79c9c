import { beforeEach, describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import {
  MATCHES_MAX,
  MATCHES_MS,
  SECRET_OVERLAP_DEFAULT_HOURS,
  SUBSCRIPTIONS_MAX,
} from "../../../functions/core/subscription-limits.ts";
import { storable } from "../../support/event-samples.ts";
import { apiUnderTest, type Name, NOW, outage, secretOf, URL_OF_SINK } from "./api-under-test.ts";

const acme = { tenant: "acme", receivedAt: "2026-11-29T09:00:00.000Z" };
const order = (id: string, data: unknown = {}) => storable({ id, type: "com.example.order", data }, acme);
const webhook = { type: "webhook", url: URL_OF_SINK };
const UNKNOWN = `sub_${"f".repeat(32)}`;

let test: ReturnType<typeof apiUnderTest>;
beforeEach(() => {
  test = apiUnderTest();
});

const dispatched = async () => {
  await test.memory.work.dispatch(1_000, 0);
  return test.memory.deliveries().map(({ eventId }) => eventId);
};

describe("a new subscription", () => {
  const body = { name: "n", sink: webhook };

  it("a new subscription is answered with its secret after its sink was checked, its row written, the mark set and a worker woken", async () => {
    const answer = await test.call("createSubscription", {
      body: { name: "orders", filter: { exact: { type: "a" } }, sink: webhook },
    });

    const { id } = answer.body;
    expect(answer.status).toBe(201);
    expect(answer.headers).toEqual({ "cache-control": "no-store", location: `subscriptions/${id}` });
    expect(test.calls).toEqual(["count", "check", "list of events", "audit", "create", "mark", "wake"]);
    expect(answer.body).toMatchObject({
      id: expect.stringMatching(/^sub_[0-9a-f]{32}$/) as string,
      name: "orders",
      secret: secretOf(1),
      publicKey: "whpk_1",
      filter: { exact: { type: "a" } },
      sink: webhook,
      order: "none",
      schedule: "standard",
      batch: 1,
      timeoutMs: 15_000,
      state: "active",
    });
    expect(test.wakes).toEqual([{}]);
  });

  it("a new subscription gets every event that is stored after the answer, and none from before it", async () => {
    test.store(order("before"));
    await test.create();
    test.store(order("after"));

    expect(await dispatched()).toEqual(["after"]);
  });

  it.each<[string, (world: (typeof test)["world"]) => void, RegExp]>([
    ["the mark cannot be set", (world) => void (world.markFails = new AccessError("down")), /^AccessError/],
    [
      "the queue does not confirm the wake-up",
      (world) => void (world.confirms = false),
      /^queue_unavailable: Nothing was made/,
    ],
    ["the audit log does not answer", (world) => void (world.auditFails = new AccessError("down")), /^AccessError/],
  ])("a new subscription is not there where %s", async (_name, fail, expected) => {
    fail(test.world);

    expect(await test.refusal("createSubscription", { body })).toMatch(expected);
    expect(await test.memory.store.count("acme", 0)).toBe(0);
  });

  it("each new subscription sets another mark, so that a worker that saw none does not take it away", async () => {
    await test.create();
    await test.create();

    expect(new Set(test.tokens).size).toBe(2);
  });

  it("a new subscription is refused where its sink is, with the reason", async () => {
    test.world.fault = "url: leads to 10.0.0.1, which is no public address";

    expect(await test.refusal("createSubscription", { body })).toBe(
      "bad_sink: sink: url: leads to 10.0.0.1, which is no public address.",
    );
    expect(test.calls).not.toContain("create");
  });

  it("a tenant has as many subscriptions as it may have, and no more", async () => {
    for (let i = 1; i < SUBSCRIPTIONS_MAX; i++) await test.create();
    const last = await test.create();

    expect(await test.refusal("createSubscription", { body })).toMatch(
      /^too_many_subscriptions: The tenant has 100 subscriptions, and may have 100\. Delete one/,
    );
    // Another request may have been the last one meanwhile.
    test.world.instead = { count: async () => SUBSCRIPTIONS_MAX - 1 };
    expect(await test.refusal("createSubscription", { body })).toMatch(/^too_many_subscriptions/);
    test.world.instead = {};
    await test.call("deleteSubscription", { id: last.id });
    expect((await test.create()).state).toBe("active");
  });

  it("a new subscription has a secret only where its sink is a webhook", async () => {
    const made = await test.create({ sink: { type: "slack", url: "https://hooks.example.com/services/T0/B0/token" } });

    expect([made.secret, made.publicKey]).toEqual([undefined, undefined]);
  });

  it("a subscription gets the types and sources of the key that makes it", async () => {
    await test.create({}, { types: ["com.example.*"], sources: ["/shop"] });
    test.store(
      storable({ id: "1", type: "com.example.a", source: "/shop" }, acme),
      storable({ id: "2", type: "com.other", source: "/shop" }, acme),
      storable({ id: "3", type: "com.example.a", source: "/other" }, acme),
    );

    expect(await dispatched()).toEqual(["1"]);
  });

  it("a filter keeps the digits of its numbers", async () => {
    const filter = `{"data":{"n":[{"numeric":["=",12345678901234567890.5]}]}}`;

    const { text } = await test.call("createSubscription", {
      body: `{"name":"n","sink":{"type":"webhook","url":"${URL_OF_SINK}"},"filter":${filter}}`,
    });

    expect(text).toContain(filter);
  });
});

describe("the matches of a new subscription", () => {
  const filter = { exact: { type: "com.example.order" } };
  const matchesOf = async (changes: object = {}, principal = {}) =>
    (await test.create(changes, principal)).matches as { count: number; complete: boolean; events: { id: string }[] };

  it("matches are the events of the last day that match: their number, and the newest of them", async () => {
    const old = { tenant: "acme", receivedAt: "2026-11-28T09:59:59.000Z" };
    const ids = Array.from({ length: MATCHES_MAX + 2 }, (_, i) => `o-${i}`);
    test.store(storable({ id: "old", type: "com.example.order" }, old), storable({ id: "other", type: "other" }, acme));
    test.store(...ids.map((id) => order(id)));

    const matches = await matchesOf({ filter });

    expect(matches).toMatchObject({ count: MATCHES_MAX + 2, complete: true });
    expect(matches.events.map(({ id }) => id)).toEqual(ids.toReversed().slice(0, MATCHES_MAX));
  });

  it("matches are events that the key may read", async () => {
    test.store(order("o-1"), storable({ id: "s", type: "secret" }, acme));

    expect(await matchesOf({}, { types: ["com.example.*"] })).toMatchObject({ count: 1, events: [{ id: "o-1" }] });
  });

  it("matches say that there may be more where the bound of their count is reached", async () => {
    test.world.countUpTo = 2;
    test.store(order("1"), order("2"), order("3"));

    expect(await matchesOf({ filter })).toMatchObject({ count: 2, complete: false });
  });

  it("no match at all is a warning", async () => {
    const { matches, warning } = await test.create({ filter });

    expect(matches).toEqual({ count: 0, complete: true, events: [] });
    expect(warning).toMatch(/^No event of the last day matches\. POST \/subscriptions\/test/);
    test.store(order("1"));
    expect((await test.create({ filter })).warning).toBeUndefined();
  });

  it("a database that does not list the matches in time makes them incomplete, and the subscription is made", async () => {
    test.world.listFails = outage();

    const { state, matches, warning } = await test.create({ filter });

    expect([state, matches, warning]).toEqual(["active", { count: 0, complete: false, events: [] }, undefined]);
  });

  it("matches are looked for in a bounded time", async () => {
    await test.create();

    expect(test.scans.map(({ scan }) => scan.budgetMs)).toEqual([MATCHES_MS]);
    expect(Number(test.scans[0]?.deadline) - Date.parse(NOW)).toBeLessThanOrEqual(MATCHES_MS + 2_000);
  });
});

describe("the beginning of a subscription", () => {
  const begin = async (from: string, more: object = {}) => {
    await test.create({ from, ...more });
    return dispatched();
  };

  it("a subscription may begin at a time, from which on received events count", async () => {
    test.store(storable({ id: "old" }, { tenant: "acme", receivedAt: "2026-11-20T00:00:00.000Z" }));
    test.store(order("new"));

    expect(await begin("2026-11-28T00:00:00+01:00")).toEqual(["new"]);
  });

  it("a subscription may begin at a cursor of the feed, behind what was read with it", async () => {
    test.store(order("read"));
    const cursor = await test.feedCursor(test.memory.place());
    test.store(order("unread"));

    expect(await begin(cursor)).toEqual(["unread"]);
  });

  it("a subscription may begin at a cursor of the feed that was read with the same filter", async () => {
    test.store(order("read"));
    const filter = { exact: { type: "com.example.order" } };
    const cursor = await test.feedCursor(test.memory.place(), filter);
    test.store(order("unread"));

    expect(await begin(cursor, { filter })).toEqual(["unread"]);
  });

  it.each<[string, (of: typeof test) => Promise<string>, RegExp]>([
    [
      "a cursor of another filter",
      (of) => of.feedCursor(of.memory.place(), { exact: { type: "b" } }),
      /^cursor_mismatch: from: .*without a filter/,
    ],
    [
      "a cursor of another tenant",
      (of) => of.feedCursor(of.memory.place(), null, { tenant: "other" }),
      /^cursor_mismatch/,
    ],
    [
      "a cursor of a key with other types",
      (of) => of.feedCursor(of.memory.place(), null, { types: ["a"] }),
      /^cursor_mismatch/,
    ],
    [
      "a cursor of another database",
      (of) => of.feedCursor({ ...of.memory.place(), incarnation: "1".repeat(32) }),
      /^cursor_expired: from: /,
    ],
    ["a cursor that was changed", async (of) => `${await of.feedCursor(of.memory.place())}A`, /^bad_cursor/],
    ["a word", async () => "last week", /^malformed_body: .*from: is neither `now`, nor an instant/],
    ["a time in the future", async () => "2026-11-29T10:00:01Z", /^malformed_body: .*from: is in the future/],
    ["a day that does not exist", async () => "2026-02-30T00:00:00Z", /^malformed_body: .*from: is neither/],
  ])("%s is no beginning, and the answer says what to send", async (_name, from, expected) => {
    const body = { name: "n", sink: webhook, from: await from(test) };

    expect(await test.refusal("createSubscription", { body })).toMatch(expected);
    expect(await test.memory.store.count("acme", 0)).toBe(0);
  });
});

describe("secrets", () => {
  const sinks = [
    { ...webhook, url: `${URL_OF_SINK}?token=query-token`, headers: { Authorization: "Bearer header-token" } },
    { type: "slack", url: "https://hooks.slack.com/services/T000/B000/slack-token" },
  ];

  it.each(sinks)("the secrets of a sink of type $type are in no answer and not in the audit log", async (sink) => {
    const { text, body } = await test.call("createSubscription", { body: { name: "n", sink } });
    const { id } = body;
    const texts = [
      text,
      (await test.call("changeSubscription", { id, body: { sink } })).text,
      (await test.call("readSubscription", { id })).text,
      (await test.call("listSubscriptions")).text,
      JSON.stringify(test.audited),
    ];

    for (const each of texts) {
      expect(each).not.toMatch(/token|T000/);
      expect(each).toContain("***");
    }
    expect(test.checked).toEqual([sink, sink]);
  });

  it("the secret that signs is in the answers of creation and rotation alone", async () => {
    const { id, secret } = await test.create();
    const rotated = await test.call("rotateSecret", { id });

    expect([secret, rotated.body.secret, rotated.body.publicKey]).toEqual([secretOf(1), secretOf(2), "whpk_2"]);
    expect(rotated.headers).toEqual({ "cache-control": "no-store" });
    const others = [
      (await test.call("readSubscription", { id })).text,
      (await test.call("listSubscriptions")).text,
      (await test.call("disableSubscription", { id })).text,
      (await test.call("enableSubscription", { id })).text,
      (await test.call("seekSubscription", { id, body: { from: "now" } })).text,
      JSON.stringify(test.audited),
    ];
    for (const text of others) expect(text).not.toMatch(/whsec_|whpk_|sealed/);
  });

  it.each([
    [SECRET_OVERLAP_DEFAULT_HOURS, undefined],
    [0, { overlapHours: 0 }],
    [168, { overlapHours: 168 }],
  ])("the old secret signs for %i more hours where the body is %j", async (hours, body) => {
    const { id } = await test.create();
    test.store(order("1"));
    await test.memory.work.dispatch(1_000, 0);

    await test.call("rotateSecret", { id, body });

    const numbersAfter = async (milliseconds: number) => {
      test.advance(milliseconds);
      const claim = await test.memory.work.claim("w", { most: 1, mostOfOne: 1, leaseSeconds: 1 }, 0);
      return claim.subscriptions[0]?.secrets.map(({ number }) => number);
    };
    if (hours > 0) expect(await numbersAfter(hours * 3_600_000 - 2_000)).toEqual([2, 1]);
    expect(await numbersAfter(2_000)).toEqual([2]);
    const details = { overlapHours: hours };
    expect(test.audited.at(-1)).toMatchObject({ action: "subscription.rotate", target: id, details });
  });

  it.each([{ overlapHours: -1 }, { overlapHours: 169 }, { overlap: 1 }])("%j rotates no secret", async (body) => {
    const { id } = await test.create();

    expect(await test.refusal("rotateSecret", { id, body })).toMatch(/^malformed_body: .*overlap/);
  });

  it("a rotation that would end a secret in use is refused, and says until when", async () => {
    const { id } = await test.create();
    for (const overlapHours of [5, 24]) await test.call("rotateSecret", { id, body: { overlapHours } });

    expect(await test.refusal("rotateSecret", { id })).toMatch(
      /^too_many_secrets: 3 secrets sign, .* the first one ends at 20.*Z\. Rotate then, or send "overlapHours": 0/,
    );
    expect((await test.call("rotateSecret", { id, body: { overlapHours: 0 } })).status).toBe(200);
  });

  it("an enabling that ends too late wakes workers for what it has let go", async () => {
    const { id } = await test.create();
    test.world.instead = { setState: () => Promise.reject(outage()) };
    test.wakes.length = 0;

    await test.refusal("enableSubscription", { id });

    expect(test.wakes).toHaveLength(1);
  });

  it("a sink that is not signed has no secret to rotate", async () => {
    const { id } = await test.create({ sink: sinks[1] });

    expect(await test.refusal("rotateSecret", { id })).toMatch(/^sink_unsigned: Only webhooks are signed/);
  });
});

describe("the change of a subscription", () => {
  it("a change sets the members that are given, takes away what is null, and is audited before", async () => {
    const { id } = await test.create({ filter: { exact: { type: "a" } }, rate: 5, order: "subject" });
    test.calls.length = 0;

    const { body } = await test.call("changeSubscription", { id, body: { name: "other", filter: null, rate: null } });

    expect(body).toMatchObject({ id, name: "other", order: "subject" });
    expect([body["filter"], body["rate"]]).toEqual([undefined, undefined]);
    expect(test.calls).toEqual(["read", "audit", "change", "mark", "wake"]);
    const details = { name: "other", filter: null, rate: null };
    expect(test.audited.at(-1)).toMatchObject({ action: "subscription.change", target: id, details });
  });

  it("another sink is checked, and the old one stays where it is refused", async () => {
    const { id } = await test.create();
    test.world.fault = "url: has no address";
    const sink = { ...webhook, url: "https://b.example" };

    expect(await test.refusal("changeSubscription", { id, body: { sink } })).toBe(
      "bad_sink: sink: url: has no address.",
    );
    expect((await test.call("readSubscription", { id })).body["sink"]).toEqual(webhook);
  });

  it.each<[string, object, object, RegExp]>([
    ["nothing", {}, {}, /^malformed_body: .*it changes nothing/],
    ["its beginning", {}, { from: "now" }, /^malformed_body: .*unknown member from/],
    [
      "the type of its sink",
      {},
      { sink: { type: "email", to: ["a@b.example"] } },
      /^bad_sink: .*cannot become one of type email/,
    ],
    ["its batch, beside its order", { order: "subject" }, { batch: 2 }, /^malformed_body: .*order `subject`/],
    ["its order, beside its batch", { batch: 2 }, { order: "subject" }, /^malformed_body: .*order `subject`/],
    ["its filter to a bad one", {}, { filter: { like: 1 } }, /^bad_filter/],
    ["its name to null", {}, { name: null }, /^malformed_body: .*name/],
  ])("a change of %s is refused", async (_name, made, body, expected) => {
    const { id } = await test.create(made);

    expect(await test.refusal("changeSubscription", { id, body })).toMatch(expected);
    expect(test.calls).not.toContain("change");
  });

  it("order and batch may change together", async () => {
    const { id } = await test.create({ batch: 2 });

    expect((await test.call("changeSubscription", { id, body: { order: "subject", batch: 1 } })).status).toBe(200);
  });
});

describe("the states of a subscription", () => {
  it("a disabled subscription delivers nothing and loses nothing, and goes on when it is enabled", async () => {
    const { id } = await test.create();
    const disabled = (await test.call("disableSubscription", { id })).body;
    expect(disabled).toMatchObject({ state: "disabled", disabledReason: "requested" });
    test.store(order("1"));
    expect(await dispatched()).toEqual([]);
    test.calls.length = 0;

    const { body } = await test.call("enableSubscription", { id });

    expect([body.state, body["disabledReason"]]).toEqual(["active", undefined]);
    expect(test.calls).toEqual(["read", "audit", "setState", "mark", "wake"]);
    expect(await dispatched()).toEqual(["1"]);
  });

  it("disabling a subscription again changes nothing, and the audit log has it once", async () => {
    const { id } = await test.create();
    await test.call("disableSubscription", { id });
    await test.call("disableSubscription", { id });

    expect(test.audited.filter(({ action }) => action === "subscription.disable")).toHaveLength(1);
  });

  it.each([
    [{ order: "none" }, ["mark", "wake"]],
    [{ sink: webhook }, ["mark", "wake"]],
    [{ name: "other", schedule: "doubling", batch: 2, timeoutMs: 1_000 }, []],
  ])("a change to %j wakes a worker where it may let go what waits", async (body, expected) => {
    const { id } = await test.create();
    test.calls.length = 0;

    await test.call("changeSubscription", { id, body });

    expect(test.calls.filter((name) => name === "mark" || name === "wake")).toEqual(expected);
  });

  it("a change of a disabled subscription wakes nobody", async () => {
    const { id } = await test.create();
    await test.call("disableSubscription", { id });
    test.calls.length = 0;

    await test.call("changeSubscription", { id, body: { order: "none" } });

    expect(test.calls).toEqual(["read", "audit", "change"]);
  });

  it("an enabled subscription whose wake-up is not confirmed says that it is changed, and to send the request again", async () => {
    const { id } = await test.create();
    test.world.confirms = false;

    expect(await test.refusal("enableSubscription", { id })).toMatch(/^queue_unavailable: It is changed.* again/);
  });

  it("a deleted subscription is in no list, and nothing of it is pending", async () => {
    const { id } = await test.create();
    test.store(order("1"));
    await test.memory.work.dispatch(1_000, 0);

    const { status, text } = await test.call("deleteSubscription", { id });

    expect([status, text]).toEqual([204, ""]);
    expect((await test.call("listSubscriptions")).body).toEqual({ subscriptions: [], next: null });
    expect(test.memory.deliveries()).toEqual([]);
    expect(test.audited.at(-1)).toMatchObject({ action: "subscription.delete", details: { name: "orders" } });
  });

  it("a subscription has a ledger of what became of its events", async () => {
    const { id } = await test.create();
    test.store(order("1"), order("2"));
    await test.memory.work.dispatch(1_000, 0);

    const { ledger } = (await test.call("readSubscription", { id })).body;

    expect(ledger).toEqual({ matched: 2, delivered: 0, pending: 2, failed: 0, skipped: 0 });
  });
});

describe("a seek", () => {
  it("a seek delivers what matched already again, under other ids, and wakes a worker", async () => {
    const { id } = await test.create();
    test.store(order("1"));
    await test.memory.work.dispatch(1_000, 0);
    test.calls.length = 0;

    await test.call("seekSubscription", { id, body: { from: "2026-11-29T00:00:00Z" } });

    expect(test.calls).toEqual(["read", "audit", "seek", "mark", "wake"]);
    expect(await dispatched()).toEqual(["1", "1"]);
    expect(new Set(test.memory.deliveries().map((each) => each.id)).size).toBe(2);
  });

  it("a seek of a disabled subscription wakes nobody", async () => {
    const { id } = await test.create();
    await test.call("disableSubscription", { id });
    const wakes = test.wakes.length;

    await test.call("seekSubscription", { id, body: { from: "now" } });

    expect(test.wakes).toHaveLength(wakes);
  });

  it("a seek needs a place, and one that can be followed", async () => {
    const { id } = await test.create();
    const from = await test.feedCursor({ ...test.memory.place(), incarnation: "2".repeat(32) });

    expect(await test.refusal("seekSubscription", { id, body: { from } })).toMatch(/^cursor_expired/);
    expect(await test.refusal("seekSubscription", { id, body: {} })).toMatch(/^malformed_body: .*from/);
  });
});

describe("the subscriptions that a key sees", () => {
  it("a key sees the subscriptions of its tenant alone", async () => {
    const { id } = await test.create();
    const other = { principal: { tenant: "other" } };

    expect((await test.call("listSubscriptions", other)).body.subscriptions).toEqual([]);
    expect(await test.refusal("readSubscription", { id, ...other })).toMatch(/^no_such_subscription/);
  });

  it("a key sees no subscription that gets other events than it may read: it could send those to a sink of its own", async () => {
    const principal = { types: ["com.example.order.*"] };
    const all = await test.create();
    const wide = await test.create({}, { types: ["com.example.*"] });
    const own = await test.create({}, { types: ["com.example.order.placed"] });

    const { body } = await test.call("listSubscriptions", { principal });

    expect(body.subscriptions?.map(({ id }) => id)).toEqual([own.id]);
    const bodies: Partial<Record<Name, object>> = { changeSubscription: { sink: webhook }, startRedelivery: {} };
    for (const name of ["readSubscription", "changeSubscription", "rotateSecret", "listAttempts"] as const) {
      for (const { id } of [all, wide]) {
        expect(await test.refusal(name, { id, principal, body: bodies[name] })).toMatch(/^no_such_subscription/);
      }
    }
  });

  it.each<[Name, object]>([
    ["readSubscription", {}],
    ["changeSubscription", { body: { name: "n" } }],
    ["deleteSubscription", {}],
    ["seekSubscription", { body: { from: "now" } }],
    ["disableSubscription", {}],
    ["enableSubscription", {}],
    ["rotateSecret", {}],
    ["listAttempts", {}],
    ["listDeliveries", {}],
    ["groupFailures", {}],
    ["startRedelivery", { body: {} }],
    ["startRedelivery", { body: { dryRun: true } }],
    ["listRedeliveries", {}],
    ["readRedelivery", { retryId: `rdl_${"0".repeat(32)}` }],
    ["cancelRedelivery", { retryId: `rdl_${"0".repeat(32)}` }],
    ["testSubscription", { body: { subscription: UNKNOWN, event: { type: "a" } } }],
  ])("%s refuses a subscription that the key does not see, and writes nothing (%j)", async (name, given) => {
    expect(await test.refusal(name, { id: UNKNOWN, ...given })).toMatch(
      /^no_such_subscription: .*`GET \/subscriptions` lists them/,
    );
    expect(test.calls).toEqual(["read"]);
  });

  it("a list of subscriptions comes in parts, each with a signed cursor of the rest", async () => {
    const made = [await test.create(), await test.create(), await test.create()].map(({ id }) => id);

    const first = (await test.call("listSubscriptions", { query: { limit: "2" } })).body;
    const query = { after: String(first.next) };
    const second = (await test.call("listSubscriptions", { query })).body;

    const listed = [...(first.subscriptions ?? []), ...(second.subscriptions ?? [])].map(({ id }) => id);
    expect(listed.toSorted()).toEqual(made);
    expect(second.next).toBeNull();
    expect(await test.refusal("listSubscriptions", { query, principal: { tenant: "b" } })).toMatch(/^cursor_mismatch/);
    expect(await test.refusal("listSubscriptions", { query: { after: made[0] ?? "" } })).toMatch(/^bad_cursor/);
  });
});
