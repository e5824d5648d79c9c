import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuditEntry, AuditHead } from "../../../functions/core/access.ts";
import {
  chainEntry,
  EMPTY_HEAD,
  hashEntry,
  NO_HEAD,
  type NewEntry,
  verifyChain,
} from "../../../functions/core/audit.ts";
import { canonicalJson } from "../../../functions/core/canonical-json.ts";
import { auditSample } from "../../support/access-samples.ts";

type Chain = { entries: AuditEntry[]; head: AuditHead };

function chainOf(fields: NewEntry[]): Chain {
  const entries: AuditEntry[] = [];
  for (const each of fields) entries.push(chainEntry(entries.at(-1) ?? EMPTY_HEAD, each));
  const { number, hash } = entries.at(-1) ?? EMPTY_HEAD;
  return { entries, head: { number, hash } };
}

const chainOfLength = (length: number) =>
  chainOf(Array.from({ length }, (_, at) => auditSample({ requestId: `r-${at + 1}` })));

/** Gives entries the hashes of their texts, as somebody would who knows how they are made. */
const rehashed = (entry: AuditEntry): AuditEntry => ({ ...entry, hash: hashEntry(entry) });

const text = fc.string({ unit: "binary", maxLength: 8 });
const fields: fc.Arbitrary<NewEntry> = fc.record({
  tenant: fc.constant("acme"),
  at: fc.constantFrom("2026-11-29T10:00:00.000Z", "2026-11-29T10:00:00.001Z"),
  who: text,
  action: fc.constantFrom("key.create", "key.revoke"),
  target: text,
  details: fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }) as fc.Arbitrary<Record<string, unknown>>,
  requestId: text,
});
const chain = fc.array(fields, { minLength: 1, maxLength: 8 }).map(chainOf);
const member = fc.constantFrom("at", "who", "action", "target", "requestId", "previous", "hash", "tenant", "details");

describe("the hash of an entry", () => {
  it("is SHA-256 of its other members as JSON with sorted names", () => {
    const entry = chainEntry(EMPTY_HEAD, auditSample({ details: { b: [1, { z: null, a: "é" }], a: true } }));
    const canonical =
      '{"action":"key.create","at":"2026-11-29T10:00:00.000Z","details":{"a":true,"b":[1,{"a":"é","z":null}]},' +
      `"number":1,"previous":"${"0".repeat(64)}","requestId":"r-1","target":"4fQ0v7xYbN2k","tenant":"acme","who":"deployer"}`;

    expect(entry.hash).toBe(createHash("sha256").update(canonical, "utf8").digest("hex"));
  });

  it("is the same whatever the order of the members, and for details that came back from JSON", () => {
    fc.assert(
      fc.property(fields, (each) => {
        const entry = chainEntry(EMPTY_HEAD, each);
        const { hash, ...rest } = entry;
        const reversed = Object.fromEntries(Object.entries(rest).toReversed()) as Omit<AuditEntry, "hash">;
        expect(hashEntry(reversed)).toBe(hash);
        expect(hashEntry(JSON.parse(JSON.stringify(rest)) as typeof rest)).toBe(hash);
      }),
    );
  });

  it("tells texts apart that look alike when they are joined", () => {
    const of = (changes: Partial<AuditEntry>) => chainEntry(EMPTY_HEAD, auditSample(changes)).hash;

    expect(of({ who: "a", target: "bc" })).not.toBe(of({ who: "ab", target: "c" }));
    expect(of({ details: { n: 1 } })).not.toBe(of({ details: { n: "1" } }));
    expect(canonicalJson({ b: undefined, a: [] })).toBe('{"a":[]}');
  });
});

