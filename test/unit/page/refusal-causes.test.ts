import { describe, expect, it } from "vitest";
import { sendersOf, toCauses } from "../../../console/screens/refusals/causes.ts";
import type { RefusalGroup } from "../../../console/types.ts";

const sample = (at: string, more: object = {}) => ({ at, keyId: "key-1", requestId: "r", ...more });
const group = (changes: Partial<RefusalGroup>): RefusalGroup => ({
  tenant: "acme",
  day: "2026-11-29",
  code: "required",
  type: "com.example.order.placed",
  pointer: "/data/orderId",
  count: 1,
  first: "2026-11-29T08:00:00Z",
  last: "2026-11-29T09:00:00Z",
  samples: [],
  ...changes,
});

describe("the causes of refusals", () => {
  it("a cause has the refusals of all days, since when, and its latest samples first", () => {
    const [cause, ...others] = toCauses([
      group({ count: 3, samples: [sample("2026-11-29T09:00:00Z")] }),
      group({
        day: "2026-11-28",
        count: 4,
        first: "2026-11-28T01:00:00Z",
        last: "2026-11-28T02:00:00Z",
        samples: [sample("2026-11-28T02:00:00Z")],
      }),
    ]);

    expect(others).toEqual([]);
    expect(cause).toMatchObject({ count: 7, first: "2026-11-28T01:00:00Z", last: "2026-11-29T09:00:00Z" });
    expect(cause?.days).toEqual([
      { day: "2026-11-28", count: 4 },
      { day: "2026-11-29", count: 3 },
    ]);
    expect(cause?.samples.map(({ at }) => at)).toEqual(["2026-11-29T09:00:00Z", "2026-11-28T02:00:00Z"]);
  });

  it("refusals of another tenant, code, type or place are another cause; the most frequent comes first", () => {
    const causes = toCauses([
      group({}),
      group({ tenant: "other", count: 2 }),
      group({ code: "too_big", count: 3 }),
      group({ type: undefined, count: 4 }),
      group({ pointer: "", count: 5 }),
    ]);

    expect(causes.map(({ count }) => count)).toEqual([5, 4, 3, 2, 1]);
  });

  it("keeps as many samples of a cause as a day has", () => {
    const samples = Array.from({ length: 20 }, (_, n) => sample(`2026-11-29T09:00:${n + 10}Z`));
    const [cause] = toCauses([group({ samples }), group({ day: "2026-11-28", samples })]);

    expect(cause?.samples).toHaveLength(20);
  });

  it("names the senders by their keys, with every user agent and source", () => {
    const samples = [
      sample("1", { userAgent: "checkout/3", source: "/a" }),
      sample("2", { userAgent: "checkout/4", source: "/a" }),
      sample("3", { keyId: "key-2" }),
    ];

    expect(sendersOf(samples)).toEqual([
      { keyId: "key-1", userAgents: ["checkout/3", "checkout/4"], sources: ["/a"] },
      { keyId: "key-2", userAgents: [], sources: [] },
    ]);
  });
});
