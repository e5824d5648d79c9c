import { describe, expect, it } from "vitest";
import {
  FILTER_LIST_MAX_ITEMS,
  FILTER_MAX_ALTERNATIVES,
  FILTER_MAX_BYTES,
  FILTER_MAX_CONDITIONS,
  FILTER_MAX_DEPTH,
  FILTER_MAX_PATH_STEPS,
  FILTER_MAX_VALUES,
  FILTER_TEXT_MAX_BYTES,
} from "../../../../functions/core/filter-limits.ts";
import { parseFilter } from "../../../../functions/core/filter/filter.ts";
import { EVENT_MAX_DEPTH, NUMBER_MAX_DIGITS, TIME_MAX_CHARACTERS } from "../../../../functions/core/limits.ts";
import { faultOf, json, matches } from "./support.ts";

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const exact = { exact: { type: "a" } };
const timeOf = (characters: number) => `${"2026-11-21T09:30:00.".padEnd(characters - 1, "9")}Z`;

describe("a filter", () => {
  it.each([
    exact,
    { prefix: { type: "com.", source: "/" } },
    { suffix: { subject: "x" } },
    { all: [exact] },
    { any: [exact, { not: exact }] },
    { exact: { traceid: "a", sampled: true, weight: -3, time: "2026-11-21T09:30:00Z" } },
    { exact: { constructor: "an extension attribute, whatever an object of JavaScript has under this name" } },
    { exact: { time: timeOf(TIME_MAX_CHARACTERS) } },
    { data: { a: [1, "x", null, true, { exists: false }] } },
    { data: ["text"] },
    { data: { "": [1], "a.b": { '"': [{ prefix: "" }] } } },
    { data: { $or: [{ a: [1] }, { b: [2] }] } },
    { data: { a: [{ "anything-but": { numeric: ["<", 0] } }, { text: [">=", "a", "<", "b"] }] } },
    json('{"data":{"a":[9007199254740993,1e400,{"numeric":["=",1e-400]}]}}'),
  ])("is valid, and stays the same JSON: %j", (filter) => {
    expect(parseFilter(filter)).toEqual(filter);
  });

  it.each<[unknown, string, string]>([
    [undefined, "", "must be an object with one dialect"],
    [null, "", "must be an object with one dialect"],
    [[], "", "must be an object with one dialect"],
    ["type=a", "", "must be an object with one dialect"],
    [json("9007199254740993"), "", "must be an object with one dialect"],
    [{}, "", "is empty; give one dialect"],
    [{ exact: { type: "a" }, prefix: { type: "a" } }, "", '{"all": [{…}, {…}]}'],
    [{ type: "a" }, "/type", "is no dialect; the dialects are exact, prefix"],
    [{ sql: "type = 'a'" }, "/sql", "is no dialect"],
    [{ exact: "a" }, "/exact", "must be an object of values by attribute"],
    [{ exact: {} }, "/exact", "name at least one attribute"],
    [{ exact: { type: "" } }, "/exact/type", "is empty"],
    [{ exact: { type: null } }, "/exact/type", "must be a text"],
    [{ exact: { type: 5 } }, "/exact/type", "never a number"],
    [{ exact: { weight: 1.5 } }, "/exact/weight", "must be a text"],
    [{ prefix: { sampled: true } }, "/prefix/sampled", "must be a text"],
    [{ exact: { time: "today" } }, "/exact/time", "must be an RFC 3339 time"],
    [{ exact: { time: timeOf(TIME_MAX_CHARACTERS + 1) } }, "/exact/time", "at most 64 characters"],
    [{ exact: { Type: "a" } }, "/exact/Type", "is no attribute"],
    [{ exact: { tenant: "a" } }, "/exact/tenant", "a request sees the events of one tenant"],
    [{ exact: { receivedat: "a" } }, "/exact/receivedat", "with from and to"],
    [{ exact: { specversion: "1.0" } }, "/exact/specversion", "leave it out"],
    [{ exact: { data: "a" } }, "/exact/data", "with the dialect data"],
    [{ exact: { data_base64: "a" } }, "/exact/data_base64", "binary"],
    [{ exact: { __proto__x: "a" } }, "/exact/__proto__x", "is no attribute"],
    [{ all: [] }, "/all", "at least one filter"],
    [{ any: exact }, "/any", "must be a list"],
    [{ all: [exact, { any: [{ not: 5 }] }] }, "/all/1/any/0/not", "must be an object"],
    [{ data: 5 }, "/data", "must be a list of conditions"],
    [{ data: {} }, "/data", "name a member"],
    [{ data: { a: 5 } }, "/data/a", "must be a list of conditions, as in [5]"],
    [{ data: { a: { prefix: "x" } } }, "/data/a/prefix", 'write [{"prefix": …}]'],
    [{ data: { a: [] } }, "/data/a", "at least 1 condition"],
    [{ data: { a: [[1]] } }, "/data/a/0", "lists are not nested"],
    [{ data: { a: [{}] } }, "/data/a/0", "must have one operator of prefix"],
    [{ data: { a: [{ prefix: "a", suffix: "b" }] } }, "/data/a/0", "must have one operator"],
    [{ data: { a: [{ regex: "a" }] } }, "/data/a/0/regex", "is no operator here"],
    [{ data: { a: [{ prefix: 5 }] } }, "/data/a/0/prefix", "must be a text"],
    [{ data: { a: [{ prefix: ["a"] }] } }, "/data/a/0/prefix", "must be a text"],
    [{ data: { a: [{ prefix: { wildcard: "a" } }] } }, "/data/a/0/prefix/wildcard", "equals-ignore-case"],
    [{ data: { a: [{ wildcard: "a**b" }] } }, "/data/a/0/wildcard", "has **"],
    [{ data: { a: [{ wildcard: "a\\b" }] } }, "/data/a/0/wildcard", "a backslash that escapes nothing"],
    [{ data: { a: [{ wildcard: "a\\" }] } }, "/data/a/0/wildcard", "a backslash that escapes nothing"],
    [{ data: { a: [{ cidr: "10.0.0.1" }] } }, "/data/a/0/cidr", "as in 10.0.0.0/8"],
    [{ data: { a: [{ cidr: "10.0.0.0/33" }] } }, "/data/a/0/cidr", "as in 10.0.0.0/8"],
    [{ data: { a: [{ cidr: "::/129" }] } }, "/data/a/0/cidr", "as in 10.0.0.0/8"],
    [{ data: { a: [{ exists: 1 }] } }, "/data/a/0/exists", "must be true or false"],
    [{ data: { a: [{ numeric: 5 }] } }, "/data/a/0/numeric", "one or two comparisons"],
    [{ data: { a: [{ numeric: [">"] }] } }, "/data/a/0/numeric", "one or two comparisons"],
    [{ data: { a: [{ numeric: ["!=", 5] }] } }, "/data/a/0/numeric/0", "must be one of = > >= < <="],
    [{ data: { a: [{ numeric: [">", "5"] }] } }, "/data/a/0/numeric/1", "must be one of numbers"],
    [{ data: { a: [{ numeric: [">", 5, ">=", 7] }] } }, "/data/a/0/numeric", "one lower and one upper bound"],
    [{ data: { a: [{ numeric: ["=", 5, "<", 7] }] } }, "/data/a/0/numeric", "one lower and one upper bound"],
    [{ data: { a: [{ text: [">", 5] }] } }, "/data/a/0/text/1", "must be one of texts"],
    [{ data: { a: [{ "anything-but": [] }] } }, "/data/a/0/anything-but", "at least one value"],
    [{ data: { a: [{ "anything-but": [[1]] }] } }, "/data/a/0/anything-but/0", "must be a text, a number"],
    [{ data: { a: [{ "anything-but": { exists: true } }] } }, "/data/a/0/anything-but/exists", "is no operator here"],
    [{ data: { a: [{ "anything-but": { wildcard: ["a", "**"] } }] } }, "/data/a/0/anything-but/wildcard/1", "has **"],
    [{ data: { $or: [{ a: [1] }] } }, "/data/$or", "at least 2 patterns"],
    [{ data: { $or: { a: [1] } } }, "/data/$or", "two or more patterns"],
    [{ data: { $or: [{ a: [1] }, [1]] } }, "/data/$or/1", "must be an object"],
    [{ data: { a: [1], $or: [{ a: [2] }, { b: [1] }] } }, "/data/$or/0/a", "second condition for one path"],
    [{ data: { a: [1], $or: [{ a: { x: [2] } }, { b: [1] }] } }, "/data/$or/0/a", "second condition for one path"],
    [{ data: { "a/b": { "~": [{}] } } }, "/data/a~1b/~0/0", "must have one operator"],
    [{ exact: { type: "\u0000" } }, "/exact/type", "U+0000"],
    [{ data: { a: ["\ud800"] } }, "/data/a/0", "half of a surrogate pair"],
    [JSON.parse('{"data":{"__proto__":[1]}}'), "/data", "__proto__"],
    [json(`{"data":{"a":[1e${NUMBER_MAX_DIGITS}]}}`), "/data/a/0", "digits"],
  ])("is refused with the place and what to do: %j", (filter, pointer, detail) => {
    expect(faultOf(filter)).toEqual({ pointer, detail: expect.stringContaining(detail) });
  });

  it("that is nested without end is refused before it is read", () => {
    const deep = times(EVENT_MAX_DEPTH + 1, () => 0).reduce<unknown>((filter) => ({ not: filter }), exact);

    expect(faultOf(deep)?.detail).toContain("nested deeper");
  });
});

