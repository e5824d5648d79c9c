import { randomUUID } from "node:crypto";
import parse from "parse-prometheus-text-format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemas } from "../../functions/core/answer.ts";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let key: string;
beforeAll(async () => {
  target = await openTarget();
  ({ key } = await target.createKey({ tenant: `status-${randomUUID().slice(0, 8)}`, role: "admin" }));
});
afterAll(() => target?.close());

const call = (path: string, init: RequestInit = {}) =>
  target.call(path, { ...init, headers: { authorization: `Bearer ${key}`, "content-type": "application/json" } });

async function ledger() {
  const { ledger: part } = schemas.Status.parse(JSON.parse((await call("/status")).text));
  if ("unavailable" in part) throw new Error(part.unavailable);
  return part;
}

describe("GET /status and GET /metrics", () => {
  it("accepted events of a tenant are in its ledger at once, and in a count or in flight ever after", async () => {
    expect(await ledger()).toMatchObject({ accepted: 0, inFlight: 0, difference: 0 });

    const events = ["1", "2", "3"].map((id) => ({ id, source: target.source, type: "com.example.status", data: {} }));
    await call("/events", { method: "POST", body: JSON.stringify([...events, { id: "4" }]) });

    const { difference, inFlight, stored } = await eventually(ledger, ({ accepted }) => accepted === 3);
    expect([difference, stored + inFlight]).toEqual([inFlight, 3]);
    expect(await ledger()).not.toHaveProperty("tenants");
    const { text, headers } = await call("/metrics");
    expect(headers.get("content-type")).toMatch(/^text\/plain; ?version=0\.0\.4/);
    const samples = parse(text).flatMap(({ name, metrics }) => metrics.map(({ value }) => [name, value]));
    expect(samples).toContainEqual(["sluice_events_accepted_total", "3"]);
  });

  it("a key of the installation sees all tenants, and each part with its time", async () => {
    const headers = { authorization: `Bearer ${target.installationKey}` };
    const answer = schemas.Status.parse(JSON.parse((await target.call("/status", { headers })).text));

    expect(answer).toMatchObject({
      tenant: "*",
      queues: { at: expect.any(String), events: { visible: expect.any(Number) } },
      ledger: { tenants: expect.any(Array) },
    });
  });
});
