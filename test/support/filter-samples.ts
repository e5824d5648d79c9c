import * as fc from "fast-check";
import { RequestError } from "../../functions/core/errors.ts";
import type { Event } from "../../functions/core/event.ts";
import { parseFilter, type Filter } from "../../functions/core/filter/filter.ts";
import { escapeWildcard } from "../../functions/core/filter/wildcard.ts";
import { parseLossless } from "../../functions/core/lossless-json.ts";
import { smallData, smallPattern } from "./small-patterns.ts";

/**
 * Random events and filters of few words, so that many filters match some events and not others. The words are those that
 * SQL, JSON and JavaScript read in different ways.
 */

const json = (text: string): unknown => parseLossless(text).lossless;

const NUMBERS = [
  ["0", "-0", "1", "1.0", "-1", "2", "5", "0.1", "0.10000000000000000001", "1e2", "100", "100.0000000000000000"],
  ["9007199254740992", "9007199254740993", "9007199254740992.5", "-9007199254740993", "1e400", "-1e-400", "1e-400"],
]
  .flat()
  .map(json);

const TEXTS = [
  ["", "a", "A", "ab", "aB", "abc", "b", "ba", "é", "É", "e\u0301", "ß", "K", "\u212a", "İ"],
  ["\ufffd", "\u{10000}", "\u{10ffff}", "\ud7ff", "\ue000", "a\ufffd", "a\u{10000}", "a\u{10ffff}b"],
  [
    "%",
    "_",
    "a%",
    "a_b",
    "*",
    "a*b",
    "\\",
    "\\a",
    "a\\",
    "\n",
    "a\nb",
    '"',
    "'",
    "'; drop table events; --",
    "$1",
    ":x",
  ],
  ["1", "1.0", "true", "null", "{}", "2026-11-21", "2026-11-22T00:00:00Z"],
  ["10.0.0.1", "10.0.0.255", "10.1.0.0", "010.0.0.1", "256.1.1.1", "10.0.0", "10.0.0.1/24", "10.0.0.1 "],
  [
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "2001:DB8:0:0::1",
    "1:2:3:4:5:6:7::",
    "1::2::3",
    "fe80::1%eth0",
    "12345::",
  ],
].flat();

/**
 * Not a backslash: after an object with the key `\\`, JSON.parse of Node 24.21 reads an escaped key at the same place of another
 * object, such as `\"`, as that key. Node 20 does not.
 */
const KEYS = ["a", "b", "a.b", "", '"', "'", "$1", "é", "\ufffd", "0", "constructor", "__proto", ":x", "a b"];

const text = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...TEXTS) },
  fc.string({ maxLength: 4 }).filter((each) => !each.includes("\0")),
);
const scalar = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 4, arbitrary: fc.constantFrom(...NUMBERS) },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false) },
);
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b") },
  { weight: 1, arbitrary: fc.constantFrom(...KEYS) },
);

/** A member that is missing comes about as often as one that is there. */
const members = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(key, value), { maxLength: 4 }).map((all) => Object.fromEntries(all));

const data = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  object: members(tie("value")),
  value: fc.oneof(
    { maxDepth: 4 },
    { weight: 4, arbitrary: scalar },
    { weight: 3, arbitrary: tie("object") },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    { weight: 2, arbitrary: fc.array(tie("object"), { maxLength: 3 }) },
  ),
}));

const TIMES = [
  ["2026-11-21T09:30:00.000Z", "2026-11-21T09:30:00Z", "2026-11-21T10:30:00+01:00", "2026-11-21t09:30:00.0000004z"],
  [
    "2026-11-21T09:30:00.0000005Z",
    "2026-11-21T09:30:00.0000015Z",
    "2026-11-21T09:29:59.9999999Z",
    "2026-11-21T09:30:00.000001Z",
  ],
  [
    "2016-12-31T23:59:60Z",
    "2016-12-31T23:59:60.9999999Z",
    "2017-01-01T00:00:00Z",
    "0001-01-01T00:00:00+15:59",
    "9999-12-31T23:59:60-15:59",
  ],
].flat();

