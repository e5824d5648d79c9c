import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashKey, hasHash, KEY_CHARACTERS, KEY_PATTERN, makeKey, parseKey } from "../../../functions/core/key.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KEYS = 100_000;
const secret = Buffer.from("the secret of one installation");

/** Bytes that repeat a pattern, so that a key is known in advance. */
const fixedBytes = (...pattern: number[]) => {
  let at = 0;
  return (count: number) => Uint8Array.from({ length: count }, () => pattern[at++ % pattern.length] ?? 0);
};

describe("a key", () => {
  it("is sluice_, the id, the secret and the CRC-32 of both in base62", () => {
    const { id, text } = makeKey(fixedBytes(0, 1, 10, 36, 61));

    expect(id).toBe("01Aaz01Aaz01");
    // CRC-32 of the 44 characters is 275214477, by zlib of Python.
    expect(text).toBe("sluice_01Aaz01Aaz01Aaz01Aaz01Aaz01Aaz01Aaz01Aaz01Aa0IclrB");
    expect(text).toHaveLength(KEY_CHARACTERS);
  });

  it("matches the published pattern, is read back, and is never the same twice", () => {
    const pattern = new RegExp(`^${KEY_PATTERN}$`);
    const keys = Array.from({ length: KEYS }, () => makeKey(randomBytes));

    expect(keys.filter(({ text }) => !pattern.test(text))).toEqual([]);
    expect(keys.filter(({ id, text }) => parseKey(text)?.id !== id)).toEqual([]);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(KEYS);
    expect(new Set(keys.map(({ text }) => text)).size).toBe(KEYS);
  });

  it("has every character with the same chance", () => {
    const counts = new Map<string, number>();
    for (let made = 0; made < KEYS; made++) {
      for (const character of makeKey(randomBytes).text.slice("sluice_".length, -6)) {
        counts.set(character, (counts.get(character) ?? 0) + 1);
      }
    }

    expect([...counts.keys()].toSorted().join("")).toBe(DIGITS);
    // Chi-squared with 61 degrees of freedom: above 160 once in 10^10 runs. Bytes taken modulo 62 give about 29,000.
    const expected = (KEYS * 44) / DIGITS.length;
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquared).toBeLessThan(160);
  });

  it("is refused after a change of any one of its characters", () => {
    const { text } = makeKey(randomBytes);

    const accepted = Array.from(text, (kept, at) =>
      Array.from(`${DIGITS}_-é\n`, (other) =>
        other === kept ? undefined : parseKey(text.slice(0, at) + other + text.slice(at + 1)),
      ),
    ).flat();

    expect(accepted).toHaveLength(57 * 66);
    expect(accepted.filter((read) => read !== undefined)).toEqual([]);
  });

  it("is refused after the exchange of two neighbouring characters", () => {
    const { text } = makeKey(fixedBytes(...Array.from({ length: 44 }, (_, at) => at)));

    const accepted = Array.from({ length: text.length - 1 }, (_, at) => {
      const swapped = text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2);
      return swapped === text ? undefined : parseKey(swapped);
    });

    expect(accepted.filter((read) => read !== undefined)).toEqual([]);
  });

  it("is refused with anything before, after or missing", () => {
    const { text } = makeKey(randomBytes);

    for (const other of [` ${text}`, `${text}\n`, `${text}0`, text.slice(0, -1), text.slice(1), text + text, ""]) {
      expect(parseKey(other)).toBeUndefined();
    }
  });

  it("is read from none of a million texts that only lack the right checksum, so none of them costs a look-up", () => {
    // Always the same texts: among a million random ones the checksum of one may be right, once in four thousand runs.
    const { text } = makeKey((count) => new Uint8Array(count).fill(7));
    const [head, tail] = [text.slice(0, 30), text.slice(36)];
    let found = 0;
    for (let i = 0; i < 1_000_000; i++) {
      if (parseKey(`${head}${i.toString(36).padStart(6, "0")}${tail}`) !== undefined) found += 1;
    }

    expect(found).toBe(0);
  });

  it("is never read from a text that nobody made", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.stringMatching(/^sluice_\w{50}$/)),
        (text) => parseKey(text) === undefined,
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("the hash of a key", () => {
  it("is HMAC-SHA-256 in hex", () => {
    // RFC 4231, test case 2.
    expect(hashKey(Buffer.from("Jefe"), "what do ya want for nothing?")).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });

  it("belongs to its own key and secret only", () => {
    const { text } = makeKey(randomBytes);
    const other = makeKey(randomBytes).text;
    const record = { hash: hashKey(secret, text) };

    expect(hasHash(record, secret, text)).toBe(true);
    expect(hasHash(record, secret, other)).toBe(false);
    expect(hasHash(record, Buffer.from("another secret"), text)).toBe(false);
  });

  it.each(["", "00", "not hex", "00".repeat(33)])(
    "refuses every key where the record's hash is damaged: %j",
    (hash) => {
      const { text } = makeKey(randomBytes);

      expect(hasHash({ hash }, secret, text)).toBe(false);
    },
  );
});
