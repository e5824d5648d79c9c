import { describe, expect, it } from "vitest";
import { RequestError } from "../../../functions/core/errors.ts";
import { requireOwnOrigin } from "../../../functions/core/own-origin.ts";

const refusal = (headers: Record<string, string | undefined>): RequestError | undefined => {
  try {
    requireOwnOrigin(headers);
    return undefined;
  } catch (error) {
    return error as RequestError;
  }
};

describe("the origin of a request with a cookie", () => {
  it.each([
    ["api.example.com", "https://api.example.com"],
    ["API.example.com", "https://api.example.com"],
    ["api.example.com:443", "https://api.example.com"],
    ["api.example.com:8443", "https://api.example.com:8443"],
    ["127.0.0.1:4800", "http://127.0.0.1:4800"],
    ["localhost:4800", "http://localhost:4800"],
    ["[::1]:4800", "http://[::1]:4800"],
    ["localhost:80", "http://localhost"],
    ["localhost:4800", "https://localhost:4800"],
  ])("to %s a page of %s may send it", (host, origin) => {
    expect(refusal({ host, origin })).toBeUndefined();
  });

  it.each([
    ["api.example.com", "http://api.example.com"],
    ["api.example.com", "https://api.example.com:444"],
    ["api.example.com", "https://example.com"],
    ["api.example.com", "https://evil.api.example.com"],
    ["api.example.com", "https://api.example.com.evil.com"],
    ["api.example.com", "https://api.example.com/"],
    ["api.example.com", "https://api.example.com, https://api.example.com"],
    ["api.example.com", "null"],
    ["api.example.com", ""],
    ["127.0.0.1:4800", "http://127.0.0.1:3000"],
    ["127.0.0.1:4800", "http://localhost:4800"],
    ["evil.com:4800", "http://evil.com:4800"],
    ["localhost.evil.com", "http://localhost.evil.com"],
    ["192.168.1.7:4800", "http://192.168.1.7:4800"],
    ["", "https://"],
  ])("to %j a page of %j may not send it", (host, origin) => {
    expect(refusal({ host, origin })).toMatchObject({ code: "forbidden_origin" });
  });

  it("a request without the header is refused, and gets the advice to use a key", () => {
    expect(refusal({ host: "api.example.com" })).toMatchObject({
      code: "forbidden_origin",
      message: expect.stringContaining("Use a key"),
    });
    expect(refusal({ origin: "https://api.example.com" })).toBeInstanceOf(RequestError);
  });
});
