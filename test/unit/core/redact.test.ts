import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KEY_PATTERN, makeKey } from "../../../functions/core/key.ts";
import { redact } from "../../../functions/core/redact.ts";
import { RESPONSE_KEPT_MAX_BYTES, RESPONSE_READ_MAX_BYTES } from "../../../functions/core/subscription-limits.ts";
import { randomBytes } from "node:crypto";

const TOKEN = "canary-1f6c4a9e";

describe("the answer of a sink", () => {
  it.each([
    `{"password": "${TOKEN}"}`,
    `{"password":"a\\"${TOKEN}"}`,
    `{"a":{"clientSecret" : "${TOKEN}", "b": 1}}`,
    `{\\"token\\":\\"${TOKEN}\\"}`,
    `{'api_key': '${TOKEN}'}`,
    `token=${TOKEN}&a=1`,
    `access_token=${TOKEN}`,
    `Authorization: Bearer ${TOKEN}`,
    `authorization: Basic ${TOKEN}==`,
    `bad key bearer ${TOKEN}`,
    `Set-Cookie: ${TOKEN}`,
    `sessionid=${TOKEN}; path=/`,
    `postgres://user:${TOKEN}@db.internal/x`,
    `<secret>x</secret> apiKey: ${TOKEN}`,
    `"webhook-signature": "${TOKEN}"`,
    `eyJhbGciOiJIUzI1NiJ9.${TOKEN}.${TOKEN}`,
    `whsec_${TOKEN}`,
    `whsk_${TOKEN}`,
    `xoxb-${TOKEN}`,
    `sk_live_${TOKEN}`,
  ])("is kept without the secret in %j", (answer) => {
    expect(redact(answer)).not.toContain(TOKEN);
    expect(redact(answer)).toContain("[redacted]");
  });

  it.each(["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", makeKey(randomBytes).text])(
    "is kept without %s",
    (secret) => {
      expect(redact(`no: ${secret}.`)).toBe("no: [redacted].");
      expect(redact(secret)).not.toMatch(new RegExp(KEY_PATTERN));
    },
  );

  it.each([
    ["as it is", (value: string) => `got ${value}`],
    ["as JSON", (value: string) => JSON.stringify({ got: value })],
    ["in a URL", (value: string) => `/?got=${encodeURIComponent(value)}`],
  ])("is kept without the values of the sink's own headers, which it repeats %s", (_how, write) => {
    const value = 'a "quoted" \\ value/+';

    expect(redact(write(value), [value])).not.toContain("quoted");
  });

  it("stays readable where it has no secret", () => {
    const answer = '{"error":"unknown order","id":"o-1","tokens_left":3}\r\n\tplease retry';

    expect(redact(answer, ["1"])).toBe(answer);
  });

  it("is kept up to its limit, and never has half of a character", () => {
    const answer = `x${"😀".repeat(RESPONSE_KEPT_MAX_BYTES)}`;

    const kept = redact(answer);

    expect(Buffer.byteLength(kept)).toBe(RESPONSE_KEPT_MAX_BYTES - 3);
    expect(kept.isWellFormed()).toBe(true);
  });

  it("is cut behind the redaction, so that no beginning of a secret is left at the end", () => {
    const answer = `${"x".repeat(RESPONSE_KEPT_MAX_BYTES - 20)} token=${TOKEN}`;

    expect(redact(answer)).not.toContain("canary");
  });

  it("can be stored whatever it is: PostgreSQL takes no U+0000, and no half of a surrogate pair", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (answer) => {
        const kept = redact(answer);

        expect(kept.isWellFormed()).toBe(true);
        expect(kept).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/);
      }),
    );
  });

  it.each([
    "eyJ-",
    "token=",
    'password="',
    "Bearer ",
    "a://",
    "a.",
    "cookie:   ",
    'secret="\\',
    "whsec_",
    "-eyJaaaaaaaa",
  ])("is redacted in little time, though it is %j over and over", (part) => {
    const answer = part.repeat(RESPONSE_READ_MAX_BYTES / part.length);
    const started = performance.now();

    redact(answer, ["value-of-a-header"]);

    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
