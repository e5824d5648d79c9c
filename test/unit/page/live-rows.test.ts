import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addEvents, EMPTY, type LiveState, ROWS_KEPT, ROWS_PER_SECOND } from "../../../console/screens/live/rows.ts";

const events = (count: number, from = 0) => Array.from({ length: count }, (_, index) => ({ id: `e-${from + index}` }));

/** Ids of drawn events and numbers of skipped ones, as the screen has them. */
const shape = ({ rows }: LiveState) => rows.map((row) => (row.kind === "event" ? row.event["id"] : row.count));

describe("the rows of the live screen", () => {
  it("shown and skipped are together all that came, whatever the pace", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(1_500)), { maxLength: 30 }), (pages) => {
        let now = 0;
        let state = EMPTY;
        for (const [count, pause] of pages) {
          now += pause;
          state = addEvents(state, events(count), now);
        }

        expect(state.shown + state.skipped).toBe(pages.reduce((sum, [count]) => sum + count, 0));
      }),
    );
  });

  it("no second has more than fifty new rows, however the pages fall into it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(80), fc.nat(400)), { minLength: 1, maxLength: 30 }), (pages) => {
        const draws: { at: number; count: number }[] = [];
        let now = 0;
        let state = EMPTY;
        for (const [count, pause] of pages) {
          now += pause;
          const before = state.shown;
          state = addEvents(state, events(count), now);
          draws.push({ at: now, count: state.shown - before });
        }
        for (const { at } of draws) {
          const second = draws.filter((draw) => draw.at >= at && draw.at < at + 1_000);
          expect(second.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(ROWS_PER_SECOND);
        }
      }),
    );
  });

  it("the newest events of a large page are drawn, above the number of those that are not", () => {
    const state = addEvents(EMPTY, events(53), 0);

    expect(shape(state)).toEqual([
      ...events(50, 3)
        .map(({ id }) => id)
        .toReversed(),
      3,
    ]);
  });

  it("events that are skipped one page after another are one number", () => {
    const full = addEvents(EMPTY, events(50), 0);
    const state = addEvents(addEvents(full, events(4), 10), events(6), 20);

    expect(shape(state)[0]).toBe(10);
    expect(state.rows).toHaveLength(51);
  });

  it("rows beyond those that are kept leave the screen, and stay counted", () => {
    let state = EMPTY;
    for (let page = 0; page < 12; page++) state = addEvents(state, events(50, page * 50), page * 1_000);

    expect(state.rows).toHaveLength(ROWS_KEPT);
    expect(state.shown).toBe(600);
  });

  it("each row has a key of its own", () => {
    let state = EMPTY;
    for (let page = 0; page < 5; page++) state = addEvents(state, events(40), page * 300);

    expect(new Set(state.rows.map(({ key }) => key)).size).toBe(state.rows.length);
  });
});
