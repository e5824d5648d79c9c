import { describe, expect, it } from "vitest";
import { toProblem } from "../../../functions/adapters/lambda/problem-documents.ts";
import type { Limits } from "../../../functions/core/access.ts";
import { createLimiter } from "../../../functions/core/limiter.ts";
import { createIngest } from "../../../functions/ingest/ingest.ts";
import { NO_REFUSALS } from "../../../functions/ingest/refusals.ts";
import { createSendEvents } from "../../../functions/ingest/protocols/events/send-events.ts";
import { limitedPrincipal } from "../../support/limited-principal.ts";
import { memoryLeaseStore } from "../../support/memory-lease-store.ts";
import { catalog } from "./catalog.ts";
import { memoryQueue, numbering, order } from "./support.ts";

/** `POST /events` of a tenant with limits; the clock stands still until `wait`. */
function server(limits: Limits, refuse: (index: number) => boolean = () => false) {
  let now = Date.parse("2026-11-29T10:00:00Z");
  const clock = () => new Date(now);
  const table = memoryLeaseStore();
  const { queue, events } = memoryQueue((_message, index) => refuse(index));
  const limiter = createLimiter({ store: table.store, clock, random: () => 0.5, onFailure: () => undefined });
  const ingest = createIngest({
    queue,
    limiter,
    refusals: NO_REFUSALS,
    numbering: numbering(),
    catalog,
    unknownTypes: "accept",
    unknownVersions: "refuse",
    retention: "400d",
    onSchemaFailure: () => undefined,
    clock,
    newId: () => "generated",
  });
  const sendEvents = createSendEvents(ingest);
  return {
    ...table,
    ids: () => events().map(({ id }) => id),
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
    send: async (body: unknown, query: { validate?: "only"; status?: "whole" } = {}) => {
      const response = await sendEvents({
        method: "POST",
        path: "/events",
        headers: { "content-type": "application/json" },
        repeatedHeaders: [],
        parameters: {},
        query: { validate: query.validate, status: query.status },
        principal: limitedPrincipal({ tenant: limits }),
        body: Buffer.from(JSON.stringify(body)),
        inflated: true,
        requestId: "r-1",
        deadline: Date.now() + 10_000,
      }).catch((error: unknown) => toProblem(error, "r-1"));
      const { status, headers = {}, metrics } = response;
      const json = JSON.parse(response.body) as {
        code?: string;
        accepted?: number;
        results?: { id: string; status: string }[];
      };
      const verdicts = json.results?.map((each) => each.status) ?? [];
      return { status, headers, metrics, json, verdicts };
    },
  };
}

const orders = (count: number, from = 0) => Array.from({ length: count }, (_, index) => order(`e-${from + index}`));
const count = (verdicts: string[], status: string) => verdicts.filter((each) => each === status).length;

