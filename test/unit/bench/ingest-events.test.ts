import { describe, expect, it } from "vitest";
import { makeBody } from "../../../bench/events.ts";
import { door, memoryQueue } from "../ingest/support.ts";

describe("the events of the ingest benchmark", () => {
  it.each([
    [1, 400],
    [1, 48_000],
    [10, 8_000],
    [100, 1_000],
    [1_000, 400],
  ])(
    "the events of the ingest benchmark are accepted and enqueued verbatim: %i of %i bytes",
    async (events, eventBytes) => {
      const { queue, stored } = memoryQueue();

      for (const serial of [0, 63]) {
        const body = makeBody({ events, eventBytes, serial });
        const { accepted } = await door(queue)(body);

        expect(accepted).toBe(events);
        expect(stored.at(-1)?.body).toContain(events === 1 ? body : body.slice(1, -1));
        expect(body.length / events).toBeGreaterThanOrEqual(eventBytes);
        expect(body.length / events).toBeLessThan(1.2 * eventBytes);
      }
    },
  );
});
