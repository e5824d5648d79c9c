import { describe, expect, it } from "vitest";
import { bucketsOf, bucketStarts, rangeOf } from "../../../console/parts/range.ts";
import { lastSeen, typeRows, volumes } from "../../../console/screens/types/summary.ts";

const NOW = Date.parse("2026-11-30T03:06:19Z");

describe("the range of a screen", () => {
  it("ends now where a preset names it", () => {
    expect(rangeOf(new URLSearchParams("range=1h"), "24h", NOW)).toEqual({
      from: "2026-11-30T02:06:19.000Z",
      preset: "1h",
    });
  });

  it("is from one time to another where the address has them", () => {
    const params = new URLSearchParams("from=2026-11-01T00:00:00%2B01:00&to=2026-11-02T00:00:00Z&range=1h");

    expect(rangeOf(params, "24h", NOW)).toEqual({ from: "2026-10-31T23:00:00.000Z", to: "2026-11-02T00:00:00.000Z" });
  });

  it("is the usual one where the address has none that can be read", () => {
    expect(rangeOf(new URLSearchParams("range=9y&from=soon"), "24h", NOW).preset).toBe("24h");
  });

  it.each([
    { range: "15m", every: "PT1M" },
    { range: "1h", every: "PT1M" },
    { range: "24h", every: "PT15M" },
    { range: "7d", every: "PT1H" },
    { range: "30d", every: "P1D" },
  ])("of $range has buckets of $every, whole ones that have all of it", ({ range, every }) => {
    const found = rangeOf(new URLSearchParams({ range }), "24h", NOW);

    const buckets = bucketsOf(found, 180, NOW);

    expect(buckets.every).toBe(every);
    expect(Date.parse(buckets.from)).toBeLessThanOrEqual(Date.parse(found.from));
    expect(Date.parse(buckets.to)).toBeGreaterThanOrEqual(NOW);
    expect(bucketStarts(buckets).length).toBeLessThanOrEqual(182);
    expect(Date.parse(buckets.from) % buckets.ms).toBe(0);
  });
});

describe("the types of a range", () => {
  const catalog = new Map([
    ["a", 2],
    ["silent", 1],
  ]);

  it("come with most events first, then those of the catalog that had none", () => {
    const rows = typeRows(
      [
        { type: "b", count: "1" },
        { type: "a", count: "3" },
      ],
      { catalog, earlier: new Set(["a"]) },
    );

    expect(rows).toEqual([
      { type: "a", events: 3, share: 0.75, isNew: false, versions: 2 },
      { type: "b", events: 1, share: 0.25, isNew: true, versions: 0 },
      { type: "silent", events: 0, share: 0, isNew: false, versions: 1 },
    ]);
  });

  it("are not new where nobody knows what came earlier", () => {
    expect(typeRows([{ type: "b", count: "1" }], { catalog, earlier: undefined })[0]?.isNew).toBe(false);
  });

  it("have a number for each bucket, of which the sum is their events", () => {
    const buckets = {
      from: "2026-11-30T03:00:00.000Z",
      to: "2026-11-30T03:03:00.000Z",
      every: "PT1M",
      ms: 60_000,
    } as const;
    const rows = [
      { type: "a", bucket: "2026-11-30T03:00:00Z", count: "2" },
      { type: "a", bucket: "2026-11-30T03:01:00Z", count: "5" },
    ];

    const values = volumes(rows, buckets).get("a") ?? [];

    expect(values).toEqual([2, 5, 0]);
    expect(lastSeen(values, buckets, NOW)).toBe(Date.parse("2026-11-30T03:02:00Z"));
    expect(lastSeen([0, 0, 0], buckets, NOW)).toBeUndefined();
    expect(lastSeen([0, 0, 1], buckets, Date.parse("2026-11-30T03:02:10Z"))).toBe(Date.parse("2026-11-30T03:02:10Z"));
  });
});
