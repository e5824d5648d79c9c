import { beforeEach, describe, expect, it } from "vitest";
import type { AttemptResult, ClaimedDelivery } from "../../../functions/core/delivery-work.ts";
import { REDELIVERIES_MAX_RUNNING } from "../../../functions/core/subscription-limits.ts";
import { storable } from "../../support/event-samples.ts";
import { apiUnderTest, NOW } from "./api-under-test.ts";

const acme = { tenant: "acme", receivedAt: "2026-11-29T09:00:00.000Z" };
const CODES = [500, 500, 404, undefined];

let test: ReturnType<typeof apiUnderTest>;
let id: string;
/** A subscription of which four deliveries have failed: two with 500, one with 404 and one without an answer. */
beforeEach(async () => {
  test = apiUnderTest();
  ({ id } = await test.create());
  test.store(...CODES.map((_, i) => storable({ id: `e-${i}`, type: i === 0 ? "a" : "b" }, acme)));
  await test.memory.work.dispatch(1_000, 0);
  const { deliveries } = await test.memory.work.claim("w", { most: 10, mostOfOne: 10, leaseSeconds: 60 }, 0);
  await test.memory.work.settle("w", deliveries.map(failed), 0);
  test.calls.length = 0;
  test.audited.length = 0;
});

function failed({ id: deliveryId, subscriptionId, attempt, event }: ClaimedDelivery): AttemptResult {
  const code = CODES[Number((JSON.parse(event) as { id: string }).id.slice("e-".length))];
  return {
    deliveryId,
    subscriptionId,
    number: attempt,
    status: "failed",
    dueAt: undefined,
    code,
    at: NOW,
    durationMs: 12,
    error: code === undefined ? "connection refused" : `status ${code}`,
    response: code === undefined ? undefined : "no",
    isEnded: false,
  };
}

const start = async (body: object = {}) => (await test.call("startRedelivery", { id, body })).body;
const retries = async () => (await test.call("listRedeliveries", { id })).body.retries ?? [];

describe("attempts and deliveries", () => {
  it("attempts are listed with status, code, time and answer", async () => {
    const { body } = await test.call("listAttempts", { id });

    expect(body.next).toBeNull();
    expect(body.attempts?.toSorted((a, b) => (String(a["eventId"]) < String(b["eventId"]) ? -1 : 1))).toMatchObject([
      { eventId: "e-0", number: 1, status: "failed", code: 500, at: NOW, durationMs: 12, response: "no" },
      { eventId: "e-1", code: 500 },
      { eventId: "e-2", code: 404 },
      { eventId: "e-3", code: null, error: "connection refused" },
    ]);
  });

  it.each<[Record<string, string>, number]>([
    [{ code: "500" }, 2],
    [{ event: "e-2" }, 1],
    [{ status: "failed" }, 4],
    [{ status: "delivered" }, 0],
    [{ from: NOW }, 4],
    [{ to: NOW }, 0],
    [{ from: "2026-11-29T10:00:00.001Z" }, 0],
  ])("attempts are chosen by %j", async (query, count) => {
    expect((await test.call("listAttempts", { id, query })).body.attempts).toHaveLength(count);
  });

  it("a range of attempts that has no time is refused", async () => {
    expect(await test.refusal("listAttempts", { id, query: { from: NOW, to: NOW } })).toBe(
      "bad_parameter: from is not before to.",
    );
  });

  it("attempts come in parts, whose cursors belong to their conditions", async () => {
    const first = (await test.call("listAttempts", { id, query: { limit: "3" } })).body;
    const after = String(first.next);
    const second = (await test.call("listAttempts", { id, query: { after } })).body;

    expect(new Set([...(first.attempts ?? []), ...(second.attempts ?? [])].map(({ eventId }) => eventId)).size).toBe(4);
    expect(await test.refusal("listAttempts", { id, query: { after, code: "500" } })).toMatch(/^cursor_mismatch/);
    expect(await test.refusal("listDeliveries", { id, query: { after } })).toMatch(/^cursor_mismatch/);
    expect(await test.refusal("listAttempts", { id, query: { after: "12" } })).toMatch(/^bad_cursor/);
  });

  it("deliveries are chosen by their state and event", async () => {
    const of = async (query: Record<string, string>) =>
      (await test.call("listDeliveries", { id, query })).body.deliveries?.map(({ eventId }) => eventId).toSorted();

    expect(await of({ state: "failed" })).toEqual(["e-0", "e-1", "e-2", "e-3"]);
    expect(await of({ state: "pending" })).toEqual([]);
    expect(await of({ event: "e-2" })).toEqual(["e-2"]);
  });

  it("failed deliveries are grouped by code and error", async () => {
    const { body } = await test.call("groupFailures", { id });

    expect(body.groups?.map(({ code, count }) => [code, count])).toContainEqual([500, 2]);
    expect(body.groups).toHaveLength(3);
  });
});