describe("the limits of a filter", () => {
  const nested = (depth: number) => times(depth - 1, () => 0).reduce<unknown>((filter) => ({ not: filter }), exact);
  const path = (steps: number) => ({ data: times(steps, () => 0).reduce<unknown>((part) => ({ a: part }), [1]) });
  const text = (bytes: number) => "é".repeat(Math.floor(bytes / 2)) + "a".repeat(bytes % 2);
  const attributes = (count: number) => ({ exact: Object.fromEntries(times(count, (i) => [`x${i}`, "a"])) });
  const paths = (count: number) => ({ data: Object.fromEntries(times(count, (i) => [`x${i}`, [1]])) });
  const either = (count: number) => ({ $or: times(count, (i) => ({ [`x${i}`]: [1] })) });
  /** With four conditions beside it, each of the patterns is five conditions. */
  const beside = (count: number) => ({ data: { ...either(count), a: [1], b: [1], c: [1], d: { e: [1] } } });
  const excludedOf = (count: number): unknown[] => [{ "anything-but": { suffix: times(count, String) } }];
  const valuesOf = (count: number, list = (n: number): unknown[] => times(n, (i) => i)) => {
    const sizes = times(Math.ceil(count / FILTER_LIST_MAX_ITEMS), (i) =>
      Math.min(FILTER_LIST_MAX_ITEMS, count - i * FILTER_LIST_MAX_ITEMS),
    );
    return { all: sizes.map((size) => ({ data: list(size) })) };
  };
  /** A hundred texts, the last of which are shorter, so that the whole has so many bytes. */
  const ofBytes = (bytes: number) => {
    const texts = times(2, () => times(FILTER_LIST_MAX_ITEMS, () => ""));
    const filter = { any: texts.map((data) => ({ data })) };
    let rest = bytes - JSON.stringify(filter).length;
    for (const list of texts) {
      for (const i of list.keys()) {
        list[i] = "x".repeat(Math.min(rest, FILTER_TEXT_MAX_BYTES));
        rest -= list[i].length;
      }
    }
    return filter;
  };

  it.each<[string, number, (n: number) => unknown, string]>([
    ["levels", FILTER_MAX_DEPTH, nested, "nested deeper"],
    ["keys of a path", FILTER_MAX_PATH_STEPS, path, "keys below data"],
    ["bytes of an attribute's value", FILTER_TEXT_MAX_BYTES, (n) => ({ exact: { type: text(n) } }), "bytes"],
    ["bytes of a value", FILTER_TEXT_MAX_BYTES, (n) => ({ data: [text(n)] }), "bytes"],
    ["bytes of a prefix", FILTER_TEXT_MAX_BYTES, (n) => ({ data: [{ prefix: text(n) }] }), "bytes"],
    ["bytes of an excluded value", FILTER_TEXT_MAX_BYTES, (n) => ({ data: [{ "anything-but": [text(n)] }] }), "bytes"],
    ["bytes of a bound", FILTER_TEXT_MAX_BYTES, (n) => ({ data: [{ text: ["<", text(n)] }] }), "bytes"],
    ["bytes of a key", FILTER_TEXT_MAX_BYTES, (n) => ({ data: { [text(n)]: [1] } }), "bytes"],
    ["conditions on attributes", FILTER_MAX_CONDITIONS, attributes, "one condition too many"],
    ["conditions on data", FILTER_MAX_CONDITIONS, paths, "one condition too many"],
    ["values of a condition", FILTER_LIST_MAX_ITEMS, (n) => ({ data: times(n, (i) => i) }), "the limit is"],
    [
      "excluded values",
      FILTER_LIST_MAX_ITEMS,
      (n) => ({ data: [{ "anything-but": times(n, (i) => i) }] }),
      "the limit is",
    ],
    [
      "excluded prefixes",
      FILTER_LIST_MAX_ITEMS,
      (n) => ({ data: [{ "anything-but": { prefix: times(n, String) } }] }),
      "the limit is",
    ],
    ["filters of any", FILTER_LIST_MAX_ITEMS, (n) => ({ any: times(n, () => exact) }), "the limit is"],
    ["conditions beside $or, for each of its patterns", FILTER_MAX_CONDITIONS / 5, beside, "one condition too many"],
    ["values", FILTER_MAX_VALUES, valuesOf, "has too many values"],
    ["excluded values in all lists", FILTER_MAX_VALUES, (n) => valuesOf(n, excludedOf), "has too many values"],
    ["alternatives", FILTER_MAX_ALTERNATIVES, (n) => ({ data: either(n) }), "combinations"],
    ["bytes", FILTER_MAX_BYTES, ofBytes, "bytes"],
  ])("a filter may have so many %s: %i, and not one more", (_what, limit, make, detail) => {
    expect([faultOf(make(limit - 1)), faultOf(make(limit))]).toEqual([undefined, undefined]);
    expect(faultOf(make(limit + 1))?.detail).toContain(detail);
  });

  it("the combinations of several $or are counted, and none is made before", () => {
    const levels = (count: number): unknown => (count === 0 ? [1] : { ...either(2), a: levels(count - 1) });

    expect(faultOf({ data: levels(3) })).toBeUndefined();
    expect(faultOf({ data: levels(5) })?.detail).toContain("32 combinations");
  });
});

