import { describe, expect, it } from "vitest";
import { REFUSAL_DAY_GROUPS } from "../../../functions/core/refusal-limits.ts";
import type { RefusalStore } from "../../../functions/core/refusal.ts";
import { REFUSAL_DAY, refusalSample, storedRefusals } from "../refusal-samples.ts";

/** The contract of every store of refusals; `open` gives one that is empty. */
export function describeRefusalStore(name: string, open: () => Promise<{ store: RefusalStore }>): void {
  const place = { tenant: "acme", day: REFUSAL_DAY, id: "a" };

  describe(`a store of refusals ${name}`, () => {
    it("a group is read as it was written, with everything in it, and by its tenant and day alone", async () => {
      const { store } = await open();
      const whole = storedRefusals({
        samples: [refusalSample({ userAgent: "curl/8", id: "e-1", source: "/shop", members: { total: "string(4)" } })],
        counted: ["m-1", "m-2"],
      });
      const bare = storedRefusals({ code: "malformed_body", type: undefined, pointer: "", samples: [] });

      await store.change(place, () => whole);
      await store.change({ ...place, id: "b" }, () => bare);

      const read = await store.readDay("acme", REFUSAL_DAY);
      expect(read).toHaveLength(2);
      expect(read).toEqual(expect.arrayContaining([whole, bare]));
      expect(await store.readDay("other", REFUSAL_DAY)).toEqual([]);
      expect(await store.readDay("acme", "2026-11-28")).toEqual([]);
    });

    it("a change sees what was written last, and writes nothing where it gives nothing", async () => {
      const { store } = await open();
      await store.change(place, () => storedRefusals({ count: 7 }));

      const seen: (number | undefined)[] = [];
      await store.change(place, (stored) => void seen.push(stored?.count));
      await store.change({ ...place, tenant: "other" }, (stored) => void seen.push(stored?.count));

      expect(seen).toEqual([7, undefined]);
      expect(await store.readDay("acme", REFUSAL_DAY)).toEqual([storedRefusals({ count: 7 })]);
      expect(await store.readDay("other", REFUSAL_DAY)).toEqual([]);
    });

    it("changes of one group at once are all in it", async () => {
      const { store } = await open();
      const add = () =>
        store.change(place, (stored = storedRefusals({ count: 0 })) => ({ ...stored, count: stored.count + 1 }));
      await add();

      await Promise.all(Array.from({ length: 5 }, add));

      expect(await store.readDay("acme", REFUSAL_DAY)).toMatchObject([{ count: 6 }]);
    });

    it("groups have room in a day up to the limit, and keep it", async () => {
      const { store } = await open();
      const idsOf = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `g${from + at}`);

      const first = await store.admit("acme", REFUSAL_DAY, idsOf(0, REFUSAL_DAY_GROUPS - 1));
      const second = await store.admit("acme", REFUSAL_DAY, idsOf(REFUSAL_DAY_GROUPS - 2, REFUSAL_DAY_GROUPS + 1));
      const third = await store.admit("acme", REFUSAL_DAY, ["g0", "new"]);
      const other = await store.admit("acme", "2026-11-30", ["new"]);

      expect(first).toEqual(new Set(idsOf(0, REFUSAL_DAY_GROUPS - 1)));
      expect(second).toEqual(new Set(idsOf(REFUSAL_DAY_GROUPS - 2, REFUSAL_DAY_GROUPS)));
      expect(third).toEqual(new Set(["g0"]));
      expect(other).toEqual(new Set(["new"]));
      expect(await store.readAdmitted("acme", REFUSAL_DAY)).toEqual(idsOf(0, REFUSAL_DAY_GROUPS));
      expect(await store.readAdmitted("other", REFUSAL_DAY)).toEqual([]);
    });

    it("writers who ask for room at once get no more than there is", async () => {
      const { store } = await open();

      const admitted = await Promise.all(
        [0, 1, 2].map((writer) =>
          store.admit(
            "acme",
            REFUSAL_DAY,
            Array.from({ length: 100 }, (_, at) => `${writer}-${at}`),
          ),
        ),
      );

      expect(admitted.flatMap((each) => [...each])).toHaveLength(REFUSAL_DAY_GROUPS);
    });

    it("a day has more than one page of DynamoDB, and is read whole", async () => {
      const { store } = await open();
      const text = "x".repeat(128);
      const samples = Array.from({ length: 20 }, (_, at) =>
        refusalSample({ id: `${at}${text}`.slice(0, 128), source: text, userAgent: text }),
      );
      for (let at = 0; at < 130; at++)
        await store.change({ ...place, id: `g${at}` }, () => storedRefusals({ samples }));

      expect(await store.readDay("acme", REFUSAL_DAY)).toHaveLength(130);
    });
  });
}
