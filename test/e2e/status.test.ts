import { randomUUID } from "node:crypto";
import parse from "parse-prometheus-text-format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemas } from "../../functions/core/answer.ts";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";

/** Counts are taken at the end of a minute, by a message that a busy machine may handle late. */
const SNAPSHOT_MS = 150_000;

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

describe("GET /status, its history and alarms, and GET /metrics", () => {
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

  it("the history has what was accepted, stored and refused, once each, within the minutes of it", async () => {
    const { key: own } = await target.createKey({ tenant: `history-${randomUUID().slice(0, 8)}`, role: "admin" });
    const headers = { authorization: `Bearer ${own}`, "content-type": "application/json" };
    const history = async (span: string) =>
      schemas.StatusHistory.parse(JSON.parse((await target.call(`/status/history?span=${span}`, { headers })).text));
    const sums = (points: { accepted: number; stored: number; refused: number }[]) =>
      (["accepted", "stored", "refused"] as const).map((name) => points.reduce((sum, point) => sum + point[name], 0));
    expect(sums((await history("1h")).points)).toEqual([0, 0, 0]);

    const events = ["1", "2", "3"].map((id) => ({ id, source: target.source, type: "com.example.status", data: {} }));
    await target.call("/events", { method: "POST", headers, body: JSON.stringify([...events, { id: "4" }]) });

    const { points } = await eventually(
      () => history("1h"),
      (answer) => sums(answer.points).join() === "3,3,1",
      SNAPSHOT_MS,
    );
    expect(points).toHaveLength(60);
    expect(points.slice(0, -5).every(({ accepted, refused }) => accepted + refused === 0)).toBe(true);
    for (const span of ["24h", "7d"]) expect(sums((await history(span)).points)).toEqual([3, 3, 1]);
  });

  it("a span that is none is refused by name", async () => {
    const { status, text } = await call("/status/history?span=2h");

    expect([status, JSON.parse(text)]).toMatchObject([
      400,
      { code: "bad_parameter", detail: expect.stringContaining("1h, 24h, 7d") },
    ]);
  });

  it("the alarms are counted by state, or the answer says that there is no CloudWatch", async () => {
    const answer = schemas.StatusAlarms.parse(JSON.parse((await call("/status/alarms")).text));

    if ("unavailable" in answer) expect(answer.unavailable).toContain("CloudWatch");
    else expect(Object.values(answer.counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
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
