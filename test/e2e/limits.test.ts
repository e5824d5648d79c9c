import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target?.close());

const events = (count: number) =>
  JSON.stringify(
    Array.from({ length: count }, () => ({
      id: randomUUID(),
      source: target.source,
      type: "com.example.limited",
      data: 1,
    })),
  );

/** A tenant with these limits, and a key of it. */
async function limitedKey(limits: object): Promise<string> {
  const tenant = `limits-${randomUUID().slice(0, 8)}`;
  const { status, text } = await target.call(`/tenants/${tenant}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${target.installationKey}`, "content-type": "application/json" },
    body: JSON.stringify({ limits }),
  });
  if (status >= 300) throw new Error(`The tenant was not made: ${status} ${text}`);
  return (await target.createKey({ tenant, role: "admin" })).key;
}

const send = (key: string, body: string, query = "") =>
  target.call(`/events${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body,
  });

const statuses = (text: string) =>
  Map.groupBy((JSON.parse(text) as { results: { status: string }[] }).results, ({ status }) => status);

describe("limits of a tenant", () => {
  it("let the first events of a request pass and mark the others retry, with the time to wait", async () => {
    // A day's limit gives nothing back within the test, however long that takes.
    const key = await limitedKey({ eventsPerDay: 10 });

    const partly = await send(key, events(25));
    const none = await send(key, events(1));

    expect(partly.status).toBe(207);
    const of = statuses(partly.text);
    expect([of.get("accepted")?.length, of.get("retry")?.length]).toEqual([10, 15]);
    expect(partly.headers.get("ratelimit")).toMatch(/;r=0/);
    expect(partly.headers.get("ratelimit-policy")).toMatch(/q=10/);
    expect(Number(partly.headers.get("retry-after"))).toBeGreaterThan(0);
    expect({ status: none.status, problem: JSON.parse(none.text) as object }).toMatchObject({
      status: 429,
      problem: { code: "rate_limited" },
    });
    expect(Number(none.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("take no tokens for events that are invalid, copies, or only validated", async () => {
    const key = await limitedKey({ eventsPerDay: 2 });
    const copy = { id: randomUUID(), source: target.source, type: "com.example.limited", data: 1 };

    expect((await send(key, events(50), "?validate=only")).status).toBe(202);
    expect((await send(key, JSON.stringify([copy, copy, { type: "no source" }]))).status).toBe(207);
    expect((await send(key, events(1))).status).toBe(202);
    expect((await send(key, events(1))).status).toBe(429);
  });

  it("refuse requests beyond their number, whatever the route", async () => {
    const key = await limitedKey({ requestsPerSecond: 1 });
    const read = () => target.call("/events/none", { headers: { authorization: `Bearer ${key}` } });
    const write = () => send(key, events(1));

    for (const request of [read, write]) {
      // A machine may be so busy that its table of limits is late: then a process decides alone for a second.
      const refused = await eventually(
        async () => {
          const answers = await Promise.all(Array.from({ length: 20 }, request));
          return answers.filter(({ status }) => status === 429);
        },
        (found) => found.length > 0,
      );
      expect(refused.filter(({ headers }) => !headers.has("retry-after"))).toEqual([]);
    }
  });
});
