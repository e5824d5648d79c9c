import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as z from "zod";
import type { schemas } from "../../functions/core/answer.ts";
import { forEachConcurrently } from "../../functions/core/for-each-concurrently.ts";
import { eventually } from "../support/eventually.ts";
import { runScript } from "../support/run-script.ts";
import { openTarget, type Target } from "./test-stack.ts";

type Page = z.output<typeof schemas.Refusals>;

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target?.close());

const TYPE = "com.example.order.placed";
const item = { sku: "s", quantity: 1, unitAmount: 990 };

/** An order; one in a hundred has another name for the id of its customer. */
function order(number: number) {
  const customer = number % 100 === 7 ? { customerID: "secret-customer" } : { customerId: "c" };
  const data = { orderId: `o-${number}`, ...customer, currency: "EUR", items: [item] };
  return { id: randomUUID(), source: `${target.source}/shop`, type: TYPE, data };
}

async function tenantWithKey() {
  const tenant = `refusals-${randomUUID().slice(0, 8)}`;
  const { key, id } = await target.createKey({ tenant, role: "admin" });
  const authorization = `Bearer ${key}`;
  return {
    tenant,
    key,
    keyId: id,
    send: (body: string) =>
      target.call("/events", {
        method: "POST",
        headers: { authorization, "content-type": "application/json", "user-agent": "checkout/3.4.0" },
        body,
      }),
    read: async (query = "") => {
      const { status, text } = await target.call(`/refusals${query}`, { headers: { authorization } });
      expect(status, text).toBe(200);
      return (JSON.parse(text) as Page).groups;
    },
  };
}

describe("refusals", () => {
  it("find a field that was renamed in one percent of a producer's events by code, type and place, within a minute", async () => {
    const { send, read, keyId, key } = await tenantWithKey();
    const started = performance.now();
    const requests = Array.from({ length: 100 }, (_, at) => Array.from({ length: 30 }, (__, i) => order(30 * at + i)));

    await forEachConcurrently(requests, 8, async (events) => {
      expect([202, 207]).toContain((await send(JSON.stringify(events))).status);
    });
    const groups = await eventually(
      () => read(`?code=required&type=${TYPE}&pointer=/data/customerId`),
      (found) => found[0]?.count === 30,
      60_000,
    );

    expect(performance.now() - started).toBeLessThan(60_000);
    expect(groups).toHaveLength(1);
    expect(groups[0]?.samples.length).toBeGreaterThan(0);
    expect(groups[0]?.samples.length).toBeLessThanOrEqual(20);
    expect(groups[0]?.samples[0]).toMatchObject({
      keyId,
      userAgent: "checkout/3.4.0",
      source: expect.stringContaining("/shop"),
      members: { orderId: expect.any(String), customerID: "string(15)", currency: "string(3)", items: "array(1)" },
    });
    expect(JSON.stringify(groups)).not.toContain("secret-customer");
    expect(await read()).toHaveLength(1);
    const shown = await runScript("refusals", ["--json", "--pointer", "/data/customerId", ...target.flags], {
      SLUICE_API_KEY: key,
    });
    expect(JSON.parse(shown.stdout), shown.stderr).toEqual(groups);
  });

  it("count requests that are refused as a whole, and are seen by their tenant and by a key of the installation alone", async () => {
    const { send, read, tenant } = await tenantWithKey();
    const other = await tenantWithKey();

    expect((await send("{")).status).toBe(400);
    const groups = await eventually(read, (found) => found.length > 0);

    expect(groups).toMatchObject([{ tenant, code: "malformed_body", pointer: "", count: 1 }]);
    expect(await other.read()).toEqual([]);
    const { text } = await target.call("/refusals?limit=50&code=malformed_body", {
      headers: { authorization: `Bearer ${target.installationKey}` },
    });
    expect((JSON.parse(text) as Page).groups).toContainEqual(groups[0]);
  });
});
