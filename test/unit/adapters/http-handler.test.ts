import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { httpHandler } from "../../../functions/adapters/lambda/http-handler.ts";
import type { Observability } from "../../../functions/adapters/lambda/observability.ts";
import { refuseKeys } from "../../../functions/adapters/lambda/authenticate.ts";
import type { CheckKey } from "../../../functions/core/check-key.ts";
import type { HttpRequest } from "../../../functions/core/http.ts";
import { RequestError } from "../../../functions/core/errors.ts";
import type { Principal } from "../../../functions/core/principal.ts";
import { TRACEPARENT } from "../../../functions/core/trace.ts";
import { allowedMethods } from "../../../functions/adapters/lambda/allowed-methods.ts";
import type { Handlers, Routes } from "../../../functions/routes/route.ts";
import { noteObservability } from "../../support/observability.ts";

const text = z.string("is no text").check(z.minLength(2, "is too short"));

const testRoutes = {
  read: {
    method: "GET",
    path: "/things/{id}",
    auth: "public",
    tag: "events",
    summary: "Read",
    parameters: { id: text },
    query: { one: z.optional(text), two: z.optional(z.enum(["a"], "takes only one value: a")) },
    answers: { 200: { description: "It", contentType: "text/plain; charset=utf-8", schema: "string" } },
    errors: ["not_found"],
  },
  search: {
    method: "GET",
    path: "/things",
    auth: "public",
    tag: "events",
    summary: "Search",
    query: { one: z.optional(text) },
    repeatable: { many: text },
    families: { data: { description: "Conditions", example: { "data.a": "1" } } },
    answers: { 200: { description: "Them", contentType: "text/plain; charset=utf-8", schema: "string" } },
    errors: [],
  },
  find: {
    method: "POST",
    path: "/things/find",
    auth: "public",
    tag: "events",
    summary: "Find",
    answers: { 200: { description: "Them", contentType: "text/plain; charset=utf-8", schema: "string" } },
    errors: [],
  },
  write: {
    method: "POST",
    path: "/things",
    auth: "events:write",
    tag: "events",
    summary: "Write",
    answers: { 200: { description: "Done", contentType: "text/plain; charset=utf-8", schema: "string" } },
    errors: [],
  },
  readOwn: {
    method: "GET",
    path: "/things/own",
    auth: "events:read",
    tag: "events",
    summary: "Read what is mine",
    answers: { 200: { description: "It", contentType: "text/plain; charset=utf-8", schema: "string" } },
    errors: [],
  },
  bytes: {
    method: "GET",
    path: "/bytes",
    auth: "public",
    tag: "events",
    summary: "Read bytes",
    answers: { 200: { description: "They", contentType: "application/octet-stream", schema: "string" } },
    errors: [],
  },
  ping: {
    method: "GET",
    path: "/ping",
    auth: "public",
    tag: "health",
    summary: "Ping",
    answers: { 200: { description: "Pong" } },
    errors: [],
  },
} as const satisfies Routes;

/** Answers a request, with the request as its handler sees it, its log lines and its metrics. */
async function answer(
  event: Partial<APIGatewayProxyEvent>,
  read: () => string = () => "it",
  checkKey: CheckKey = refuseKeys,
) {
  const { observability, lines, metrics, published } = noteObservability();
  let request: Omit<HttpRequest<object, object, unknown>, "deadline"> | undefined;
  const handlers: Handlers<typeof testRoutes> = {
    read: async (each) => {
      request = each;
      return { status: 200, headers: { "x-own": "1" }, body: read(), metrics: { EventsAccepted: 2 } };
    },
    search: async (each) => {
      request = each;
      return { status: 200, body: read() };
    },
    find: async (each) => {
      request = each;
      return { status: 200, body: read() };
    },
    write: async (each) => {
      request = each;
      return { status: 200, body: read() };
    },
    readOwn: async (each) => {
      request = each;
      return { status: 200, body: read() };
    },
    bytes: async () => ({ status: 200, body: "AAH/", isBase64: true }),
    ping: async () => ({ status: 200, body: "" }),
  };
  const handler = httpHandler({
    routes: testRoutes,
    handlers,
    checkKey,
    allowedMethods,
    corsOrigins: ["https://app.example.com"],
    observability,
  });
  const { statusCode, headers, body, isBase64Encoded } = (await handler(
    {
      httpMethod: "GET",
      resource: "/things/{id}",
      path: "/things/it%20self",
      pathParameters: { id: "it%20self" },
      multiValueQueryStringParameters: null,
      multiValueHeaders: { "X-Many": ["1", "2"] },
      requestContext: { requestId: "r-1" },
      body: null,
      isBase64Encoded: false,
      ...event,
    } as APIGatewayProxyEvent,
    { getRemainingTimeInMillis: () => 10_000 } as Context,
  )) as unknown as {
    statusCode: number;
    headers: Record<string, string>;
    body: string;
    isBase64Encoded?: boolean;
  };
  const problem = statusCode < 400 || body === "" ? undefined : (JSON.parse(body) as { code: string; detail: string });
  return { statusCode, headers, body, isBase64Encoded, problem, request, lines, metrics, published: published() };
}

