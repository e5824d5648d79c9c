import { expect, it } from "vitest";
import { check } from "../faults/checker/check.ts";
import { createHistory } from "../faults/checker/history.ts";
import { atRest, NOW } from "../unit/faults/support.ts";

const EVENTS = 1_000_000;
const REQUEST_EVENTS = 1_000;
const READS_OF_A_ROW_MAX = 5;

it("the checker reads each of a million rows a few times", () => {
  const history = createHistory();
  for (let first = 0; first < EVENTS; first += REQUEST_EVENTS) {
    const events = Array.from({ length: REQUEST_EVENTS }, (_, offset) => ({
      ...key(first + offset),
      fingerprint: "x",
    }));
    history.attempt(events, NOW + first)("acked", NOW + first + 40);
  }
  let reads = 0;
  const stored = Array.from({ length: EVENTS - 1 }, (_, index) => {
    const { id, ...others } = key(EVENTS - 1 - index);
    return {
      ...others,
      get id() {
        reads += 1;
        return id;
      },
      fingerprint: "x",
      storedAt: NOW + EVENTS + index,
    };
  });

  const report = check(history, atRest({ stored }));

  expect(report.counts).toMatchObject({ acknowledged: EVENTS, stored: EVENTS - 1, lost: 1 });
  expect(report.examples.lost).toMatchObject([{ id: "event-0" }]);
  // Comparing each row with others reads it more often the more there are.
  expect(reads).toBeLessThanOrEqual(READS_OF_A_ROW_MAX * EVENTS);
});

function key(index: number) {
  return { tenant: `tenant-${index % 10}`, source: `/source/${index % 7}`, id: `event-${index}` };
}
