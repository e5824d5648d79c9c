import { describe, expect, it } from "vitest";
import { createCursors } from "../../../functions/core/cursor.ts";
import { refusalPage } from "../../../functions/core/refusal-answers.ts";
import { REFUSAL_KEPT_DAYS } from "../../../functions/core/refusal-limits.ts";
import type { RefusalGroup } from "../../../functions/core/refusal.ts";
import { createCountRefusals } from "../../../functions/status/count-refusals.ts";
import { type AskedRefusals, createListRefusals } from "../../../functions/status/refusals.ts";
import { memoryHistory } from "../../support/memory-history.ts";
import { memoryRefusals } from "../../support/memory-refusals.ts";
import { adminOf } from "../../support/principal.ts";
import { refusalGroup, refusalSample } from "../../support/refusal-samples.ts";

const NOW = "2026-11-29T12:00:00.000Z";

/** A reader of these groups: the types of the groups of an answer, and its cursor. */
async function reader(groups: Partial<RefusalGroup>[]) {
  const { store } = memoryRefusals();
  await createCountRefusals(store, memoryHistory())([{ kind: "refusals", id: "a", groups: groups.map(refusalGroup) }]);
  const cursors = createCursors(() => Promise.resolve(Buffer.alloc(32, 7)));
  const list = createListRefusals({ store, cursors, clock: () => new Date(NOW) });
  return {
    read: async (asked: AskedRefusals = {}, principal: Partial<ReturnType<typeof adminOf>> = {}) => {
      const page = refusalPage.parse(await list({ ...adminOf("acme"), ...principal }, asked));
      return { ...page, found: page.groups.map(({ day, type, tenant, count }) => [day, tenant, type, count]) };
    },
  };
}

describe("reading refusals", () => {
  it("gives the latest day first, and in it the largest group first, of the last week", async () => {
    const { read } = await reader([
      { type: "a", count: 2 },
      { type: "b", count: 9 },
      { type: "c", count: 5, day: "2026-11-23" },
      { type: "d", count: 5, day: "2026-11-22" },
      { type: "e", tenant: "other" },
    ]);

    const { found, groups, next } = await read();

    expect(found).toEqual([
      ["2026-11-29", "acme", "b", 9],
      ["2026-11-29", "acme", "a", 2],
      ["2026-11-23", "acme", "c", 5],
    ]);
    expect(next).toBeNull();
    expect(groups[0]?.samples).toEqual([refusalSample()]);
  });

  it.each<[string, AskedRefusals, string[]]>([
    ["code", { code: "too_big" }, ["b"]],
    ["type", { type: "com.example.b" }, []],
    ["beginning of the type", { type: "a*" }, ["a"]],
    ["place, of any index", { pointer: "/data/items/7/sku" }, ["c"]],
    ["place, which is the event as a whole", { pointer: "" }, ["d"]],
    ["code and type", { code: "required", type: "c" }, ["c"]],
    ["day", { from: "2026-11-28", to: "2026-11-28" }, ["e"]],
    ["first day, up to today", { from: "2026-11-29" }, ["a", "b", "c", "d"]],
    ["last day", { to: "2026-11-28" }, ["e"]],
  ])("gives the groups of one %s", async (_name, asked, types) => {
    const { read } = await reader([
      { type: "a" },
      { type: "b", code: "too_big" },
      { type: "c", pointer: "/data/items/*/sku" },
      { type: "d", pointer: "" },
      { type: "e", day: "2026-11-28" },
    ]);

    const { groups } = await read(asked);

    expect(groups.map(({ type = "" }) => type).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(types);
  });

  it("gives every group once in pages of any size, those of equal counts too", async () => {
    const groups = Array.from({ length: 12 }, (_, i) => ({
      type: `t${i}`,
      count: 1 + (i % 3),
      day: i % 2 === 0 ? "2026-11-29" : "2026-11-27",
    }));
    const { read } = await reader(groups);
    const whole = await read({ limit: 50 });

    for (const limit of [1, 2, 5, 6, 12]) {
      const pages: (typeof whole.found)[] = [];
      let cursor: string | undefined;
      do {
        const page = await read({ limit, cursor });
        pages.push(page.found);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);

      expect(pages.flat()).toEqual(whole.found);
      expect(pages).toHaveLength(Math.ceil(12 / limit));
    }
    expect(whole.found).toHaveLength(12);
  });

  it("refuses the cursor of another request", async () => {
    const { read } = await reader([{ type: "a" }, { type: "b" }]);
    const { next } = await read({ limit: 1 });

    await expect(read({ limit: 1, code: "too_big", cursor: next ?? "" })).rejects.toMatchObject({
      code: "cursor_mismatch",
    });
    await expect(read({ cursor: "nonsense" })).rejects.toMatchObject({ code: "bad_cursor" });
  });

  it("refuses a range that ends before it begins, and looks at no day that has none any more", async () => {
    const { read } = await reader([{ type: "a" }]);

    await expect(read({ from: "2026-11-29", to: "2026-11-28" })).rejects.toMatchObject({ code: "bad_parameter" });
    await expect(read({ from: "2026-11-30" })).resolves.toMatchObject({ groups: [] });
    const days: string[] = [];
    const store = { readAdmitted: async () => [], readDay: async (_: string, day: string) => (days.push(day), []) };
    const cursors = createCursors(() => Promise.resolve(Buffer.alloc(32)));
    await createListRefusals({ store, cursors, clock: () => new Date(NOW) })(adminOf("acme"), {
      from: "0001-01-01",
      to: "9999-12-31",
    });
    expect(days).toHaveLength(REFUSAL_KEPT_DAYS + 1);
    expect([days[0], days.at(-1)]).toEqual(["2026-11-29", "2026-10-30"]);
  });

  it("gives a key of the installation those of every tenant", async () => {
    const { read } = await reader([
      { type: "a", count: 1 },
      { type: "b", tenant: "other", count: 2 },
    ]);

    const { found } = await read({}, { tenant: "*", keyTenant: "*" });

    expect(found).toEqual([
      ["2026-11-29", "other", "b", 2],
      ["2026-11-29", "acme", "a", 1],
    ]);
  });

  it("gives a key the groups of the types, and the samples of the sources, that it may read", async () => {
    const samples = [refusalSample({ source: "/shop/eu" }), refusalSample({ source: "/till" }), refusalSample()];
    const { read } = await reader([
      { type: "com.example.a", samples },
      { type: "org.example.b" },
      { type: undefined, code: "malformed_body", pointer: "" },
    ]);

    const { groups } = await read({}, { types: ["com.*"], sources: ["/shop/*"] });

    expect(groups.map(({ type }) => type)).toEqual(["com.example.a"]);
    expect(groups[0]?.samples.map(({ source }) => source)).toEqual(["/shop/eu"]);
  });
});
