import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { KEY_PATTERN, makeKey, parseKey } from "../../../functions/core/key.ts";
import { isToken, makeToken } from "../../../functions/core/session.ts";

const KINDS = ["code", "session"] as const;

describe("codes and sessions", () => {
  it.each(KINDS)("the text of a %s has 256 random bits, and no other kind takes it", (kind) => {
    const text = makeToken(kind, randomBytes);
    const other = kind === "code" ? "session" : "code";

    expect(text).toMatch(new RegExp(`^sluice_${kind}_[0-9A-Za-z]{49}$`));
    expect([isToken(kind, text), isToken(other, text), parseKey(text)]).toEqual([true, false, undefined]);
    expect(isToken(kind, text.replace(kind, other))).toBe(false);
    expect(isToken(kind, makeKey(randomBytes).text)).toBe(false);
  });

  it.each(KINDS)("a %s with any one character changed is refused by its checksum", (kind) => {
    const text = makeToken(kind, randomBytes);
    const accepted = Array.from(text, (character, at) => {
      const other = character === "a" ? "b" : "a";
      return `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
    }).filter((changed) => isToken(kind, changed));

    expect(accepted).toEqual([]);
  });

  it("no code and no session is taken for a key by a secret scanner's pattern", () => {
    for (const kind of KINDS) expect(makeToken(kind, randomBytes)).not.toMatch(new RegExp(KEY_PATTERN));
  });

  it.each(["", "sluice_code_", `sluice_code_${"0".repeat(48)}`, `sluice_code_${"-".repeat(49)}`])(
    "the text %j is no code",
    (text) => {
      expect(isToken("code", text)).toBe(false);
    },
  );
});
