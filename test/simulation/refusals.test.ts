import { describe, expect, it } from "vitest";
import type { RefusalsMessage } from "../../functions/core/refusal.ts";
import { createRefusals } from "../../functions/ingest/refusals.ts";
import { createCountRefusals } from "../../functions/status/count-refusals.ts";
import { memoryHistory } from "../support/memory-history.ts";
import { memoryRefusals } from "../support/memory-refusals.ts";
import { REFUSAL_DAY } from "../support/refusal-samples.ts";

describe("a flood of refusals", () => {
  it.each([
    ["each of another type", (i: number) => `t${i}`],
    ["of one type", () => "t"],
  ])("of a million, %s, makes at most a thousand rows, and each is counted", async (_name, typeOf) => {
    const { store, rows } = memoryRefusals();
    const count = createCountRefusals(store, memoryHistory());
    let now = Date.parse(`${REFUSAL_DAY}T00:00:00.000Z`);
    let ids = 0;
    let bodies: string[] = [];
    const refusals = createRefusals({
      queue: { send: async (messages) => messages.map(({ body }) => (bodies.push(body), "enqueued" as const)) },
      clock: () => new Date(now),
      newId: () => `m-${++ids}`,
      later: () => undefined,
    });
    const request = { tenant: "acme", keyId: "key", requestId: "r", userAgent: undefined };
    const deliver = async () => {
      await count(bodies.map((body) => JSON.parse(body) as RefusalsMessage));
      bodies = [];
    };

    // A thousand requests of a thousand refused events, one every 20 ms.
    for (let i = 0; i < 1_000_000; i++) {
      const at = new Date(now).toISOString();
      refusals.note({ ...request, at }, { code: "unknown_type", type: typeOf(i), pointer: "/type" }, () => ({}));
      if (i % 1_000 !== 999) continue;
      now += 20;
      await refusals.send(now + 1_000);
      if (bodies.length >= 10) await deliver();
    }
    now += 1_000;
    await refusals.send(now + 1_000);
    await deliver();

    const groups = await store.readDay("acme", REFUSAL_DAY);
    expect(groups.reduce((sum, each) => sum + each.count, 0)).toBe(1_000_000);
    expect(rows()).toBeLessThanOrEqual(1_000);
    expect(ids).toBeLessThanOrEqual(220);
  });
});