const TYPES = [
  "com.example.a",
  "com.example.b",
  "com.example.",
  "com.example.\u{10ffff}",
  "com.example/",
  "com",
  "é",
  "\u{10ffff}",
  "a*b",
];
const SOURCES = ["/a", "/a/b", "/", "/\ufffd", "/\u{10000}", "urn:x"];
const SUBJECTS = ["a", "A", "ab", "%", "\ufffd", "\u{10ffff}a", "1"];
const EXTENSIONS = ["a", "b", "trace", "0", "type1", "constructor"];
const SCHEMAS = ["https://example.com/a", "https://example.com/b", "urn:x"];
const MEDIA_TYPES = ["application/json", "text/plain", "application/octet-stream"];
const extension = fc.constantFrom<(string | number | boolean)[]>(
  "a",
  "A",
  "1",
  "true",
  "x:y",
  true,
  false,
  1,
  0,
  -5,
  100,
);

/** Events as ingest accepts them, without an id. */
const unnamed: fc.Arbitrary<Omit<Event, "id">> = fc
  .record(
    {
      source: fc.constantFrom(...SOURCES),
      type: fc.constantFrom(...TYPES),
      subject: fc.constantFrom(...SUBJECTS),
      time: fc.constantFrom(...TIMES),
      dataschema: fc.constantFrom(...SCHEMAS),
      datacontenttype: fc.constantFrom(...MEDIA_TYPES),
      extensions: fc.dictionary(fc.constantFrom(...EXTENSIONS), extension, { maxKeys: 3, noNullPrototype: true }),
      data: fc.oneof(
        { weight: 4, arbitrary: data.object },
        { weight: 4, arbitrary: smallData },
        { weight: 1, arbitrary: data.value },
      ),
      data_base64: fc.constant("AAEC"),
    },
    { requiredKeys: ["source", "type", "time"], noNullPrototype: true },
  )
  .map(({ data_base64, ...event }) =>
    event.data === undefined && data_base64 !== undefined ? { ...event, data_base64 } : event,
  );

/** `count` events with ids of their own, some of which are hard to read. */
export function eventsOf(count: number): fc.Arbitrary<Event[]> {
  const names = ["", "'", '"', "\ufffd", "\u{10ffff}", "$1", "é"];
  return fc
    .array(unnamed, { minLength: count, maxLength: count, size: "max" })
    .map((all) => all.map((event, i) => ({ ...event, id: `${i}${names[i % names.length]}` })));
}

const affix = (value: string[]) =>
  fc.constantFrom(...value.flatMap((each) => [each, each.slice(0, 3), each.slice(-2)]).filter(isText));
const isText = (each: string) => each !== "" && each.isWellFormed();
const ATTRIBUTES: [string, string[]][] = [
  ["id", Array.from({ length: 30 }, (_, i) => String(i))],
  ["source", SOURCES],
  ["type", TYPES],
  ["subject", SUBJECTS],
  ["time", TIMES],
  ["dataschema", SCHEMAS],
  ["datacontenttype", MEDIA_TYPES],
  ...EXTENSIONS.map((name): [string, string[]] => [name, ["a", "A", "1", "-5", "100", "true", "false", "x:y"]]),
];

const attributes = (dialect: string): fc.Arbitrary<unknown> =>
  fc
    .uniqueArray(
      fc
        .constantFrom(...ATTRIBUTES)
        .chain(([name, values]) =>
          fc.tuple(fc.constant(name), dialect === "exact" ? fc.constantFrom(...values) : affix(values)),
        ),
      { minLength: 1, maxLength: 2, selector: ([name]) => name },
    )
    .map((entries) => ({ [dialect]: Object.fromEntries(entries) }));

const texts = (value: fc.Arbitrary<string>) => fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));
const wildcard = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constant("*") }, { weight: 3, arbitrary: text.map(escapeWildcard) }), {
    maxLength: 4,
  })
  .map((parts) =>
    parts.join("").replaceAll(/\*+/g, (stars, at: number, all: string) => (all[at - 1] === "\\" ? stars : "*")),
  );
const CIDRS = [
  "10.0.0.0/8",
  "10.0.0.0/24",
  "10.0.0.77/31",
  "0.0.0.0/0",
  "::/0",
  "2001:db8::/32",
  "::ffff:0:0/96",
  "::1/128",
  "10.0.0.1/32",
];
const cidr = fc.constantFrom(...CIDRS);
const range = (bound: fc.Arbitrary<unknown>) =>
  fc.oneof(
    fc.tuple(fc.constantFrom("=", "<", "<=", ">", ">="), bound),
    fc.tuple(fc.constantFrom(">", ">="), bound, fc.constantFrom("<", "<="), bound),
  );
const prefix = text.map((each) => Array.from(each).slice(0, 1).join(""));
const suffix = text.map((each) => Array.from(each).slice(-1).join(""));

