import { zstdCompressSync } from "node:zlib";
import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { COMPRESS_FROM_BYTES, textOfMessage, toMessageBody } from "../../../functions/core/message-text.ts";
import { MESSAGE_MAX_BYTES } from "../../../functions/core/queue-limits.ts";

const compressed = (text: string | Uint8Array) => `zstd,base64:${zstdCompressSync(text).toString("base64")}`;

describe("the body of a message", () => {
  it.each([
    [COMPRESS_FROM_BYTES - 1, "plain"],
    [COMPRESS_FROM_BYTES, "compressed"],
    [COMPRESS_FROM_BYTES + 1, "compressed"],
  ])("of %i bytes is %s", (bytes, form) => {
    const text = `{"a":"${"é".repeat(2)}${"a".repeat(bytes - 12)}"}`;

    const body = toMessageBody(text);

    expect(Buffer.byteLength(text)).toBe(bytes);
    expect(body === `json:${text}` ? "plain" : "compressed").toBe(form);
    expect(textOfMessage(body)).toEqual({ text });
  });

  it("is plain where compressing makes it no smaller", () => {
    const random = Array.from({ length: 8_000 }, (_, i) =>
      Math.sin(i + 1)
        .toString(36)
        .slice(-3),
    ).join("");
    const text = Buffer.from(zstdCompressSync(random)).toString("base64");

    expect(Buffer.byteLength(text)).toBeGreaterThan(COMPRESS_FROM_BYTES);
    expect(toMessageBody(`{${text}}`)).toBe(`json:{${text}}`);
  });

  it("is no JSON, so nothing that parses JSON and writes it again can round a number", () => {
    for (const text of ['{"n":0.12345678901234567890}', `{"n":[${"12345678901234567890,".repeat(500)}1]}`]) {
      expect(() => JSON.parse(toMessageBody(text))).toThrow(SyntaxError);
    }
  });

  it("is the text itself where it is no envelope, or the mark would make the message too large", () => {
    const random = Array.from({ length: 700_000 }, (_, i) =>
      Math.sin(i + 1)
        .toString(36)
        .slice(-3),
    ).join("");
    const full = `{${Buffer.from(zstdCompressSync(random)).toString("base64")}`.slice(0, MESSAGE_MAX_BYTES - 4);

    for (const text of ["no envelope", "zstd,base64:{}", full]) expect(toMessageBody(text)).toBe(text);
    expect(full).toHaveLength(MESSAGE_MAX_BYTES - 4);
    expect(toMessageBody(full.slice(1, -1))).toBe(full.slice(1, -1));
    expect(toMessageBody(full.slice(0, -1))).toBe(`json:${full.slice(0, -1)}`);
  });

  it("without a mark is read as it is", () => {
    expect(textOfMessage('{"version":1}')).toEqual({ text: '{"version":1}' });
  });

  it("has the text again, whatever it is", () => {
    assert(
      property(string({ unit: "binary", maxLength: 3_000 }), (part) => {
        const text = `{"a":${JSON.stringify(part.repeat(5))}}`;

        expect(textOfMessage(toMessageBody(text))).toEqual({ text });
      }),
    );
  });

  it("takes text as long as that of a plain message, and refuses longer text unread", () => {
    const longest = "a".repeat(MESSAGE_MAX_BYTES);

    expect(textOfMessage(compressed(longest))).toEqual({ text: longest });
    const bomb = compressed(Buffer.alloc(200 * MESSAGE_MAX_BYTES));
    expect(bomb.length).toBeLessThan(MESSAGE_MAX_BYTES / 10);
    for (const body of [compressed(`${longest}a`), bomb]) {
      expect(textOfMessage(body)).toEqual({ text: body, fault: "Its compressed text is longer than 1048576 bytes." });
    }
  });

  it.each([
    ["nothing", "zstd,base64:"],
    ["no base64", "zstd,base64:{}"],
    ["half a text", compressed("abc".repeat(1_000)).slice(0, -8)],
    ["bytes that are no UTF-8", compressed(Buffer.from([0x7b, 0xff, 0x7d]))],
  ])("with %s behind the mark has a fault, and stays as it is", (_, body) => {
    expect(textOfMessage(body)).toEqual({ text: body, fault: expect.stringMatching(/^Its compressed text /) });
  });
});