describe("limits of events", () => {
  it("of 100 events with tokens for 60 the first 60 are accepted, and the others are to be sent again", async () => {
    const { send, ids, wait } = server({ eventsPerSecond: 20, burst: 60 });

    const first = await send(orders(100));

    expect(first).toMatchObject({
      status: 207,
      headers: {
        "retry-after": "2",
        "ratelimit-policy": '"tenant-events";q=20;w=1;qu="events";sluice-burst=60',
        ratelimit: '"tenant-events";r=0;t=2',
      },
      json: { accepted: 60, rejected: 40 },
      metrics: { EventsAccepted: 60, EventsRejected: 40, EventsLimited: 40 },
    });
    expect(first.verdicts).toEqual([
      ...Array.from({ length: 60 }, () => "accepted"),
      ...Array.from({ length: 40 }, () => "retry"),
    ]);
    expect(ids()).toEqual(orders(60).map(({ id }) => id));

    wait(2_000);
    expect(await send(orders(40, 60))).toMatchObject({ status: 202, json: { accepted: 40 } });
  });

  it("without any token the answer is 429 with Retry-After and the verdicts", async () => {
    const { send, ids } = server({ eventsPerSecond: 10 });
    await send(orders(10));

    expect(await send([...orders(5, 10), {}])).toMatchObject({
      status: 429,
      headers: { "retry-after": "1", ratelimit: '"tenant-events";r=0;t=1', "content-type": "application/problem+json" },
      json: {
        code: "rate_limited",
        detail: "Reached: the tenant's limit of 10 events a second. Send the events marked retry again after 1 s.",
        "violated-policies": ["tenant-events"],
      },
      verdicts: ["retry", "retry", "retry", "retry", "retry", "invalid"],
      metrics: { EventsAccepted: 0, EventsRejected: 6, EventsLimited: 5 },
    });
    expect(ids()).toHaveLength(10);
  });

  it.each([
    { sent: 9, status: 202, accepted: 9 },
    { sent: 10, status: 202, accepted: 10 },
    { sent: 11, status: 207, accepted: 10 },
  ])("of $sent events under a limit of 10 $accepted are accepted", async ({ sent, status, accepted }) => {
    const { send } = server({ eventsPerSecond: 10 });

    expect(await send(orders(sent))).toMatchObject({ status, json: { accepted } });
  });

  it("invalid events and copies take no tokens", async () => {
    const { send } = server({ eventsPerSecond: 4 });

    const mixed = await send([order("a"), {}, order("a"), order("b"), order("b", { subject: "other" }), order("c")]);

    expect(mixed.verdicts).toEqual(["accepted", "invalid", "duplicate", "accepted", "invalid", "accepted"]);
    expect(mixed.headers).not.toHaveProperty("retry-after");
    expect(await send([order("d"), order("e")])).toMatchObject({ verdicts: ["accepted", "retry"] });
  });

  it("a copy of an event that did not pass is to be sent again with it", async () => {
    const { send } = server({ eventsPerSecond: 1 });

    expect((await send([order("a"), order("b"), order("a"), order("b")])).verdicts).toEqual([
      "accepted",
      "retry",
      "duplicate",
      "retry",
    ]);
  });

  it("an event with the limit's verdict says nothing of others: its neighbours that are invalid stay invalid", async () => {
    const { send } = server({ eventsPerDay: 1 });

    expect(await send([order("a"), order("b"), 7])).toMatchObject({
      status: 207,
      verdicts: ["accepted", "retry", "invalid"],
      headers: { "retry-after": String(14 * 3_600), ratelimit: `"tenant-day";r=0;t=${14 * 3_600}` },
    });
  });

  it("?validate=only takes no tokens", async () => {
    const { send, calls } = server({ eventsPerSecond: 10 });

    const validated = await send(orders(100), { validate: "only" });

    expect(validated).toMatchObject({ status: 202, headers: {} });
    expect(calls.writes).toBe(0);
    expect(await send(orders(10))).toMatchObject({ status: 202 });
  });

  it("events whose message the queue did not confirm give their tokens back", async () => {
    let isDown = true;
    const { send } = server({ eventsPerSecond: 10 }, () => isDown);

    expect(await send(orders(10))).toMatchObject({ status: 503, json: { code: "queue_unavailable" } });
    isDown = false;

    expect(await send(orders(10))).toMatchObject({ status: 202, json: { accepted: 10 } });
  });

  it("events of the day whose message the queue did not confirm are those of all processes again", async () => {
    const { send, records } = server({ eventsPerDay: 10 }, (index) => index === 0);

    expect(await send(orders(10))).toMatchObject({ status: 503, json: { code: "queue_unavailable" } });

    expect(records.get("limit#tenant#acme")?.day?.count).toBe(0);
  });

  it("the queue is at fault where it confirmed none of the events that had tokens", async () => {
    const { send } = server({ eventsPerSecond: 10 }, () => true);

    expect(await send(orders(15))).toMatchObject({
      status: 503,
      headers: { "retry-after": "5" },
      json: { code: "queue_unavailable" },
      verdicts: Array.from({ length: 15 }, () => "retry"),
    });
  });

  it("a caller without limits of events gets no fields", async () => {
    const { send } = server({ requestsPerSecond: 1 });

    expect(await send(orders(3))).toMatchObject({ status: 202, headers: {} });
  });

  it("while the table does not answer, events are accepted up to the limit, and counted", async () => {
    const { send, setDown } = server({ eventsPerSecond: 10 });
    setDown(true);

    const answer = await send(orders(12));

    expect(count(answer.verdicts, "accepted")).toBe(10);
    expect(answer.metrics).toMatchObject({ LimitsLocal: 1, EventsLimited: 2 });
  });

  describe("with ?status=whole", () => {
    it("a limit takes all events or none, and none is a 429: a repetition of the request costs no token twice", async () => {
      const { send, ids, wait } = server({ eventsPerSecond: 20, burst: 60 });
      await send(orders(60));

      const refused = await send(orders(50, 60), { status: "whole" });

      expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "1" }, json: { code: "rate_limited" } });
      expect(count(refused.verdicts, "retry")).toBe(50);
      expect(ids()).toHaveLength(60);
      wait(1_000);
      expect(await send(orders(50, 60), { status: "whole" })).toMatchObject({ status: 202, json: { accepted: 50 } });
    });

    it.each([
      { quota: 199, status: 413 },
      { quota: 200, status: 202 },
      { quota: 201, status: 202 },
    ])("of 200 events under $quota a day the answer is $status", async ({ quota, status }) => {
      const { send } = server({ eventsPerDay: quota });

      expect(await send(orders(200), { status: "whole" })).toMatchObject({ status });
    });

    it("the answer to a request that never passes says to send fewer events, and not to come again", async () => {
      const { send, ids, records } = server({ eventsPerSecond: 1_000, eventsPerDay: 100 });

      const refused = await send([...orders(200), {}], { status: "whole" });

      expect(refused).toMatchObject({
        status: 413,
        json: {
          code: "too_many_events",
          detail:
            "The 200 events never pass whole: they are more than the tenant's limit of 100 events a day. Send at most 100 events a request.",
        },
        metrics: { EventsRejected: 201, EventsLimited: 200 },
      });
      expect([count(refused.verdicts, "retry"), count(refused.verdicts, "invalid")]).toEqual([200, 1]);
      expect(refused.headers).not.toHaveProperty("retry-after");
      expect(refused.headers).not.toHaveProperty("ratelimit");
      expect(ids()).toEqual([]);
      expect(records.get("limit#tenant#acme")?.day).toBeUndefined();
    });

    it("a request that passes tomorrow is to be sent again then, and so is one whose events do not pass whole", async () => {
      const { send } = server({ eventsPerDay: 100 });
      await send(orders(1));

      expect(await send(orders(100), { status: "whole" })).toMatchObject({
        status: 429,
        headers: { "retry-after": String(14 * 3_600) },
      });
      expect(await send(orders(200))).toMatchObject({ status: 207, json: { accepted: 99 } });
      expect(await send(orders(200))).toMatchObject({ status: 429 });
    });

    it("a request that is larger than the burst passes in the end", async () => {
      const { send, wait } = server({ eventsPerSecond: 10 });

      expect(await send(orders(100), { status: "whole" })).toMatchObject({ status: 202, json: { accepted: 100 } });
      expect(await send(orders(1), { status: "whole" })).toMatchObject({ status: 429 });
      wait(10_000);
      expect(await send(orders(5), { status: "whole" })).toMatchObject({ status: 202 });
    });
  });
});
