import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HISTORY_MINUTE_MS as MINUTE, HISTORY_SPANS, SPAN_NAMES } from "../../../functions/core/history.ts";
import { readRanges } from "../../../functions/core/number-ranges.ts";
import { historyAnswer } from "../../../functions/core/status-answers.ts";
import { createReadHistory } from "../../../functions/status/history.ts";
import { describeHistoryTable } from "../../support/conformance/history-table.ts";
import { memoryHistory } from "../../support/memory-history.ts";
import { memoryLedgerTable } from "../../support/memory-ledger-table.ts";
import { NO_COUNTS, NOW } from "./support.ts";

describeHistoryTable("in memory", async () => memoryHistory());

const NOTHING = { accepted: 0, stored: 0, open: 0 };
const at = (time: number) => new Date(time).toISOString();

/** A tenant with a ledger of so many stored events, and a history. */
async function tenantWith({ stored = 0, open = 0 } = {}) {
  const time = { now: NOW };
  const [history, table] = [memoryHistory(), memoryLedgerTable()];
  const ledger = { tenant: "acme", ...NO_COUNTS, stored, open, arrived: stored + open };
  const subscriptions = { active: 0, disabled: 0, pending: 0 };
  const keep = () => table.writeLedger({ ledger, arrivals: new Map(), subscriptions }, at(time.now));
  await keep();
  const read = createReadHistory({ history, table, clock: () => new Date(time.now) });
  return {
    time,
    history,
    table,
    sample: (minutesAgo: number, accepted: number, others = {}, before = NOTHING) => {
      const of = NOW - minutesAgo * MINUTE;
      return history.writeSample(
        "acme",
        { at: of, accepted, stored: accepted, open: 0, ...others },
        before,
        of + 62_000,
      );
    },
    read: async (span: (typeof SPAN_NAMES)[number] = "1h", tenant = "acme") =>
      historyAnswer.parse(await read(tenant, span)),
  };
}

describe("the history of a tenant", () => {
  it.each(SPAN_NAMES)("of %s has one point for each interval without a gap, up to the one of now", async (span) => {
    const { read } = await tenantWith({ stored: 7, open: 2 });
    const { stepSeconds, points: count } = HISTORY_SPANS[span];

    const answer = await read(span);

    expect(answer).toMatchObject({ tenant: "acme", span, stepSeconds });
    expect(answer.points).toHaveLength(count);
    const times = answer.points.map((point) => Date.parse(point.at));
    expect(times.every((each, index) => index === 0 || each - (times[index - 1] ?? 0) === 1_000 * stepSeconds)).toBe(
      true,
    );
    expect(NOW - (times.at(-1) ?? 0)).toBeLessThan(1_000 * stepSeconds);
    expect(times.every((each) => each % (1_000 * stepSeconds) === 0)).toBe(true);
    // Nothing was kept, so nothing is known to have happened.
    expect(
      answer.points.every((point) => point.accepted + point.stored + point.refused === 0 && point.open === 2),
    ).toBe(true);
  });

  it("has in each minute what the counts of the minute have more than those before", async () => {
    const { read, sample } = await tenantWith({ stored: 20 });
    await sample(90, 5);
    await sample(3, 12, { stored: 9, open: 3, lagMs: 700 });
    await sample(1, 20, { stored: 20 });

    const { points } = await read();

    const empty = { accepted: 0, stored: 0, refused: 0 };
    expect(points.slice(-5)).toEqual([
      { at: at(NOW - 4 * MINUTE), ...empty, open: 0 },
      { at: at(NOW - 3 * MINUTE), accepted: 7, stored: 4, refused: 0, open: 3, lagMs: 700 },
      { at: at(NOW - 2 * MINUTE), ...empty, open: 3 },
      { at: at(NOW - MINUTE), accepted: 8, stored: 11, refused: 0, open: 0 },
      { at: at(NOW), ...empty, open: 0 },
    ]);
    expect(points.slice(0, -4).every((point) => point.accepted === 0)).toBe(true);
  });

  it("has in a long interval the sum of its minutes, their largest lag and the open dead letters of its end", async () => {
    const { read, sample } = await tenantWith();
    await sample(19, 5, { lagMs: 900, open: 4 });
    await sample(15, 6, { lagMs: 100, open: 1 });
    await sample(11, 9, { lagMs: 300, open: 2 });

    const { points } = await read("24h");

    expect(points.at(-2)).toEqual({ at: at(NOW - 10 * MINUTE), accepted: 0, stored: 0, refused: 0, open: 2 });
    expect(points.at(-3)).toMatchObject({ at: at(NOW - 20 * MINUTE), accepted: 9, stored: 9, open: 2, lagMs: 900 });
  });

  it("begins with the counts that were known before the first that are kept", async () => {
    const { read, sample } = await tenantWith({ stored: 1_010 });

    await sample(2, 1_010, {}, { accepted: 1_000, stored: 1_000, open: 0 });

    expect((await read()).points.at(-3)).toMatchObject({ accepted: 10, stored: 10 });
  });

  it("has what was accepted since the last counts in the interval of now", async () => {
    const { read, sample, table, time } = await tenantWith({ stored: 5 });
    await sample(1, 5);
    time.now += 20_000;
    await table.write({ producer: "p", at: time.now, tenants: new Map([["acme", readRanges("1-8")]]) });

    expect((await read()).points.at(-1)).toMatchObject({ accepted: 8, stored: 0 });
  });

  it("of a database that was restored counts nothing twice and nothing below zero", async () => {
    const { read, sample } = await tenantWith({ stored: 60 });
    await sample(5, 100);
    await sample(4, 50);
    await sample(2, 60);

    const { points } = await read();

    expect(points.slice(-6).map((point) => point.accepted)).toEqual([100, 0, 0, 10, 0, 0]);
  });

  it("adds refused events to their intervals, and leaves out those before", async () => {
    const { read, history } = await tenantWith();
    await history.addRefused("acme", [
      { message: "a", at: NOW - 61 * MINUTE, count: 100 },
      { message: "b", at: NOW - 3 * MINUTE, count: 2 },
      { message: "c", at: NOW - 3 * MINUTE, count: 3 },
    ]);

    expect((await read()).points.filter((point) => point.refused > 0)).toMatchObject([
      { at: at(NOW - 3 * MINUTE), refused: 5 },
    ]);
  });

  it("has every event that was counted within a span once, in whatever order minutes are kept", async () => {
    const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 167 * 60 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(minutes, fc.constantFrom(...SPAN_NAMES), async (ages, span) => {
        const ordered = ages.toSorted((a, b) => b - a);
        const { read, sample } = await tenantWith({ stored: 2 ** 40 + ordered.length });
        for (const [index, age] of ordered.entries())
          await sample(
            age,
            2 ** 40 + index + 1,
            {},
            { ...NOTHING, accepted: 2 ** 40 + index, stored: 2 ** 40 + index },
          );

        const { points } = await read(span);

        const first = Date.parse(points[0]?.at ?? "");
        const within = ordered.filter((age) => NOW - age * MINUTE >= first).length;
        expect(points.reduce((sum, point) => sum + point.accepted, 0)).toBe(within);
        expect(points.reduce((sum, point) => sum + point.stored, 0)).toBe(within);
      }),
    );
  });
});
