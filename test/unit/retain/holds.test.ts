import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../functions/core/access.ts";
import { schemas } from "../../../functions/core/answer.ts";
import { DatabaseError, RequestError } from "../../../functions/core/errors.ts";
import type { HoldRecord, Holds } from "../../../functions/core/hold.ts";
import { HOLD_BODY_MAX_BYTES, HOLD_REASON_MAX_CHARACTERS } from "../../../functions/core/hold-limits.ts";
import type { ListPart, ListReader } from "../../../functions/core/list-reader.ts";
import { createHoldEndpoints } from "../../../functions/retain/hold-endpoints.ts";
import { createHoldMatches } from "../../../functions/retain/hold-matches.ts";
import { createHoldRule } from "../../../functions/retain/holds.ts";

const NOW = "2026-12-01T10:00:00.000Z";
const HOLD = `hld_${"0".repeat(32)}`;

const sample = (changes: Partial<HoldRecord> = {}): HoldRecord => ({
  id: HOLD,
  tenant: "acme",
  state: "active",
  filter: undefined,
  reason: "a case",
  until: undefined,
  createdBy: "k",
  createdAt: NOW,
  releasedAt: undefined,
  releasedBy: undefined,
  releaseReason: undefined,
  ...changes,
});

const part = (changes: Partial<ListPart> = {}) =>
  ({ events: ['{"id":"1"}'], count: { value: 1, relation: "eq" }, ...changes }) as ListPart;

/** The endpoints over holds in memory; `order` has what happened. */
function underTest({ most = 10, list = async () => part() }: { most?: number; list?: ListReader["list"] } = {}) {
  const kept = new Map<string, HoldRecord>();
  const order: string[] = [];
  const log: Pick<AuditEntry, "action" | "target" | "details">[] = [];
  const world = { audits: true };
  const of = (tenant: string, id: string) => [kept.get(id)].find((hold) => hold?.tenant === tenant);
  const holds: Holds = {
    async make(hold) {
      order.push("make");
      if (kept.size >= most) return undefined;
      kept.set(hold.id, sample(hold));
      return sample(hold);
    },
    read: async (tenant, id) => of(tenant, id),
    list: async (tenant) => ({ items: [...kept.values()].filter((hold) => hold.tenant === tenant), next: undefined }),
    async release(tenant, id, { reason, keyId }) {
      order.push("release");
      const hold = of(tenant, id);
      if (hold !== undefined)
        kept.set(id, { ...hold, state: "released", releasedAt: NOW, releasedBy: keyId, releaseReason: reason });
      return of(tenant, id);
    },
    countActive: async () => ({ holds: kept.size, tenants: 1 }),
  };
  const clock = () => new Date(NOW);
  const rule = createHoldRule({
    holds,
    audit: {
      append: async (entry) => {
        if (!world.audits) throw new Error("the audit log is down");
        order.push("audit");
        log.push({ action: entry.action, target: entry.target, details: entry.details });
        return entry as AuditEntry;
      },
    },
    clock,
    newId: () => HOLD,
  });
  const endpoints = createHoldEndpoints({
    holds: rule,
    matchesOf: createHoldMatches({ reader: { list }, clock }),
    clock,
  });
  const request = (body: string, { tenant = "acme", query = {}, id = HOLD } = {}) =>
    ({
      body: Buffer.from(body),
      headers: { "content-type": "application/json" },
      query,
      parameters: { id },
      principal: { tenant, keyId: "k" },
      requestId: "r",
      deadline: Date.parse(NOW) + 29_000,
    }) as never;
  return { endpoints, request, kept, log, order, world };
}

const bodyOf = ({ body }: { body?: unknown }) => JSON.parse(String(body)) as Record<string, unknown>;
const codeOf = (of: Promise<unknown>) =>
  of.then(
    () => "none",
    (error: unknown) => (error instanceof RequestError ? `${error.code}: ${error.message}` : String(error)),
  );

