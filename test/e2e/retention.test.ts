import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { schemas } from "../../functions/core/answer.ts";
import { RETENTION_DAYS } from "../../functions/core/retention.ts";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";

type Plan = ReturnType<typeof schemas.RetentionPlan.parse>;

let target: Target;
const tenant = `retention-${randomUUID().slice(0, 8)}`;
let key: { id: string; key: string };
beforeAll(async () => {
  target = await openTarget();
  key = await target.createKey({ tenant, role: "admin" });
});
afterAll(() => target?.close());

const call = async (path: string, init: RequestInit & { body?: string } = {}, as = key.key) => {
  const headers = {
    authorization: `Bearer ${as}`,
    ...(init.body !== undefined && { "content-type": "application/json" }),
  };
  const { status, text } = await target.call(path, { ...init, headers });
  return { status, body: JSON.parse(text) as unknown };
};

const today = () => new Date().toISOString().slice(0, 10);

describe("retention", () => {
  it("the plan has the day of an event that was sent now, and the day on which its class drops it", async () => {
    const id = randomUUID();
    const event = { id, type: "com.example.retained", source: target.source, data: {} };
    expect((await call("/events", { method: "POST", body: JSON.stringify(event) })).status).toBe(202);
    await eventually(
      () => call(`/events/${id}`),
      ({ status }) => status === 200,
      60_000,
    );

    const { status, body } = await call("/retention?days=400", {}, target.installationKey);

    expect(status).toBe(200);
    const { default: ofStage, drops, keeps } = body as Plan;
    const days = RETENTION_DAYS[ofStage];
    if (days === 0 || days >= 400) {
      expect(keeps.find((each) => each.class === ofStage)?.bytes).toBeGreaterThan(0);
      return;
    }
    const dueOn = new Date(Date.parse(today()) + (days + 1) * 86_400_000).toISOString().slice(0, 10);
    const planned = drops.find((each) => each.class === ofStage && each.day === today());
    expect(planned).toMatchObject({ dueOn, state: "open", fault: null });
    expect(planned?.bytes).toBeGreaterThan(0);
  });
});

describe("restores", () => {
  it("a restore of days of which the archive has nothing is refused, and none is listed", async () => {
    const body = JSON.stringify({ from: today(), to: today(), into: "beside", dryRun: true });

    expect(await call("/restores", { method: "POST", body })).toMatchObject({
      status: 404,
      body: { code: "no_such_archive" },
    });
    expect(await call("/restores")).toMatchObject({ status: 200, body: { restores: [] } });
    expect(await call("/restores/rst_00000000000000000000000000000000")).toMatchObject({
      status: 404,
      body: { code: "no_such_restore" },
    });
  });
});