const operator = (listed: boolean): fc.Arbitrary<unknown> => {
  const some = (value: fc.Arbitrary<string>) => (listed ? texts(value) : value);
  const folding = (value: fc.Arbitrary<string>) =>
    fc.oneof(some(value), fc.record({ "equals-ignore-case": some(value) }, { noNullPrototype: true }));
  return fc.oneof(
    folding(prefix).map((value) => ({ prefix: value })),
    folding(suffix).map((value) => ({ suffix: value })),
    some(text).map((value) => ({ "equals-ignore-case": value })),
    some(wildcard).map((value) => ({ wildcard: value })),
    some(cidr).map((value) => ({ cidr: value })),
    range(fc.constantFrom(...NUMBERS)).map((value) => ({ numeric: value })),
    range(text).map((value) => ({ text: value })),
  );
};

const condition = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 4, arbitrary: operator(false) },
  { weight: 2, arbitrary: fc.boolean().map((exists) => ({ exists })) },
  {
    weight: 3,
    arbitrary: fc
      .oneof(scalar, fc.array(scalar, { minLength: 1, maxLength: 3 }), operator(true))
      .map((excluded) => ({ "anything-but": excluded })),
  },
);
const conditions = fc.array(condition, { minLength: 1, maxLength: 3 });

/** Small patterns match often; a quarter of them has `$or`. */
const pattern = fc.letrec<{ part: unknown; members: object; object: object }>((tie) => ({
  part: fc.oneof({ maxDepth: 3 }, { weight: 3, arbitrary: conditions }, { weight: 1, arbitrary: tie("object") }),
  members: fc
    .oneof(
      { weight: 3, arbitrary: fc.tuple(fc.tuple(key, tie("part"))) },
      { weight: 1, arbitrary: fc.tuple(fc.tuple(key, tie("part")), fc.tuple(key, tie("part"))) },
    )
    .map((entries) => Object.fromEntries<unknown>(entries)),
  object: fc.oneof(
    { weight: 3, arbitrary: tie("members") },
    { weight: 1, arbitrary: fc.tuple(tie("members"), tie("members")).map(($or) => ({ $or })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie("members"), fc.tuple(tie("members"), tie("members")))
        .map(([all, $or]) => ({ ...all, $or })),
    },
  ),
}));

const dialects = fc.letrec<{ filter: unknown }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    { weight: 6, arbitrary: fc.oneof(pattern.object, smallPattern(2), conditions).map((each) => ({ data: each })) },
    { weight: 4, arbitrary: fc.constantFrom("exact", "prefix", "suffix").chain(attributes) },
    { weight: 1, arbitrary: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }).map((all) => ({ all })) },
    { weight: 2, arbitrary: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
    { weight: 1, arbitrary: tie("filter").map((not) => ({ not })) },
  ),
}));

/** Data of one value each: every word. */
export const EACH_SCALAR: readonly unknown[] = [...TEXTS, ...NUMBERS, null, true, false];

const COMPARISONS = ["=", "<", "<=", ">", ">="];
const withText = (name: string) => TEXTS.map((each) => ({ [name]: each }));
const folded = (name: string) => TEXTS.map((each) => ({ [name]: { "equals-ignore-case": each } }));
const compared = (name: string, bounds: readonly unknown[]) =>
  COMPARISONS.flatMap((each) => bounds.map((bound) => ({ [name]: [each, bound] })));

/** Every condition with every word. */
export const EACH_CONDITION: readonly unknown[] = [
  ...EACH_SCALAR,
  ...withText("prefix"),
  ...withText("suffix"),
  ...withText("equals-ignore-case"),
  ...folded("prefix"),
  ...folded("suffix"),
  ...TEXTS.filter(isText).map((each) => ({ wildcard: `*${escapeWildcard(each)}*` })),
  ...TEXTS.filter(isText).map((each) => ({ wildcard: `${escapeWildcard(each)}*${escapeWildcard(each)}` })),
  ...CIDRS.map((each) => ({ cidr: each })),
  ...compared("numeric", NUMBERS),
  ...compared("text", TEXTS),
  { exists: true },
  { exists: false },
];

/** Filters that are valid; the generator makes some with `$or` that is not. */
export const anyFilter: fc.Arbitrary<Filter> = dialects.filter.filter(isFilter);

function isFilter(value: unknown): value is Filter {
  try {
    parseFilter(value);
    return true;
  } catch (error) {
    if (error instanceof RequestError) return false;
    throw error;
  }
}
