import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FILTER_QUOTE_MAX_CHARACTERS } from "../../../../functions/core/filter-limits.ts";
import { explain } from "../../../../functions/core/filter/explain.ts";
import { parseFilter } from "../../../../functions/core/filter/filter.ts";
import { toPredicate } from "../../../../functions/core/filter/predicate.ts";
import { anyFilter, eventsOf } from "../../../support/filter-samples.ts";
import { json } from "./support.ts";

const event = json(`{
  "id": "1", "source": "/a", "type": "com.example.order", "time": "2026-11-21T09:30:00Z", "sampled": true,
  "data": {
    "total": 12345678901234567890, "tags": ["x", "y", "z", "w"], "customer": {"country": "DE"}, "none": [],
    "items": [{"sku": "a", "count": 1}, {"sku": "b", "count": 5}]
  }
}`) as Record<string, unknown>;

const reasonsOf = (filter: unknown) => explain(parseFilter(filter), event);

describe("explain", () => {
  it.each<[unknown, [string, string][]]>([
    [{ exact: { type: "com.example.order" } }, []],
    [{ exact: { type: "x", source: "/a" } }, [["/exact/type", 'must be "x"; the event has "com.example.order"']]],
    [{ prefix: { subject: "x" } }, [["/prefix/subject", 'must begin with "x"; the event does not have it']]],
    [{ suffix: { sampled: "x" } }, [["/suffix/sampled", 'must end with "x"; the event has "true"']]],
    [{ not: { exact: { source: "/a" } } }, [["/not", "matches, and must not"]]],
    [
      { all: [{ exact: { source: "/a" } }, { exact: { source: "/b" } }, { exact: { source: "/c" } }] },
      [
        ["/all/1/exact/source", 'must be "/b"; the event has "/a"'],
        ["/all/2/exact/source", 'must be "/c"; the event has "/a"'],
      ],
    ],
    [
      { any: [{ exact: { source: "/b" } }, { not: { exact: { source: "/a" } } }] },
      [
        ["/any", "none of the 2 filters matches"],
        ["/any/0/exact/source", 'must be "/b"; the event has "/a"'],
        ["/any/1/not", "matches, and must not"],
      ],
    ],
    [
      { data: { total: [{ numeric: ["<", 5] }], customer: { country: ["DE"] } } },
      [["/data/total", 'must meet one of [{"numeric":["<",5]}]; the event has 12345678901234567890']],
    ],
    [{ data: { "a/b": [1] } }, [["/data/a~1b", "must meet one of [1]; the event has nothing there"]]],
    [
      { data: { customer: ["DE"] } },
      [["/data/customer", 'must meet one of ["DE"]; the event has an object or an empty array there']],
    ],
    [
      { data: { none: [{ exists: true }] } },
      [["/data/none", 'must meet one of [{"exists":true}]; the event has an object or an empty array there']],
    ],
    [{ data: { tags: ["q"] } }, [["/data/tags", 'must meet one of ["q"]; the event has "x", "y", "z" and 1 more']]],
    [
      { data: { items: { sku: ["c"], count: [5] } } },
      [["/data/items/sku", 'must meet one of ["c"]; the event has "a", "b"']],
    ],
    [
      { data: { items: { sku: ["a"], count: [5] } } },
      [
        [
          "/data/items",
          "each condition below holds for an element of the array, but no single element meets all of them",
        ],
      ],
    ],
    [
      { data: { items: { count: [{ exists: false }] } } },
      [["/data/items/count", 'must meet one of [{"exists":false}]; the event has 1, 5']],
    ],
    [
      { data: { $or: [{ total: [1], tags: ["q"] }, { total: [2] }] } },
      [
        ["/data", "none of the 2 alternatives of $or matches; the closest lacks:"],
        ["/data/$or/1/total", "must meet one of [2]; the event has 12345678901234567890"],
      ],
    ],
  ])("explains %j", (filter, reasons) => {
    expect(reasonsOf(filter)).toEqual(reasons.map(([pointer, message]) => ({ pointer, message })));
  });

  it("says where some elements of an array have what must be missing in all of them", () => {
    const data = { items: [{ sku: "a" }, {}] };

    expect(explain(parseFilter({ data: { items: { sku: [{ exists: false }] } } }), { data })).toEqual([
      {
        pointer: "/data/items",
        message: "some elements of the array have a value that must be missing in all of them",
      },
    ]);
  });

  it("shortens what it quotes", () => {
    const long = "\u{1f680}".repeat(1_000);

    const [reason] = explain(parseFilter({ exact: { type: "x".repeat(1_000) } }), { type: long });
    const [other] = explain(parseFilter({ data: [1] }), { data: long });

    for (const text of [reason?.message ?? "", other?.message ?? ""]) {
      expect(text.length).toBeLessThan(3 * FILTER_QUOTE_MAX_CHARACTERS);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it("gives a reason for every event that does not match, and none for another", () => {
    fc.assert(
      fc.property(eventsOf(5), anyFilter, (events, filter) => {
        for (const each of events) {
          const { extensions, ...attributes } = each;
          const flat = { ...attributes, ...extensions };

          expect(explain(filter, flat).length > 0).toBe(!toPredicate(filter)(flat));
        }
      }),
      { numRuns: 300 },
    );
  });
});
