import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keepSmallest } from "../../../functions/core/keep-smallest.ts";

describe("the sample of the smallest keys", () => {
  it("a sample has the items with the smallest keys, each once and in order, whatever came when", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("0", "1", "2", "3"), minLength: 1, maxLength: 3 })),
        fc.integer({ min: 0, max: 5 }),
        (keys, most) => {
          const sample = keepSmallest<string>(most);
          for (const key of keys) sample.add(key, key);
          expect(sample.list()).toEqual([...new Set(keys)].toSorted().slice(0, most));
        },
      ),
    );
  });

  it("a sample of one key keeps the first item", () => {
    const sample = keepSmallest<number>(2);
    for (const item of [1, 2]) sample.add("k", item);
    expect(sample.list()).toEqual([1]);
  });
});
