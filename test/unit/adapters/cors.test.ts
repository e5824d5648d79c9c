import middy from "@middy/core";
import type { APIGatewayProxyResult, Context } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { cors } from "../../../functions/adapters/lambda/cors.ts";
import type { HttpEvent } from "../../../functions/adapters/lambda/http-middleware.ts";
import type { HttpResponse } from "../../../functions/core/http.ts";
import { allowedMethods } from "../../../functions/adapters/lambda/allowed-methods.ts";
import type { Route } from "../../../functions/routes/route.ts";
import { routes } from "../../../functions/routes/routes.ts";

const APP = "https://app.example.com";
const LOCAL = "http://localhost:5173";

const CONTEXT: Partial<Context> = {};

type Options = {
  method?: string;
  resource?: string;
  headers?: Record<string, string | string[]>;
  origins?: string[];
  response?: HttpResponse;
  error?: Error;
};

/** Answers a request of a function that has the middleware, by `response`, or by what an error handler makes of `error`. */
async function answer({
  method = "GET",
  resource = "/events",
  headers = {},
  origins = [APP, LOCAL],
  response = { status: 200, headers: { "x-own": "1" }, body: "it" },
  error,
}: Options) {
  const handler = middy<HttpEvent, HttpResponse>()
    .use(cors({ origins, allowedMethods }))
    .use({
      onError: (invocation) => {
        invocation.response = { status: 503, headers: { "retry-after": "5" }, body: "" };
      },
    })
    .handler(async () => {
      if (error !== undefined) throw error;
      return response;
    });
  const multiValueHeaders = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()]));
  const event = { httpMethod: method, resource, multiValueHeaders } as unknown as HttpEvent;
  return (await handler(event, CONTEXT)) as unknown as HttpResponse & APIGatewayProxyResult;
}

const preflight = (headers: Options["headers"] = {}, resource = "/events") =>
  answer({
    method: "OPTIONS",
    resource,
    headers: { Origin: APP, "Access-Control-Request-Method": "POST", ...headers },
  });

describe("CORS", () => {
  it.each(["Origin", "origin", "ORIGIN"])("lets an allowed origin in the header %s read the answer", async (name) => {
    const { headers, body, status } = await answer({ headers: { [name]: LOCAL } });

    expect({ status, body }).toEqual({ status: 200, body: "it" });
    expect(headers).toEqual({
      "x-own": "1",
      vary: "origin",
      "access-control-allow-origin": LOCAL,
      "access-control-expose-headers": "*",
    });
  });

  it("lets an allowed origin read errors too", async () => {
    const { status, headers } = await answer({ headers: { Origin: APP }, error: new Error("broken") });

    expect(status).toBe(503);
    expect(headers).toMatchObject({ "retry-after": "5", vary: "origin", "access-control-allow-origin": APP });
  });

  it.each([
    ["another origin", "https://evil.example.com"],
    ["an origin that begins with an allowed one", `${APP}.evil.example.com`],
    ["another port", `${APP}:8443`],
    ["another scheme", APP.replace("https", "http")],
    ["no origin that can be named", "null"],
    ["every origin", "*"],
    ["another case", APP.toUpperCase()],
    ["two origins", [APP, APP]],
  ])("does not name %s, but says that the answer depends on it", async (_, origin) => {
    expect((await answer({ headers: { Origin: origin } })).headers).toEqual({ "x-own": "1", vary: "origin" });
  });

  it("answers a request without an origin as it is, but says that the answer depends on it", async () => {
    expect((await answer({})).headers).toEqual({ "x-own": "1", vary: "origin" });
  });

  it("keeps what the answer depends on besides", async () => {
    const response = { status: 200, headers: { vary: "accept" }, body: "" };

    expect((await answer({ response })).headers).toEqual({ vary: "accept, origin" });
    // The handler's own answer may be the same object each time.
    expect(response.headers).toEqual({ vary: "accept" });
  });

  it("changes nothing in a stage without origins, not even a preflight", async () => {
    const headers = { Origin: APP, "Access-Control-Request-Method": "POST" };

    expect((await answer({ headers, origins: [] })).headers).toEqual({ "x-own": "1" });
    expect((await answer({ headers, origins: [], method: "OPTIONS" })).headers).toEqual({ "x-own": "1" });
  });
});

describe("a preflight", () => {
  it("a preflight is answered without the handler: the path's methods, for two hours", async () => {
    expect(await preflight()).toEqual({
      statusCode: 204,
      headers: {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": allowedMethods["/events"]?.join(", "),
        "access-control-max-age": "7200",
        vary: "origin, access-control-request-headers",
      },
      body: "",
    });
    expect(allowedMethods["/events"]).toContain("POST");
  });

  it.each([
    ["authorization,content-type", "authorization, content-type"],
    ["Authorization, X-API-Key ,Sluice-Tenant", "authorization, x-api-key, sluice-tenant"],
    ["ce-specversion,ce-id,ce-myextension1", "ce-specversion, ce-id, ce-myextension1"],
    ["cookie,authorization,x-other", "authorization"],
    ["ce-,ce-a b,ce-ä,xce-id,ce-a\r\nset-cookie: a", undefined],
    ["", undefined],
    [",,,", undefined],
  ])("a preflight that asks for the headers %j gets %j", async (asked, allowed) => {
    const { headers } = await preflight({ "access-control-request-headers": asked });

    expect(headers?.["access-control-allow-headers"]).toBe(allowed);
  });

  it("a preflight may ask for every header that a route reads", async () => {
    const all = Object.values(routes).flatMap((each) => Object.values<Route>(each));
    // A browser sets some headers itself, and a page may not (Fetch standard, "forbidden request-header").
    const ofBrowser = new Set(["accept-encoding", "origin"]);
    const read = all.flatMap(({ headers }) => Object.keys(headers ?? {}).map((name) => name.toLowerCase()));
    const names = [...new Set(read)].filter((name) => !ofBrowser.has(name));

    const { headers } = await preflight({ "access-control-request-headers": names.join(",") });

    expect(names.length).toBeGreaterThan(0);
    expect(headers?.["access-control-allow-headers"]).toBe(names.join(", "));
  });

  it.each([
    ["another origin", { Origin: "https://evil.example.com" }, "/events"],
    ["no method that it asks for", { "Access-Control-Request-Method": [] }, "/events"],
    ["a path without routes", {}, "/nothing"],
  ])("a preflight of %s goes on to the handler, which refuses OPTIONS", async (_, headers, resource) => {
    expect(await preflight(headers, resource)).toMatchObject({ status: 200, body: "it" });
  });

  it("a preflight is a request with OPTIONS alone", async () => {
    const headers = { Origin: APP, "Access-Control-Request-Method": "POST" };

    expect(await answer({ method: "POST", headers })).toMatchObject({ status: 200, body: "it" });
  });
});
