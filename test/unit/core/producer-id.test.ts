import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstProducerId, newProducerId, PRODUCER_ID, producerBegin } from "../../../functions/core/producer-id.ts";

const times = fc.integer({ min: 0, max: Date.parse("2999-01-01") });

describe("the id of a producer", () => {
  it("the id of a producer has the time of its begin, and is never the same twice", () => {
    fc.assert(
      fc.property(times, (begin) => {
        const [id, other] = [newProducerId(begin), newProducerId(begin)];

        expect(id).toMatch(PRODUCER_ID);
        expect(producerBegin(id)).toBe(begin);
        expect(other).not.toBe(id);
      }),
    );
  });

  it("the ids of producers sort as bytes by the time of their begin", () => {
    fc.assert(
      fc.property(times, times, (begin, since) => {
        const isOfRange = Buffer.compare(Buffer.from(newProducerId(begin)), Buffer.from(firstProducerId(since))) >= 0;

        expect(isOfRange).toBe(begin >= since);
      }),
    );
  });
});