describe("a chain of the audit log", () => {
  it("is good as it was written, whatever stands in it, with its own head or one that was remembered", () => {
    fc.assert(
      fc.property(chain, fc.nat(), ({ entries, head }, at) => {
        const remembered = entries[at % entries.length] as AuditHead;
        expect(verifyChain(entries, head)).toBeUndefined();
        expect(verifyChain(entries, head, remembered)).toBeUndefined();
      }),
    );
    expect(verifyChain([], EMPTY_HEAD)).toBeUndefined();
  });

  it("is good with a head that is one entry behind, as a crash leaves it", () => {
    const { entries } = chainOfLength(3);

    expect(verifyChain(entries, entries[1] as AuditHead)).toBeUndefined();
    expect(verifyChain(entries.slice(0, 1), EMPTY_HEAD)).toBeUndefined();
  });

  it("names the entry of which any member was edited", () => {
    fc.assert(
      fc.property(chain, fc.nat(), member, ({ entries, head }, at, name) => {
        const index = at % entries.length;
        const edited = entries.with(index, {
          ...(entries[index] as AuditEntry),
          [name]: name === "details" ? { other: true } : `${String(entries[index]?.[name as "who"])}x`,
        });
        expect(verifyChain(edited, head)).toMatchObject({ kind: "edited", number: index + 1 });
      }),
    );
  });

  it("names the entries between which one was edited together with its hash", () => {
    fc.assert(
      fc.property(chain, fc.nat(), ({ entries, head }, at) => {
        const index = at % entries.length;
        const forged = entries.with(index, rehashed({ ...(entries[index] as AuditEntry), who: "somebody else" }));
        // The next entry follows another one; of the last entry the head says so.
        const number = index === entries.length - 1 ? index + 1 : index + 2;
        expect(verifyChain(forged, head)).toMatchObject({ kind: "replaced", number });
      }),
    );
  });

  it("names the entry that was removed before the end", () => {
    fc.assert(
      fc.property(chain, fc.nat(), ({ entries, head }, at) => {
        fc.pre(entries.length > 1);
        const index = at % (entries.length - 1);
        expect(verifyChain(entries.toSpliced(index, 1), head)).toMatchObject({ kind: "missing", number: index + 1 });
      }),
    );
  });

  it("names the first entry that was removed at the end", () => {
    fc.assert(
      fc.property(chain, fc.nat(), ({ entries, head }, kept) => {
        const left = entries.slice(0, kept % entries.length);
        expect(verifyChain(left, head)).toMatchObject({ kind: "removed_at_end", number: left.length + 1 });
      }),
    );
  });

  it("finds two entries that were swapped, and one that stands twice", () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.nat(), ({ entries, head }, a, b) => {
        const [one, other] = [a % entries.length, b % entries.length];
        const [first, second] = [entries[one] as AuditEntry, entries[other] as AuditEntry];
        expect(verifyChain([...entries, first], head)).toMatchObject({ kind: "out_of_order", number: one + 1 });
        fc.pre(one !== other);
        expect(verifyChain(entries.with(one, second).with(other, first), head)).toBeDefined();
        // As a table would show it, whose entries are sorted by their numbers.
        const renumbered = entries
          .with(one, { ...second, number: one + 1 })
          .with(other, { ...first, number: other + 1 });
        expect(verifyChain(renumbered, head)).toMatchObject({ kind: "edited", number: Math.min(one, other) + 1 });
      }),
    );
  });

  it("finds an entry that was put in between", () => {
    const { entries, head } = chainOfLength(3);
    const forged = rehashed({ ...(entries[1] as AuditEntry), who: "somebody else" });

    expect(verifyChain(entries.toSpliced(1, 0, forged), head)).toMatchObject({ kind: "out_of_order", number: 2 });
  });

  it("finds an entry with a number that no change gets, also one that follows the entry before", () => {
    const { entries, head } = chainOfLength(3);
    for (const number of [1.5, 2 ** 53, 1e300]) {
      const after = Math.min(Math.floor(number), 3);
      const added = rehashed({ ...chainEntry(entries[after - 1] as AuditHead, auditSample()), number });
      const found = verifyChain(entries.toSpliced(after, 0, added), head);
      expect(found).toMatchObject({
        number,
        kind: "added",
        message: expect.stringContaining(`Entry ${number} was added`),
      });
    }
  });

  it("finds a head that was changed or removed", () => {
    const { entries } = chainOfLength(3);

    expect(verifyChain(entries, EMPTY_HEAD)).toMatchObject({ kind: "wrong_head" });
    expect(verifyChain(entries, entries[0] as AuditHead)).toMatchObject({ kind: "wrong_head", number: 1 });
    expect(verifyChain(entries, { number: 3, hash: "f".repeat(64) })).toMatchObject({ kind: "replaced", number: 3 });
    for (const head of [
      { number: 0, hash: "f".repeat(64) },
      { number: 3, hash: "" },
      { number: 2.5, hash: "f".repeat(64) },
    ])
      for (const chain of [[], entries, entries.slice(0, 1)])
        expect(verifyChain(chain, head)).toMatchObject({ kind: "wrong_head", number: head.number });
    expect(verifyChain([], NO_HEAD)).toBeUndefined();
    for (const count of [1, 2, 3])
      expect(verifyChain(entries.slice(0, count), NO_HEAD)).toMatchObject({
        kind: "wrong_head",
        message: "The log was changed: it has no head, which was removed.",
      });
  });

  it("finds another whole chain, or one cut together with its head, by a head that was remembered", () => {
    const { entries, head } = chainOfLength(5);
    const other = chainOf(entries.map((entry) => ({ ...entry, who: "somebody else" })));
    const cut = entries.slice(0, 2);

    expect(verifyChain(other.entries, other.head)).toBeUndefined();
    expect(verifyChain(other.entries, other.head, head)).toMatchObject({ kind: "rewritten", number: 5 });
    expect(verifyChain(cut, cut.at(-1) as AuditHead)).toBeUndefined();
    expect(verifyChain(cut, cut.at(-1) as AuditHead, head)).toMatchObject({ kind: "removed_at_end", number: 3 });
  });

  it("says in one sentence what was found", () => {
    const { entries, head } = chainOfLength(2);
    const faults = [
      verifyChain(entries.slice(1), head),
      verifyChain(entries.slice(0, 1), head),
      verifyChain(entries.with(1, { ...(entries[1] as AuditEntry), who: "x" }), head),
    ];

    expect(faults.map((fault) => fault?.message)).toEqual([
      "Entry 1 is missing: it was removed.",
      "Entry 2 is missing: the head names entry 2, so the end was removed.",
      "Entry 2 was edited: its hash is that of another text.",
    ]);
  });
});