describe("the dialects of CloudEvents Subscriptions", () => {
  const push = {
    id: "1",
    source: "/a",
    type: "com.github.push",
    subject: "https://github.com/cloudevents/spec",
    traceid: "x",
    sampled: true,
    weight: 5,
    time: "2026-11-21T09:30:00Z",
  };

  it.each<[unknown, boolean]>([
    [{ exact: { type: "com.github.push", subject: "https://github.com/cloudevents/spec" } }, true],
    [{ exact: { type: "com.github.push", subject: "https://github.com/cloudevents" } }, false],
    [{ exact: { type: "COM.github.push" } }, false],
    [{ prefix: { type: "com.github.", subject: "https://github.com/cloudevents" } }, true],
    [{ prefix: { type: "com.github.issue" } }, false],
    [{ suffix: { type: ".push", subject: "/cloudevents/spec" } }, true],
    [{ suffix: { type: ".created" } }, false],
    [
      { all: [{ exact: { type: "com.github.push" } }, { exact: { subject: "https://github.com/cloudevents/spec" } }] },
      true,
    ],
    [{ all: [{ exact: { type: "com.github.push" } }, { exact: { subject: "x" } }] }, false],
    [{ any: [{ exact: { type: "x" } }, { exact: { subject: "https://github.com/cloudevents/spec" } }] }, true],
    [{ any: [{ exact: { type: "x" } }, { exact: { subject: "x" } }] }, false],
    [{ not: { exact: { type: "com.github.push" } } }, false],
    [{ not: { exact: { type: "com.github.issue" } } }, true],
    [{ exact: { dataschema: "x" } }, false],
    [{ not: { exact: { dataschema: "x" } } }, true],
    [{ exact: { traceid: "x", sampled: true, weight: 5 } }, true],
    [{ exact: { sampled: "true", weight: "5" } }, true],
    [{ prefix: { sampled: "tr" } }, true],
    [{ exact: { weight: 6 } }, false],
    [{ exact: { tostring: "x" } }, false],
    [{ exact: { time: "2026-11-21T10:30:00.000+01:00" } }, true],
    [{ exact: { time: "2026-11-21T09:30:00.000001Z" } }, false],
    [{ prefix: { time: "2026-11-21T09:30" } }, true],
    [{ prefix: { time: "2026-11-21T10:30" } }, false],
  ])("%j matches the push: %s", (filter, expected) => {
    expect(matches(filter, push)).toBe(expected);
  });
});

