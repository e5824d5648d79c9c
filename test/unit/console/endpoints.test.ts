import { gunzipSync, gzipSync } from "node:zlib";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { createConsoleEndpoints } from "../../../functions/console/endpoints.ts";
import { allowedMethods } from "../../../functions/adapters/lambda/allowed-methods.ts";
import { httpHandler } from "../../../functions/adapters/lambda/http-handler.ts";
import type { Principal } from "../../../functions/core/principal.ts";
import { consoleRoutes } from "../../../functions/routes/console.ts";
import { noteObservability } from "../../support/observability.ts";
import { caller, consoleUnderTest } from "./support.ts";

const SCRIPT = "app-4QZ7TK2A.js";
const STYLE = "style-4QZ7TK2A.css";
const PAGE = "<!doctype html><title>Sluice</title>";

/** The routes of console over tables in memory; the caller is the given one. */
function underTest(principal: Principal = caller()) {
  const access = consoleUnderTest();
  const noted = noteObservability();
  const files = new Map([SCRIPT, STYLE].map((name) => [name, gzipSync(`/* ${name} */`)]));
  const handler = httpHandler({
    routes: consoleRoutes,
    handlers: createConsoleEndpoints({
      console: access.console,
      page: PAGE,
      files: (name) => files.get(name),
      installation: { stage: "dev", version: "0.1.0", build: "3f9c2d81a07b" },
    }),
    checkKey: async () => principal,
    allowedMethods,
    corsOrigins: [],
    observability: noted.observability,
  });
  const call = async (
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
  ) => {
    const [, file] = /^\/console\/(.+\.\w+)$/.exec(path) ?? [];
    const event = {
      httpMethod: method,
      resource: file === undefined ? path.replace(/(.)\/$/, "$1") : "/console/{file}",
      path,
      pathParameters: file === undefined ? null : { file },
      multiValueQueryStringParameters: null,
      multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      requestContext: { requestId: "r-1" },
      body: body === undefined ? null : JSON.stringify(body),
      isBase64Encoded: false,
    } as unknown as APIGatewayProxyEvent;
    const context = { getRemainingTimeInMillis: () => 10_000 } as Context;
    return (await handler(event, context)) as unknown as APIGatewayProxyResult;
  };
  return { ...access, call, lines: noted.lines };
}

const OWN = { host: "api.example.com", origin: "https://api.example.com", "content-type": "application/json" };

describe("the page", () => {
  it("the page runs its own scripts alone, is in no frame, makes no HTML of text, and names no other origin", async () => {
    const { headers, body } = await underTest().call("GET", "/console");

    expect(body).toBe(PAGE);
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-cache",
    });
  });

  it("a browser that has the page gets 304 with the same headers and no body", async () => {
    const { call } = underTest();
    const first = await call("GET", "/console");

    const again = await call("GET", "/console", { headers: { "if-none-match": String(first.headers?.["etag"]) } });

    const { "content-type": _type, traceparent: _first, ...kept } = first.headers ?? {};
    expect(again).toMatchObject({ statusCode: 304, body: "", headers: kept });
    expect((await call("GET", "/console", { headers: { "if-none-match": '"other"' } })).statusCode).toBe(200);
  });

  it("below /console/ the page leads to its own address, because its links are relative", async () => {
    expect(await underTest().call("GET", "/console/")).toMatchObject({
      statusCode: 308,
      headers: { location: "../console" },
    });
  });

  it.each([
    [SCRIPT, "text/javascript; charset=utf-8"],
    [STYLE, "text/css; charset=utf-8"],
  ])("%s is compressed, and may be kept for ever", async (name, contentType) => {
    const answer = await underTest().call("GET", `/console/${name}`, { headers: { "accept-encoding": "br, gzip" } });

    expect(answer).toMatchObject({
      statusCode: 200,
      isBase64Encoded: true,
      headers: {
        "content-type": contentType,
        "content-encoding": "gzip",
        "cache-control": "public, max-age=31536000, immutable",
        vary: "accept-encoding",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
      },
    });
    expect(gunzipSync(Buffer.from(answer.body, "base64")).toString()).toBe(`/* ${name} */`);
  });

  it.each(["", "br", "gzip;q=0", "gzip; q=0.0", "*;q=0", "gzip;q=0, *"])(
    "a client that accepts %j gets a file as it is",
    async (accepted) => {
      const headers: Record<string, string> = accepted === "" ? {} : { "accept-encoding": accepted };
      const answer = await underTest().call("GET", `/console/${SCRIPT}`, { headers });

      expect(answer).toMatchObject({ statusCode: 200, body: `/* ${SCRIPT} */` });
      expect(answer.headers).not.toHaveProperty("content-encoding");
    },
  );

  it.each(["gzip", "GZIP", "x-gzip", "*", "gzip;q=0.5, br", "deflate, gzip;q=1.0, *;q=0.5"])(
    "a client that accepts %j gets a file compressed",
    async (accepted) => {
      const answer = await underTest().call("GET", `/console/${SCRIPT}`, { headers: { "accept-encoding": accepted } });

      expect(answer.headers).toMatchObject({ "content-encoding": "gzip" });
    },
  );

  it.each([
    ["app-AAAAAAAA.js", 404, "no_such_file"],
    ["page.html", 400, "bad_parameter"],
    ["app-4QZ7TK2A.js.gz", 400, "bad_parameter"],
    ["..%2F..%2Findex.js", 400, "bad_parameter"],
    ["index.js", 400, "bad_parameter"],
    ["__proto__.js", 400, "bad_parameter"],
  ])("the name %s is no file of the page", async (name, status, code) => {
    const answer = await underTest().call("GET", `/console/${name}`);

    expect([answer.statusCode, (JSON.parse(answer.body) as { code: string }).code]).toEqual([status, code]);
    expect(answer.headers).toMatchObject({ "x-content-type-options": "nosniff" });
  });
});

