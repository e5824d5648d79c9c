import { describe, expect, it } from "vitest";
import { type HistoryTable, HISTORY_MINUTE_MS as MINUTE } from "../../../functions/core/history.ts";
import { REFUSAL_COUNTED_MESSAGES } from "../../../functions/core/refusal-limits.ts";

/** 09:29: the next minute is in another half hour. */
const AT = Date.parse("2026-11-30T09:29:00.000Z");

const NOTHING = { accepted: 0, stored: 0, open: 0 };

/** The contract of every table of the history; `open` gives an empty one. */
export function describeHistoryTable(name: string, open: () => Promise<HistoryTable>): void {
  const sample = (minute: number, accepted: number) => ({
    at: AT + minute * MINUTE,
    accepted,
    stored: accepted,
    open: 1,
  });

  describe(`a history ${name}`, () => {
    it("of a tenant that has none is empty", async () => {
      expect(await (await open()).read("acme", AT)).toEqual({ samples: [], before: undefined, refused: [] });
    });

    it("has the counts of each minute in order, with the last ones before the time and those before them", async () => {
      const table = await open();
      const samples = [sample(-90, 5), sample(0, 9), { ...sample(1, 12), lagMs: 250 }, sample(3, 20)];
      let before = { accepted: 2, stored: 1, open: 0 };
      for (const each of samples) {
        await table.writeSample("acme", each, before, each.at + MINUTE);
        before = { accepted: each.accepted, stored: each.stored, open: each.open };
      }

      expect(await table.read("acme", AT)).toEqual({
        samples,
        before: { accepted: 2, stored: 1, open: 0 },
        refused: [],
      });
      expect((await table.read("acme", AT + 2 * MINUTE)).samples.slice(-2)).toEqual(samples.slice(-2));
      expect(await table.read("other", AT)).toMatchObject({ samples: [] });
    });

    it("keeps the later counts of a minute, whichever are written last", async () => {
      const table = await open();

      await table.writeSample("acme", sample(0, 5), NOTHING, AT + 70_000);
      await table.writeSample("acme", sample(0, 7), { accepted: 5, stored: 5, open: 1 }, AT + 80_000);
      await table.writeSample("acme", sample(0, 6), NOTHING, AT + 75_000);

      expect(await table.read("acme", AT)).toMatchObject({ samples: [sample(0, 7)], before: NOTHING });
    });

    it("adds refused events to their minutes, those of a message once", async () => {
      const table = await open();
      const [a, b, c] = [
        { message: "a", at: AT, count: 3 },
        { message: "b", at: AT, count: 4 },
        { message: "c", at: AT + MINUTE, count: 5 },
      ];

      await table.addRefused("acme", [a, c]);
      await table.addRefused("acme", [a, b, c]);
      await table.addRefused("other", [a]);

      const read = async (tenant: string, from: number) =>
        (await table.read(tenant, from)).refused.toSorted((x, y) => x.at - y.at);
      expect(await read("acme", AT)).toEqual([
        { at: AT, count: 7 },
        { at: AT + MINUTE, count: 5 },
      ]);
      expect(await read("acme", AT + MINUTE)).toEqual([{ at: AT + MINUTE, count: 5 }]);
      expect(await read("other", AT)).toEqual([{ at: AT, count: 3 }]);
    });

    it("remembers as many messages of refusals as SQS may deliver again", async () => {
      const table = await open();
      const parts = Array.from({ length: REFUSAL_COUNTED_MESSAGES }, (_, i) => ({
        message: `m-${i}`,
        at: AT,
        count: 1,
      }));

      for (const part of parts.slice(0, 3)) await table.addRefused("acme", [part]);
      await table.addRefused("acme", parts);
      await table.addRefused("acme", parts);

      expect((await table.read("acme", AT)).refused).toEqual([{ at: AT, count: REFUSAL_COUNTED_MESSAGES }]);
    });
  });
}