describe("a legal hold", () => {
  it("is made behind its entry in the audit log, and the answer shows how many events match", async () => {
    const { endpoints, request, log, order } = underTest();
    const filter = '{"data":{"n":[12345678901234567890]}}';

    const answer = await endpoints.createHold(
      request(`{"filter":${filter},"reason":" case 7 ","until":"2027-01-01T00:00:00+01:00"}`),
    );

    expect(answer).toMatchObject({ status: 201, headers: { location: `holds/${HOLD}` } });
    expect(answer.body).toContain(`"filter":${filter}`);
    expect(bodyOf(answer)).toMatchObject({
      state: "active",
      reason: "case 7",
      until: "2026-12-31T23:00:00.000000Z",
      matches: { count: 1, complete: true, events: [{ id: "1" }] },
    });
    expect(bodyOf(answer)).not.toHaveProperty("tenant");
    expect(schemas.MadeHold.safeParse(bodyOf(answer)).error).toBeUndefined();
    expect(order).toEqual(["audit", "make"]);
    expect(log).toEqual([
      {
        action: "hold.create",
        target: HOLD,
        details: { filter, reason: "case 7", until: "2026-12-31T23:00:00.000000Z" },
      },
    ]);
  });

  it("is not made, and not released, where the audit log does not answer", async () => {
    const { endpoints, request, kept, world } = underTest();
    world.audits = false;
    await expect(endpoints.createHold(request('{"reason":"r"}'))).rejects.toThrow("the audit log is down");
    expect(kept.size).toBe(0);

    kept.set(HOLD, sample());
    await expect(endpoints.releaseHold(request('{"reason":"r"}'))).rejects.toThrow("the audit log is down");
    expect(kept.get(HOLD)?.state).toBe("active");
  });

  it.each([
    [
      "it takes long",
      part({ count: { value: 7, relation: "gte" }, events: [] }),
      { count: 7, complete: false, events: [] },
    ],
    ["the database does not answer", undefined, { count: 0, complete: false, events: [] }],
  ])("is made also where the events that match cannot be counted, because %s", async (_why, found, matches) => {
    const list = async () => {
      if (found === undefined) throw new DatabaseError({ disposition: "retry", reason: "down", detail: "" });
      return found;
    };
    const { endpoints, request, kept } = underTest({ list });

    expect(bodyOf(await endpoints.createHold(request('{"reason":"r"}')))).toMatchObject({ matches });
    expect(kept.size).toBe(1);
  });

  it.each([
    ['{"filter":{"exact":{"subject":"s"}}}', /^malformed_body: .*reason/],
    ['{"reason":"  "}', /^malformed_body: .*reason/],
    [JSON.stringify({ reason: "r".repeat(HOLD_REASON_MAX_CHARACTERS + 1) }), /^malformed_body: .*reason/],
    ['{"reason":"a\\u0000b"}', /^malformed_body: .*reason: has a character/],
    ['{"reason":"r","until":"tomorrow"}', /^malformed_body: .*until/],
    ['{"reason":"r","until":"2026-12-01T10:00:00Z"}', /^malformed_body: .*until: is over already/],
    ['{"reason":"r","for":"x"}', /^malformed_body: .*for/],
    ['{"reason":"r","filter":{"exactly":{}}}', /^bad_filter/],
    [JSON.stringify({ reason: "r", filter: "x".repeat(HOLD_BODY_MAX_BYTES) }), /^body_too_large/],
  ])("a body such as %.60s is refused and leaves nothing", async (body, code) => {
    const { endpoints, request, order } = underTest();

    expect(await codeOf(endpoints.createHold(request(body)))).toMatch(code);
    expect(order).toEqual([]);
  });

  it("is of a tenant, which a key of the installation has to name", async () => {
    const { endpoints, request, order } = underTest();

    expect(await codeOf(endpoints.createHold(request('{"reason":"r"}', { tenant: "*" })))).toMatch(/^tenant_required/);
    expect(order).toEqual([]);
  });

  it("is refused where the tenant has as many as it may have", async () => {
    const { endpoints, request } = underTest({ most: 0 });

    expect(await codeOf(endpoints.createHold(request('{"reason":"r"}')))).toMatch(/^too_many_holds/);
  });

  it("is released with a reason, once; one that was released or has ended stays as it is", async () => {
    const { endpoints, request, kept, log, order } = underTest();
    kept.set(HOLD, sample());

    const first = bodyOf(await endpoints.releaseHold(request('{"reason":"closed"}')));
    const second = bodyOf(await endpoints.releaseHold(request('{"reason":"again"}')));

    expect(first).toMatchObject({ state: "released", releaseReason: "closed", releasedBy: "k" });
    expect(second).toEqual(first);
    expect(schemas.Hold.safeParse(first).error).toBeUndefined();
    expect(log).toEqual([{ action: "hold.release", target: HOLD, details: { reason: "closed" } }]);
    expect(order).toEqual(["audit", "release"]);
    kept.set(HOLD, sample({ state: "ended", until: NOW }));
    expect(bodyOf(await endpoints.releaseHold(request('{"reason":"late"}')))).toMatchObject({ state: "ended" });
    expect(log).toHaveLength(1);
    expect(await codeOf(endpoints.releaseHold(request("{}")))).toMatch(/^malformed_body: .*reason/);
  });

  it("of another tenant is as an absent one", async () => {
    const { endpoints, request, kept } = underTest();
    kept.set(HOLD, sample());

    for (const of of [{ tenant: "other" }, { id: `hld_${"1".repeat(32)}` }]) {
      expect(await codeOf(endpoints.readHold(request("", of)))).toMatch(/^no_such_hold/);
      expect(await codeOf(endpoints.releaseHold(request('{"reason":"r"}', of)))).toMatch(/^no_such_hold/);
    }
    expect(bodyOf(await endpoints.listHolds(request("", { tenant: "other" })))).toEqual({ holds: [] });
    expect(bodyOf(await endpoints.listHolds(request("")))).toMatchObject({ holds: [{ id: HOLD }] });
  });
});