describe("a session", () => {
  it("signing in sets a cookie that scripts cannot read and no other site makes a browser send", async () => {
    const { console, call } = underTest();
    const { code } = await console.makeCode(caller());

    const answer = await call("POST", "/console/sessions", { headers: OWN, body: { code } });

    expect(answer.statusCode).toBe(201);
    expect(answer.headers?.["set-cookie"]).toMatch(
      /^__Host-sluice=sluice_session_[0-9A-Za-z]{49}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800$/,
    );
    expect(answer.headers).toMatchObject({ "cache-control": "no-store" });
    expect(JSON.parse(answer.body)).toEqual({ expiresAt: "2026-11-29T18:00:00.000Z" });
  });

  it.each([
    ["the page of another host", { ...OWN, origin: "https://evil.example" }],
    ["no origin", { host: OWN.host, "content-type": "application/json" }],
  ])("nobody signs in from %s, and the code is not used up", async (_, headers) => {
    const { console, call } = underTest();
    const { code } = await console.makeCode(caller());

    const answer = await call("POST", "/console/sessions", { headers, body: { code } });

    expect(answer.statusCode).toBe(403);
    expect(answer.headers).not.toHaveProperty("set-cookie");
    expect((await call("POST", "/console/sessions", { headers: OWN, body: { code } })).statusCode).toBe(201);
  });

  it.each([
    ["a form", { ...OWN, "content-type": "application/x-www-form-urlencoded" }, { code: "x" }, 415],
    ["another member", OWN, { code: "x", role: "admin" }, 400],
    ["no code", OWN, {}, 400],
    ["a code that is a number", OWN, { code: 1 }, 400],
    ["a long text", OWN, { code: "x".repeat(129) }, 400],
    ["a body that is too large", OWN, { code: "x".repeat(2_000) }, 413],
    ["a text that is no code", OWN, { code: "x" }, 401],
  ])("a sign-in with %s is refused", async (_, headers, body, status) => {
    const answer = await underTest().call("POST", "/console/sessions", { headers, body });

    expect(answer.statusCode).toBe(status);
    expect(answer.headers).not.toHaveProperty("set-cookie");
  });

  it("the session says who is signed in, what they may do, and when it ends", async () => {
    const session = { hash: "ab", expiresAt: "2026-11-29T18:00:00.000Z" };
    const { call } = underTest(caller({ session, types: ["a.*"], expiresAt: "2026-11-29T12:00:00.000Z" }));

    expect(JSON.parse((await call("GET", "/console/session")).body)).toEqual({
      keyId: "4fQ0v7xYbN2k",
      keyTenant: "acme",
      tenant: "acme",
      role: "operator",
      scopes: ["events:read", "dead-letters:read", "dead-letters:replay", "subscriptions", "status", "console"],
      types: ["a.*"],
      expiresAt: "2026-11-29T12:00:00.000Z",
      stage: "dev",
      version: "0.1.0",
      build: "3f9c2d81a07b",
    });
  });

  it("a key without an end has none in the answer", async () => {
    const { body } = await underTest().call("GET", "/console/session");

    expect(JSON.parse(body)).not.toHaveProperty("expiresAt");
  });

  it("signing out deletes the cookie of the browser", async () => {
    const { call } = underTest(caller({ session: { hash: "ab", expiresAt: "2026-11-29T18:00:00.000Z" } }));

    expect(await call("DELETE", "/console/session")).toMatchObject({
      statusCode: 204,
      headers: { "set-cookie": "__Host-sluice=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0" },
    });
  });

  it("no log line has a code or a session", async () => {
    const { console, call, lines } = underTest();
    const { code } = await console.makeCode(caller());
    await call("POST", "/console/codes");
    await call("POST", "/console/sessions", { headers: OWN, body: { code } });
    await call("POST", "/console/sessions", { headers: OWN, body: { code } });

    expect(lines.length).toBe(3);
    expect(JSON.stringify(lines)).not.toMatch(/sluice_/);
  });
});