describe("a redelivery", () => {
  it("a redelivery is planned without a start", async () => {
    const { status, body } = await test.call("startRedelivery", { id, body: { codes: [500], dryRun: true } });

    expect([status, body.state, body["planned"]]).toEqual([200, "planned", 2]);
    expect(test.calls).toEqual(["read", "planRedelivery"]);
  });

  it("a redelivery is audited before it is written, and then wakes a worker, which takes what was planned", async () => {
    const request = { filter: { exact: { type: "b" } }, codes: [500, 404], limit: 1 };

    const { status, headers, body } = await test.call("startRedelivery", { id, body: request });

    expect([status, headers]).toEqual([202, { location: `retries/${body.id}` }]);
    expect(test.calls).toEqual(["read", "listRedeliveries", "planRedelivery", "audit", "startRedelivery", "wake"]);
    expect(body).toMatchObject({ subscriptionId: id, state: "running", request });
    expect(test.audited).toMatchObject([
      { action: "subscription.retry", target: id, details: { id: body.id, codes: [500, 404], limit: 1 } },
    ]);
    expect(await test.memory.work.redeliver(10, 0)).toMatchObject({ taken: 1 });
    expect((await test.call("readRedelivery", { id, retryId: body.id })).body).toMatchObject({ id: body.id, taken: 1 });
  });

  it("a redelivery whose wake-up is not confirmed did not begin", async () => {
    test.world.confirms = false;

    expect(await test.refusal("startRedelivery", { id, body: {} })).toMatch(/^queue_unavailable: Nothing began/);
    expect(await test.memory.work.redeliver(10, 0)).toMatchObject({ taken: 0 });
  });

  it("a redelivery takes no more than its plan had, and where more match by now nothing begins", async () => {
    const { body: plan } = await test.call("startRedelivery", { id, body: { dryRun: true } });
    const { planned, until } = plan as unknown as { planned: number; until: string };

    expect(await test.refusal("startRedelivery", { id, body: { planned: planned - 1 } })).toMatch(
      /^plan_changed: 4 match now, and the plan had 3/,
    );
    expect(await retries()).toEqual([]);

    const started = await start({ planned, to: until });
    expect(started).toMatchObject({ planned, request: { limit: planned } });
    expect(await test.memory.work.redeliver(10, 0)).toMatchObject({ taken: planned });
  });

  it("a request that is sent again under its idempotency key answers the redelivery that it has started", async () => {
    const again = async (body: object, idempotencyKey: string) =>
      (await test.call("startRedelivery", { id, body, idempotencyKey })).body.id;

    const first = await again({ codes: [500] }, "a");

    expect(await again({ codes: [500] }, "a")).toBe(first);
    expect(await again({ codes: [500] }, "b")).not.toBe(first);
    expect(await retries()).toHaveLength(2);
    expect(await test.refusal("startRedelivery", { id, body: { codes: [404] }, idempotencyKey: "a" })).toMatch(
      new RegExp(`^idempotency_key_reused: .*${first}`),
    );
  });

  it("a redelivery that did not begin is begun by the same request under the same idempotency key", async () => {
    test.world.confirms = false;
    const wanted = { id, body: {}, idempotencyKey: "a" };
    expect(await test.refusal("startRedelivery", wanted)).toMatch(/^queue_unavailable/);

    test.world.confirms = true;
    const { body } = await test.call("startRedelivery", wanted);

    expect(body.state).toBe("running");
    expect(await test.memory.work.redeliver(10, 0)).toMatchObject({ taken: 4 });
  });

  it("a subscription has a bound of redeliveries that are not finished", async () => {
    for (let i = 0; i < REDELIVERIES_MAX_RUNNING; i++) await start({ limit: 1 });

    expect(await test.refusal("startRedelivery", { id, body: {} })).toMatch(
      /^too_many_redeliveries: The subscription has 10 .*cancel one with POST/,
    );
    await test.call("cancelRedelivery", { id, retryId: String((await retries())[0]?.["id"]) });
    expect((await start()).state).toBe("running");
  });

  it("a redelivery is cancelled once, and cancelling it again changes nothing", async () => {
    const retryId = (await start()).id;

    const { body } = await test.call("cancelRedelivery", { id, retryId });
    await test.call("cancelRedelivery", { id, retryId });

    expect(body).toMatchObject({ id: retryId, state: "cancelled" });
    expect(test.audited.map(({ action }) => action)).toEqual(["subscription.retry", "subscription.retry.cancel"]);
  });

  it("a redelivery that is done cannot be cancelled", async () => {
    const retryId = (await start({ codes: [418] })).id;
    await test.memory.work.redeliver(10, 0);

    expect(await test.refusal("cancelRedelivery", { id, retryId })).toMatch(/^redelivery_finished/);
  });

  it("a redelivery belongs to its subscription alone", async () => {
    const retryId = (await start()).id;
    const other = await test.create();

    expect(await test.refusal("readRedelivery", { id: other.id, retryId })).toMatch(
      /^no_such_redelivery: .*`GET \/subscriptions\/\{id\}\/retries` lists them/,
    );
    expect(await test.refusal("cancelRedelivery", { id: other.id, retryId })).toMatch(/^no_such_redelivery/);
    expect((await test.call("listRedeliveries", { id: other.id })).body.retries).toEqual([]);
    expect(await retries()).toHaveLength(1);
  });

  it.each<[string, object, RegExp]>([
    ["an unknown member", { states: ["failed"] }, /^malformed_body: .*unknown member states/],
    ["a status that is none", { codes: [99] }, /^malformed_body: .*codes\.0/],
    ["no status", { codes: [] }, /^malformed_body: .*codes/],
    ["times in the wrong order", { from: NOW, to: NOW }, /^malformed_body: .*to: is not after from/],
    ["a limit of nothing", { limit: 0 }, /^malformed_body: .*limit/],
    ["a bad filter", { filter: { like: 1 } }, /^bad_filter/],
  ])("a redelivery with %s is refused", async (_name, body, expected) => {
    expect(await test.refusal("startRedelivery", { id, body })).toMatch(expected);
    expect(test.calls).toEqual([]);
  });
});