const post = (multiValueHeaders: Record<string, string[]>) => ({
  httpMethod: "POST",
  resource: "/things",
  path: "/things",
  pathParameters: null,
  multiValueHeaders,
});

const query = (parameters: Record<string, string[]>) => ({ multiValueQueryStringParameters: parameters });

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SENT = `00-${TRACE}-00f067aa0ba902b7-01`;

describe("the HTTP handler", () => {
  it("answers with a place of its own in the trace of the request, and hands over both", async () => {
    const { headers, request } = await answer({ multiValueHeaders: { TraceParent: [SENT] } });

    expect(headers["traceparent"]).toMatch(new RegExp(`^00-${TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
    expect(request?.trace).toEqual({ own: headers["traceparent"], sent: SENT });
  });

  it.each([
    ["bad", ["00-00-00-00"]],
    ["there twice", [SENT, SENT]],
  ])("begins a new trace where traceparent is %s", async (_, sent) => {
    const { headers, request } = await answer({ multiValueHeaders: { traceparent: sent } });

    expect(headers["traceparent"]).toMatch(TRACEPARENT);
    expect(headers["traceparent"]).not.toContain(TRACE);
    expect(request?.trace).toEqual({ own: headers["traceparent"], sent: undefined });
  });

  it("answers an error with its trace", async () => {
    const { headers, statusCode } = await answer({ multiValueHeaders: { traceparent: [SENT] } }, () => {
      throw new RequestError("not_found", "There is none.");
    });

    expect({ statusCode, traceparent: headers["traceparent"]?.slice(3, 35) }).toEqual({
      statusCode: 404,
      traceparent: TRACE,
    });
  });

  it("hands a parsed request with its caller to the route's handler and names the route's content type", async () => {
    const { statusCode, headers, body, request } = await answer(query({ one: ["is here"], two: ["a"] }));

    expect({ statusCode, body }).toEqual({ statusCode: 200, body: "it" });
    expect(headers).toEqual({
      "content-type": "text/plain; charset=utf-8",
      "x-own": "1",
      vary: "origin",
      "x-content-type-options": "nosniff",
      traceparent: expect.stringMatching(TRACEPARENT),
    });
    expect(request).toMatchObject({
      parameters: { id: "it self" },
      query: { one: "is here", two: "a" },
      principal: undefined,
      headers: { "x-many": "1, 2" },
    });
  });

  it.each([{ "X-Id": ["1", "2"] }, { "X-Id": ["1"], "x-id": ["2"] }])(
    "names the headers that were sent more than once: %j",
    async (multiValueHeaders) => {
      expect((await answer({ multiValueHeaders: { ...multiValueHeaders, Other: ["1"] } })).request).toMatchObject({
        headers: { "x-id": "1, 2", other: "1" },
        repeatedHeaders: ["x-id"],
      });
    },
  );

  it("answers the preflight of an allowed origin without a key, a handler or a log line", async () => {
    const { statusCode, headers, body, request, lines } = await answer({
      httpMethod: "OPTIONS",
      resource: "/events",
      path: "/events",
      multiValueQueryStringParameters: { validate: ["only"] },
      multiValueHeaders: { Origin: ["https://app.example.com"], "Access-Control-Request-Method": ["POST"] },
    });

    expect({ statusCode, body, request, lines }).toEqual({ statusCode: 204, body: "", request: undefined, lines: [] });
    expect(headers).toMatchObject({ "access-control-allow-origin": "https://app.example.com" });
  });

  it("answers another OPTIONS with 405, which an allowed origin may read", async () => {
    const { statusCode, headers, problem } = await answer({
      httpMethod: "OPTIONS",
      resource: "/events",
      path: "/events",
      multiValueHeaders: { Origin: ["https://app.example.com"] },
    });

    expect({ statusCode, code: problem?.code }).toEqual({ statusCode: 405, code: "method_not_allowed" });
    expect(headers).toMatchObject({ "access-control-allow-origin": "https://app.example.com", vary: "origin" });
  });

  it("answers an unknown parameter with 400 and the names of those there are", async () => {
    expect(await answer(query({ three: ["x"] }))).toMatchObject({
      statusCode: 400,
      problem: { code: "bad_parameter", detail: "three is no parameter. There are: one, two." },
    });
    expect(
      await answer({ ...query({ one: ["x"] }), resource: "/ping", path: "/ping", pathParameters: null }),
    ).toMatchObject({
      statusCode: 400,
      problem: { code: "bad_parameter", detail: "one is no parameter. This route has none." },
    });
  });

  it.each([
    ["a repeated query parameter", query({ two: ["a", "a"] }), "two has 2 values. Send one."],
    ["a bad value", query({ two: ["b"] }), "two takes only one value: a."],
    ["a value that a check refuses", query({ one: [""] }), "one is too short."],
    ["a bad path parameter", { pathParameters: { id: "x" } }, "id is too short."],
    ["bad percent-encoding", { pathParameters: { id: "%zz" } }, "id in the path is not valid percent-encoding."],
    ["a name of Object.prototype", query({ toString: ["x"] }), "toString is no parameter. There are: one, two."],
  ])("answers %s with 400 and names the parameter", async (_name, event, detail) => {
    const { statusCode, problem, request } = await answer(event);

    expect({ statusCode, problem, request }).toMatchObject({
      statusCode: 400,
      problem: { code: "bad_parameter", detail, parameter: detail.split(" ")[0] },
    });
    expect(request).toBeUndefined();
  });

  const search = (parameters?: Record<string, string[]>) => ({
    ...query(parameters ?? {}),
    ...(parameters === undefined && { multiValueQueryStringParameters: null }),
    resource: "/things",
    path: "/things",
    pathParameters: null,
  });

  it("hands over every value of a repeatable parameter, and the names and values of a family", async () => {
    const sent = { one: ["is here"], many: ["aa", "bb"], "data.a[gt]": ["1", "2"], "data[exists]": ["x"], data: ["y"] };

    expect((await answer(search(sent))).request?.query).toEqual({
      one: "is here",
      many: ["aa", "bb"],
      data: [
        ["data.a[gt]", "1"],
        ["data.a[gt]", "2"],
        ["data[exists]", "x"],
        ["data", "y"],
      ],
    });
  });

  it("hands over empty lists where nothing of a list or family was sent", async () => {
    for (const nothing of [search(), search({ one: ["is here"] })])
      expect((await answer(nothing)).request?.query).toMatchObject({ many: [], data: [] });
  });

  it.each([
    ["a bad value among several", { many: ["aa", "b"] }, "many is too short."],
    ["a name beside a family", { datas: ["1"] }, "datas is no parameter. There are: one, many, data.…."],
    ["two values of a parameter that is no list", { one: ["aa", "bb"] }, "one has 2 values. Send one."],
  ])("answers %s with 400 and names the parameter of a list", async (_name, parameters, detail) => {
    expect(await answer(search(parameters))).toMatchObject({
      statusCode: 400,
      problem: { code: "bad_parameter", detail },
    });
  });

  it("takes a path beside a parameter for a value of the parameter, for methods that it does not have itself", async () => {
    const beside = { resource: "/things/find", path: "/things/find", pathParameters: null };

    expect((await answer(beside)).request?.parameters).toEqual({ id: "find" });
    expect((await answer({ ...beside, httpMethod: "HEAD" })).statusCode).toBe(200);
    expect((await answer({ ...beside, httpMethod: "POST" })).request?.parameters).toEqual({});
  });

  it("writes one line and counts one request, with the handler's own counts", async () => {
    const { lines, metrics, published } = await answer({ body: "four", isBase64Encoded: false });

    expect(lines).toEqual([
      [
        "info",
        "request",
        {
          route: "GET /things/{id}",
          status: 200,
          durationMs: expect.any(Number),
          requestId: "r-1",
          tenant: undefined,
          keyId: undefined,
          requestBytes: 4,
        },
      ],
    ]);
    expect(metrics).toEqual([["EventsAccepted", 2]]);
    expect(published).toBe(1);
  });

  it("logs a 4xx as information, without its error", async () => {
    const failed = await answer({}, () => {
      throw new RequestError("not_found", "There is none.");
    });

    expect(failed).toMatchObject({ statusCode: 404, problem: { code: "not_found", requestId: "r-1" } });
    expect(failed.lines).toEqual([["info", "request", expect.not.objectContaining({ error: expect.anything() })]]);
  });

  it("logs a 5xx as an error whose inner message is left out, because it may quote an event", async () => {
    const failed = await answer({}, () => {
      throw new Error("secret");
    });

    expect(failed).toMatchObject({ statusCode: 500, headers: { "content-type": "application/problem+json" } });
    expect(failed.lines).toMatchObject([
      ["error", "request", { status: 500, error: { name: "RequestError", cause: { name: "Error" } } }],
    ]);
    expect(JSON.stringify([failed.lines, failed.body])).not.toContain("secret");
    expect(failed.metrics).toEqual([["RequestsFailed", 1]]);
    expect(failed.published).toBe(1);
  });

  it("answers an error that the route does not list as internal_error, and logs what to add", async () => {
    const failed = await answer({}, () => {
      throw new RequestError("ambiguous_id", "Name a source.");
    });

    expect(failed).toMatchObject({ statusCode: 500, problem: { code: "internal_error" } });
    expect(failed.lines).toMatchObject([
      [
        "error",
        "request",
        { status: 500, error: { cause: { message: expect.stringContaining("list ambiguous_id") } } },
      ],
    ]);
  });

  it("answers HEAD as GET, without the body", async () => {
    const asked = await answer({ httpMethod: "HEAD" });

    expect(asked).toMatchObject({
      statusCode: 200,
      headers: { "content-type": "text/plain; charset=utf-8", "x-own": "1" },
      body: "",
      request: { parameters: { id: "it self" } },
    });
    expect(asked.lines).toMatchObject([["info", "request", { route: "HEAD /things/{id}", status: 200 }]]);
  });

  it("answers a failed HEAD without the problem document", async () => {
    const { statusCode, body } = await answer({ httpMethod: "HEAD" }, () => {
      throw new RequestError("not_found", "There is none.");
    });

    expect({ statusCode, body }).toEqual({ statusCode: 404, body: "" });
  });

  it.each([
    ["PUT", "/health", "GET, HEAD"],
    ["OPTIONS", "/events/{id}", "GET, HEAD"],
    ["PUT", "/events", "POST, GET, HEAD"],
    ["PUT", "/events/query", "POST, GET, HEAD"],
  ])("answers %s %s, which the path does not have, with 405 and the methods it has", async (method, path, allow) => {
    const refused = await answer({ httpMethod: method, resource: path });

    expect(refused).toMatchObject({ statusCode: 405, headers: { allow, "content-type": "application/problem+json" } });
    expect(refused.body === "" ? method : refused.problem).toEqual(
      method === "HEAD"
        ? "HEAD"
        : expect.objectContaining({
            code: "method_not_allowed",
            detail: `${method} is no method of ${path}, which has: ${allow}.`,
          }),
    );
    expect(refused.lines).toMatchObject([["info", "request", { route: `${method} ${path}`, status: 405 }]]);
  });

  it("asks for the caller of a route that needs a scope, before it parses the request", async () => {
    const asked: unknown[] = [];
    const principal = { tenant: "acme", keyId: "k" } as Principal;
    const checkKey: CheckKey = async (...given) => {
      asked.push(given);
      return principal;
    };

    const { request, lines } = await answer(
      post({ Authorization: ["Bearer K"], "Sluice-Tenant": ["acme"] }),
      undefined,
      checkKey,
    );

    expect(asked).toEqual([[{ key: "K", tenant: "acme" }, "events:write"]]);
    expect(request?.principal).toBe(principal);
    expect(lines).toMatchObject([["info", "request", { tenant: "acme", keyId: "k" }]]);
  });

  it.each([
    ["no header", {}, undefined],
    ["a bearer token", { authorization: ["Bearer K"] }, "K"],
    ["the scheme in another case", { AUTHORIZATION: ["bEaReR   K"] }, "K"],
    ["another scheme, which is no key", { authorization: ["Basic K"] }, ""],
    ["a scheme without a token", { authorization: ["Bearer"] }, ""],
    ["x-api-key", { "X-Api-Key": ["K"] }, "K"],
    ["the same key in both headers", { authorization: ["Bearer K"], "x-api-key": ["K"] }, "K"],
  ])("reads the key from %s", async (_name, headers, key) => {
    const seen: unknown[] = [];
    await answer(post(headers), undefined, async (caller) => {
      seen.push(caller);
      return {} as Principal;
    });

    expect(seen).toEqual([{ key, tenant: undefined }]);
  });

  it.each([
    ["the cookie alone", ["__Host-sluice=S"], "S"],
    ["the cookie among others", ["a=1; __Host-sluice=S; b=2"], "S"],
    ["a second header of cookies", ["a=1", "__Host-sluice=S"], "S"],
    ["an empty cookie", ["__Host-sluice="], ""],
    ["the cookie behind another one whose value has a comma", ["x=1,__Host-sluice=OTHER; __Host-sluice=S"], "S"],
    ["two cookies of the name, of which none counts", ["__Host-sluice=OTHER; __Host-sluice=S"], ""],
    ["another name that ends alike", ["x__Host-sluice=S"], undefined],
    ["the name without the prefix", ["sluice=S"], undefined],
  ])("reads the session from %s", async (_name, cookie, session) => {
    const seen: unknown[] = [];
    await answer(post({ cookie, host: ["a.b"], origin: ["https://a.b"] }), undefined, async (caller) => {
      seen.push(caller);
      return {} as Principal;
    });

    expect(seen).toEqual([{ key: undefined, tenant: undefined, ...(session !== undefined && { session }) }]);
  });

  it.each([
    ["Authorization", { authorization: ["Bearer K"] }, "K"],
    ["x-api-key", { "x-api-key": ["K"] }, "K"],
    ["an Authorization that is no key", { authorization: ["Basic K"] }, ""],
  ])("reads no cookie beside %s, and asks for no origin", async (_name, headers, key) => {
    const seen: unknown[] = [];
    const { statusCode } = await answer(
      post({ ...headers, cookie: ["__Host-sluice=S"], origin: ["https://evil.example"] }),
      undefined,
      async (caller) => {
        seen.push(caller);
        return {} as Principal;
      },
    );

    expect([statusCode, seen]).toEqual([200, [{ key, tenant: undefined }]]);
  });

  it.each([
    ["another host", { host: ["a.b"], origin: ["https://evil.example"] }],
    ["no origin", { host: ["a.b"] }],
    ["two origins", { host: ["a.b"], origin: ["https://a.b", "https://a.b"] }],
    ["plain HTTP", { host: ["a.b"], origin: ["http://a.b"] }],
  ])("refuses a change with a cookie and %s before it asks for the caller", async (_name, headers) => {
    const { statusCode, problem } = await answer(post({ ...headers, cookie: ["__Host-sluice=S"] }), undefined, () => {
      throw new Error("The caller is asked for.");
    });

    expect({ statusCode, problem }).toMatchObject({ statusCode: 403, problem: { code: "forbidden_origin" } });
  });

  it.each(["GET", "HEAD"])("asks for no origin of %s with a cookie, which changes nothing", async (httpMethod) => {
    const seen: unknown[] = [];
    const { statusCode } = await answer(
      { ...post({ cookie: ["__Host-sluice=S"] }), httpMethod, resource: "/things/own" },
      undefined,
      async (caller) => {
        seen.push(caller);
        return {} as Principal;
      },
    );

    expect([statusCode, seen]).toEqual([200, [{ key: undefined, session: "S", tenant: undefined }]]);
  });

  it("answers with bytes where a handler gives them as base64, and HEAD without a body", async () => {
    const bytes = { httpMethod: "GET", resource: "/bytes", path: "/bytes", pathParameters: null };

    expect(await answer(bytes)).toMatchObject({ statusCode: 200, body: "AAH/", isBase64Encoded: true });
    const head = await answer({ ...bytes, httpMethod: "HEAD" });
    expect(head).toMatchObject({ statusCode: 200, body: "" });
    expect(head.isBase64Encoded).toBeUndefined();
  });

  it.each([
    ["two keys", { authorization: ["Bearer K"], "x-api-key": ["L"] }, "different keys"],
    ["a repeated Authorization", { authorization: ["Bearer K", "Bearer L"] }, "authorization is there twice"],
    ["a repeated x-api-key", { "x-api-key": ["K", "K"] }, "x-api-key is there twice"],
    ["a repeated Sluice-Tenant", { "sluice-tenant": ["a", "b"] }, "sluice-tenant is there twice"],
  ])("answers %s with 400, whoever the caller is", async (_name, headers, detail) => {
    const { statusCode, problem } = await answer(post(headers), undefined, async () => ({}) as Principal);

    expect({ statusCode, problem }).toMatchObject({
      statusCode: 400,
      problem: { code: "bad_header", detail: expect.stringContaining(detail) },
    });
  });

  it("answers a refused caller with the problem of the check, and reads nothing else", async () => {
    const { statusCode, headers, problem, request } = await answer(
      { ...post({}), ...query({ unknown: ["x"] }) },
      undefined,
      () => {
        throw new RequestError("unauthenticated", "No.", { headers: { "www-authenticate": "Bearer" } });
      },
    );

    expect({ statusCode, headers, problem }).toMatchObject({
      statusCode: 401,
      headers: { "www-authenticate": "Bearer" },
      problem: { code: "unauthenticated" },
    });
    expect(request).toBeUndefined();
  });

  it("answers 500 on a route that asks for a key in a function without access to the keys", async () => {
    expect((await answer(post({ authorization: ["Bearer K"] }))).statusCode).toBe(500);
  });

  it("answers 500 for a method of a path that another function answers", async () => {
    const { statusCode, lines } = await answer({ httpMethod: "POST", resource: "/events" });

    expect(statusCode).toBe(500);
    expect(lines).toMatchObject([["error", "request", { route: "POST /events", status: 500 }]]);
  });

  it("answers 500 for a route that the function does not have, and logs its name", async () => {
    const { statusCode, lines } = await answer({ resource: "/else" });

    expect(statusCode).toBe(500);
    expect(lines).toMatchObject([["error", "request", { route: "GET /else", status: 500 }]]);
  });
});

/** Never run: the type check refuses each of these. */
export function refusedByTheTypeCheck(handlers: Handlers<typeof testRoutes>, observability: Observability) {
  const { ping: _ping, ...missing } = handlers;
  const options = { routes: testRoutes, checkKey: refuseKeys, allowedMethods, corsOrigins: [], observability };
  // @ts-expect-error a route without a handler
  httpHandler({ ...options, handlers: missing });
  // @ts-expect-error a handler without a route
  httpHandler({ ...options, handlers: { ...handlers, other: handlers.ping } });
  // @ts-expect-error a status that the route does not answer
  const status: Handlers<typeof testRoutes>["ping"] = async () => ({ status: 201, body: "" });
  // @ts-expect-error a parameter that the route does not have
  const parameter: Handlers<typeof testRoutes>["ping"] = async ({ query }) => ({ status: 200, body: query.one });
  return [status, parameter];
}
