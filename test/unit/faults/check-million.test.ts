import { expect, it } from "vitest";
import { check } from "../../faults/checker/check.ts";
import { createHistory } from "../../faults/checker/history.ts";
import { atRest, NOW } from "./support.ts";

const EVENTS = 1_000_000;
const REQUEST_EVENTS = 1_000;
const CHECK_MAX_CPU_SECONDS = 5;

it("the checker handles a million events within five seconds of one core", { timeout: 120_000 }, () => {
  const history = createHistory();
  for (let first = 0; first < EVENTS; first += REQUEST_EVENTS) {
    const events = Array.from({ length: REQUEST_EVENTS }, (_, offset) => ({
      ...key(first + offset),
      fingerprint: "x",
    }));
    history.attempt(events, NOW + first)("acked", NOW + first + 40);
  }
  const stored = Array.from({ length: EVENTS - 1 }, (_, index) => ({
    ...key(EVENTS - 1 - index),
    fingerprint: "x",
    storedAt: NOW + EVENTS + index,
  }));

  // Measure this thread alone, because other tests run on the same cores.
  const before = process.threadCpuUsage();
  const report = check(history, atRest({ stored }));
  const { user, system } = process.threadCpuUsage(before);

  expect(report.counts).toMatchObject({ acknowledged: EVENTS, stored: EVENTS - 1, lost: 1 });
  expect(report.examples.lost).toMatchObject([{ id: "event-0" }]);
  expect((user + system) / 1e6).toBeLessThan(CHECK_MAX_CPU_SECONDS);
});

function key(index: number) {
  return { tenant: `tenant-${index % 10}`, source: `/source/${index % 7}`, id: `event-${index}` };
}