describe("data", () => {
  it.each([
    ["none", {}],
    ["binary", { data_base64: "AAEC" }],
  ])("an event with data that is %s matches exists false and nothing else", (_what, data) => {
    const event = { id: "1", ...data };

    expect(matches({ data: { a: [{ exists: false }] } }, event)).toBe(true);
    expect(matches({ data: [{ exists: false }] }, event)).toBe(true);
    for (const condition of [null, "AAEC", { exists: true }, { "anything-but": 1 }, { prefix: "" }])
      expect(matches({ data: [condition] }, event)).toBe(false);
    expect(matches({ data: { a: [{ "anything-but": 1 }] } }, event)).toBe(false);
  });

  it.each([
    ["1", "1.0", true],
    ["100", "1e2", true],
    ["0", "-0", true],
    ["9007199254740993", "9007199254740992", false],
    ["9007199254740993", "9007199254740993.0", true],
    ["0.1", "0.10000000000000000001", false],
    ["1e400", "10e399", true],
    ["1", '"1"', false],
    ["null", "false", false],
  ])("the number %s is the number %s: %s", (a, b, expected) => {
    expect(matches({ data: [json(a)] }, { data: json(b) })).toBe(expected);
    expect(matches({ data: [json(b)] }, { data: json(a) })).toBe(expected);
  });
});
