import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import {
  REFUSAL_COUNTED_MESSAGES,
  REFUSAL_DAY_GROUPS,
  REFUSAL_SAMPLES,
} from "../../../functions/core/refusal-limits.ts";
import type { RefusalGroup, RefusalsMessage, RefusalStore } from "../../../functions/core/refusal.ts";
import { createCountRefusals } from "../../../functions/status/count-refusals.ts";
import { describeRefusalStore } from "../../support/conformance/refusal-store.ts";
import { memoryHistory } from "../../support/memory-history.ts";
import { memoryRefusals } from "../../support/memory-refusals.ts";
import { REFUSAL_DAY, refusalGroup, refusalSample } from "../../support/refusal-samples.ts";

describeRefusalStore("in memory", async () => memoryRefusals());

const message = (id: string, ...groups: Partial<RefusalGroup>[]): RefusalsMessage => ({
  kind: "refusals",
  id,
  groups: groups.map(refusalGroup),
});

const at = (second: number) => new Date(Date.parse(`${REFUSAL_DAY}T10:00:00.000Z`) + second * 1_000).toISOString();

function counting() {
  const [memory, history] = [memoryRefusals(), memoryHistory()];
  return {
    ...memory,
    history,
    count: createCountRefusals(memory.store, history),
    read: () => memory.store.readDay("acme", REFUSAL_DAY),
  };
}

describe("counting refusals", () => {
  it("adds up the groups of several messages, those of one invocation and of later ones", async () => {
    const { count, read } = counting();

    await count([
      message("a", { count: 2, first: at(5), last: at(6) }, { code: "too_big", count: 1 }),
      message("b", { count: 3, first: at(1), last: at(2) }),
    ]);
    await count([message("c", { count: 4, first: at(8), last: at(9) })]);

    const groups = await read();
    expect(groups).toHaveLength(2);
    expect(groups).toContainEqual(expect.objectContaining({ code: "required", count: 9, first: at(1), last: at(9) }));
    expect(groups).toContainEqual(expect.objectContaining({ code: "too_big", count: 1 }));
  });

  it("keeps tenants and days apart", async () => {
    const { count, read, store } = counting();

    await count([message("a", {}, { tenant: "other", count: 5 }, { day: "2026-11-28", count: 7 })]);

    expect(await read()).toMatchObject([{ count: 1 }]);
    expect(await store.readDay("other", REFUSAL_DAY)).toMatchObject([{ count: 5 }]);
    expect(await store.readDay("acme", "2026-11-28")).toMatchObject([{ count: 7 }]);
  });

  it("keeps the latest samples of a group, as many as it may have", async () => {
    const { count, read } = counting();
    const sampled = (id: string, second: number) =>
      message(id, { samples: [refusalSample({ at: at(second), id: `e-${second}` })] });

    await count(Array.from({ length: REFUSAL_SAMPLES }, (_, i) => sampled(`a${i}`, 2 * i)));
    await count([sampled("b", 7), sampled("c", 1_000)]);

    const [group] = await read();
    expect(group?.samples).toHaveLength(REFUSAL_SAMPLES);
    expect(group?.samples[0]?.id).toBe("e-1000");
    expect(group?.samples.map((each) => each.id)).toContain("e-7");
    expect(group?.samples.map((each) => each.id)).not.toContain("e-0");
    expect(group?.samples.map((each) => each.at)).toEqual(
      group?.samples
        .map((each) => each.at)
        .toSorted()
        .toReversed(),
    );
  });

  it("counts a message once, in whatever batches and however often its copies come", async () => {
    const sent = fc.array(fc.array(fc.nat({ max: 15 }), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(sent, async (batches) => {
        const { count, read } = counting();

        for (const batch of batches) await count(batch.map((id) => message(`m${id}`, { count: 2 ** id })));

        const expected = [...new Set(batches.flat())].reduce((sum, id) => sum + 2 ** id, 0);
        expect(await read()).toMatchObject([{ count: expected }]);
      }),
    );
  });

  it("adds the refused events of a tenant and of all to the history, each message once in the minute of its last one", async () => {
    const { count, history } = counting();
    const sent = message(
      "a",
      { count: 2, first: at(58), last: at(59) },
      { code: "too_big", count: 3, last: at(61) },
      // Further errors of the same events.
      { code: "too_small", count: 4, events: 1, last: at(61) },
      { tenant: "other", count: 5, last: at(0) },
    );

    await count([sent, sent]);
    await count([sent, message("b", { count: 7, last: at(70) })]);

    const read = async (tenant: string) => (await history.read(tenant, Date.parse(at(0)))).refused;
    expect(await read("acme")).toEqual([{ at: Date.parse(at(60)), count: 13 }]);
    expect(await read("other")).toEqual([{ at: Date.parse(at(0)), count: 5 }]);
    expect(await read("*")).toEqual([{ at: Date.parse(at(60)), count: 18 }]);
  });

  it("counts a message once, though a write failed and the whole batch came again", async () => {
    const { store, history, read } = counting();
    let calls = 0;
    const failing: Pick<RefusalStore, "admit" | "change"> = {
      admit: store.admit,
      change: async (place, change) => {
        if ((calls += 1) === 2) throw new AccessError("DynamoDB did not answer a call.", { isOutage: true });
        await store.change(place, change);
      },
    };
    const batch = [message("a", { count: 2 }, { code: "too_big", count: 3 }, { code: "too_small", count: 4 })];

    await expect(createCountRefusals(failing, history)(batch)).rejects.toThrow(AccessError);
    await createCountRefusals(failing, history)(batch);

    const counts = (await read()).map(({ code, count }) => [code, count] as const);
    expect(Object.fromEntries(counts)).toEqual({ required: 2, too_big: 3, too_small: 4 });
  });

  it("remembers as many messages of a group as an invocation counts again, and no more", async () => {
    const { count, read } = counting();
    const ids = Array.from({ length: REFUSAL_COUNTED_MESSAGES + 1 }, (_, i) => `m${i}`);
    for (const id of ids) await count([message(id, {})]);

    await count(ids.slice(1).map((id) => message(id, {})));

    const [group] = await read();
    expect(group?.count).toBe(ids.length);
    expect(group?.counted).toEqual(ids.slice(1));
  });

  it("counts causes beyond the limit of a day as others, also when their message comes again", async () => {
    const { count, read, rows } = counting();
    const many = Array.from({ length: REFUSAL_DAY_GROUPS + 30 }, (_, i) => ({ type: `t${i}`, count: 2 }));
    const flood = message("a", ...many, { code: "others", type: undefined, pointer: "", count: 5 });

    await count([flood]);
    await count([flood, message("b", { type: "late" })]);

    const groups = await read();
    expect(groups).toHaveLength(REFUSAL_DAY_GROUPS + 1);
    expect(groups).toContainEqual(expect.objectContaining({ code: "others", pointer: "", count: 30 * 2 + 5 + 1 }));
    // Beside the groups and the others, the list of groups and that of tenants.
    expect(rows()).toBe(REFUSAL_DAY_GROUPS + 3);
  });
});
