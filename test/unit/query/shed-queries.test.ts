import { expect, it } from "vitest";
import type { ConsumerLag } from "../../../functions/core/feed.ts";
import { LAG_KNOWN_MS, LAG_READ_EVERY_MS, SHED_LAG_MS } from "../../../functions/core/query-load-limits.ts";
import { createShedQueries } from "../../../functions/query/shed-queries.ts";
import { createManualClock } from "../../support/manual-clock.ts";

function open(lag: (now: number) => ConsumerLag | undefined) {
  const clock = createManualClock();
  let reads = 0;
  const shedQueries = createShedQueries({
    lag: {
      async read() {
        reads += 1;
        return lag(clock.now());
      },
    },
    clock: () => new Date(clock.now()),
  });
  return { shedQueries, clock, reads: () => reads };
}

it("queries are refused while the consumer lags, with the time to wait and a count", async () => {
  const { shedQueries } = open((at) => ({ lagMs: SHED_LAG_MS, at }));

  await expect(shedQueries()).rejects.toMatchObject({
    code: "queries_shed",
    headers: { "retry-after": "10" },
    metrics: { QueriesShed: 1 },
  });
});

it.each([
  ["below the threshold", (at: number) => ({ lagMs: SHED_LAG_MS - 1, at })],
  ["that is unknown", () => undefined],
  ["of a mark that is old", (at: number) => ({ lagMs: SHED_LAG_MS, at: at - LAG_KNOWN_MS - 1 })],
])("queries go on at a lag %s", async (_what, lag) => {
  await expect(open(lag).shedQueries()).resolves.toBeUndefined();
});

it("a process asks for the lag once in some seconds, however many queries there are", async () => {
  const { shedQueries, clock, reads } = open(() => undefined);

  await shedQueries();
  clock.advance(LAG_READ_EVERY_MS - 1);
  await shedQueries();
  expect(reads()).toBe(1);
  clock.advance(1);
  await shedQueries();
  expect(reads()).toBe(2);
});

it("queries go on when the mark becomes old, also where it is not read again", async () => {
  const { shedQueries, clock } = open((at) => ({ lagMs: SHED_LAG_MS, at: at - LAG_KNOWN_MS }));
  await expect(shedQueries()).rejects.toThrow("Events wait 30 s");

  clock.advance(1);

  await expect(shedQueries()).resolves.toBeUndefined();
});
