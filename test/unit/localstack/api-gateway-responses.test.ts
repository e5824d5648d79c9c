import { describe, expect, it } from "vitest";
import { substitute } from "../../../localstack/api-gateway/gateway-response.ts";
import { isBinary } from "../../../localstack/api-gateway/media-types.ts";
import { parseProxyResponse } from "../../../localstack/api-gateway/proxy-response.ts";

describe("a gateway response template", () => {
  const context = {
    requestId: "id",
    path: "/p",
    identity: { sourceIp: "::1" },
    error: { message: "m", messageString: '"m"' },
  };

  it.each([
    ["$context.error.message and $context.error.messageString", 'm and "m"'],
    ['{"path":"$context.path","id":"$context.requestId."}', '{"path":"/p","id":"id."}'],
    ["$context.identity.sourceIp", "::1"],
    ["[$context.nothing][$context.identity][$context.constructor.name][$context.requestId.length]", "[][][][]"],
    ["$contextual $context", "$contextual $context"],
  ])("a gateway response template fills in %s", (template, text) => {
    expect(substitute(template, context)).toBe(text);
  });
});

describe("binary media types", () => {
  it.each([
    [["*/*"], undefined, true],
    [["*/*"], "text/plain", true],
    [["application/json"], undefined, true],
    [["image/*"], "IMAGE/PNG", true],
    [["image/png"], "image/png; q=1, text/html", true],
    [["image/png"], "text/html, image/png", false],
    [["image/png"], "image/jpeg", false],
    [[], "image/png", false],
  ])("binary media types %j include %s: %s", (binary, mediaType, expected) => {
    expect(isBinary(binary, mediaType)).toBe(expected);
  });
});

describe("a function's answer", () => {
  const headersOf = (response: object) =>
    parseProxyResponse(JSON.stringify({ statusCode: 200, ...response }), false)?.headers;

  it("a function's answer merges both kinds of headers and counts a pair that stands in both once", () => {
    expect(
      headersOf({ headers: { "content-type": "a/b", x: "1", y: "3" }, multiValueHeaders: { X: ["1", "2"], y: ["4"] } }),
    ).toEqual([
      ["X", "1"],
      ["X", "2"],
      ["y", "4"],
      ["content-type", "a/b"],
      ["y", "3"],
    ]);
  });

  it("a function's answer may have null for headers and body, and loses Transfer-Encoding", () => {
    expect(headersOf({ headers: null, multiValueHeaders: null, body: null })).toEqual([
      ["Content-Type", "application/json"],
    ]);
    expect(headersOf({ headers: { "transfer-encoding": "chunked" } })).toEqual([["Content-Type", "application/json"]]);
  });

  it.each([200, 599])("a function's answer may have the status %i", (statusCode) => {
    expect(headersOf({ statusCode })).toBeDefined();
  });

  it.each([199, 600, "200", null])("a function's answer may not have the status %j", (statusCode) => {
    expect(headersOf({ statusCode })).toBeUndefined();
  });

  it.each([
    { headers: [] },
    { headers: { x: null } },
    { multiValueHeaders: { x: "1" } },
    { multiValueHeaders: { x: [1] } },
    { isBase64Encoded: "true" },
  ])("a function's answer is malformed with %j", (part) => {
    expect(headersOf(part)).toBeUndefined();
  });
});
