import middy from "@middy/core";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { httpHandler } from "../../../functions/adapters/lambda/http-handler.ts";
import type { HttpEvent } from "../../../functions/adapters/lambda/http-middleware.ts";
import { limitRequests, writeLimits } from "../../../functions/adapters/lambda/limit-requests.ts";
import { problemDocuments } from "../../../functions/adapters/lambda/problem-documents.ts";
import type { HttpResponse } from "../../../functions/core/http.ts";
import { createLimiter } from "../../../functions/core/limiter.ts";
import { allowedMethods } from "../../../functions/adapters/lambda/allowed-methods.ts";
import type { Principal } from "../../../functions/core/principal.ts";
import { limitedPrincipal } from "../../support/limited-principal.ts";
import { memoryLeaseStore } from "../../support/memory-lease-store.ts";
import { noteObservability } from "../../support/observability.ts";

/** A function that answers requests of a caller, and how often its handler ran. */
function server(respond: () => HttpResponse = () => ({ status: 200, body: "it" })) {
  const table = memoryLeaseStore();
  const limiter = createLimiter({
    store: table.store,
    clock: () => new Date("2026-11-29T10:00:00Z"),
    random: () => 0.5,
    onFailure: () => undefined,
  });
  let runs = 0;
  const handler = middy<HttpEvent, HttpResponse>({ timeoutEarlyInMillis: 0 })
    .use(writeLimits())
    .use(problemDocuments())
    .use(limitRequests(limiter))
    .handler(async () => {
      runs++;
      return respond();
    });
  const event = (principal: Principal | undefined) =>
    ({ requestContext: { requestId: "r-1" }, ...(principal && { principal }) }) as APIGatewayProxyEvent as HttpEvent;
  return {
    ...table,
    limiter,
    runs: () => runs,
    request: (principal?: Principal) => handler(event(principal), {} as Context),
  };
}

const two = limitedPrincipal({ tenant: { requestsPerSecond: 2 }, key: { requestsPerSecond: 50 } });

describe("the limit of requests", () => {
  it("requests within the limit are answered, with what is left of it", async () => {
    const { request } = server(() => ({ status: 200, headers: { "x-own": "1" }, body: "it" }));

    expect(await request(two)).toEqual({
      status: 200,
      headers: {
        "x-own": "1",
        "ratelimit-policy": '"tenant-requests";q=2;w=1, "key-requests";q=50;w=1',
        ratelimit: '"tenant-requests";r=1;t=1, "key-requests";r=49;t=1',
      },
      body: "it",
      metrics: {},
    });
  });

  it("a request over the limit is a 429 with Retry-After, and its handler does not run", async () => {
    const { request, runs } = server();
    await request(two);
    await request(two);

    const { status, headers, body } = await request(two);

    expect({ status, headers }).toEqual({
      status: 429,
      headers: {
        "content-type": "application/problem+json",
        "retry-after": "1",
        "ratelimit-policy": '"tenant-requests";q=2;w=1, "key-requests";q=50;w=1',
        ratelimit: '"tenant-requests";r=0;t=1',
      },
    });
    expect(JSON.parse(body)).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "A limit of the tenant or the key is reached, send the request again later",
      status: 429,
      detail: "Reached: the tenant's limit of 2 requests a second. Send the request again after 1 s.",
      code: "rate_limited",
      requestId: "r-1",
      "violated-policies": ["tenant-requests"],
    });
    expect(runs()).toBe(2);
  });

  it("the fields of the route's own limits stay beside those of requests", async () => {
    const { request } = server(() => ({ status: 200, headers: { ratelimit: '"tenant-events";r=5;t=1' }, body: "" }));

    expect((await request(two)).headers?.["ratelimit"]).toBe(
      '"tenant-requests";r=1;t=1, "key-requests";r=49;t=1, "tenant-events";r=5;t=1',
    );
  });

  it("an answer that fails has the fields, too", async () => {
    const { request } = server(() => {
      throw new Error("a mistake");
    });

    expect(await request(two)).toMatchObject({
      status: 500,
      headers: { ratelimit: '"tenant-requests";r=1;t=1, "key-requests";r=49;t=1' },
    });
  });

  it.each([
    ["a public route", undefined],
    ["a caller without limits", limitedPrincipal()],
  ])("%s has no fields and costs no call", async (_name, principal) => {
    const { request, calls } = server();

    expect(await request(principal)).toEqual({ status: 200, body: "it" });
    expect(calls.writes + calls.reads).toBe(0);
  });

  it("the chain of the API checks the limit after the key and before it parses the request", async () => {
    const { limiter } = server();
    const route = {
      method: "POST",
      path: "/things",
      auth: "events:write",
      tag: "events",
      summary: "Write",
      answers: { 200: { description: "Done" } },
      errors: [],
    } as const;
    const handler = httpHandler({
      routes: { write: route },
      handlers: { write: async () => ({ status: 200 as const, body: "" }) },
      checkKey: async () => two,
      allowedMethods,
      corsOrigins: [],
      limiter,
      observability: noteObservability().observability,
    });
    const event = {
      httpMethod: "POST",
      resource: "/things",
      multiValueQueryStringParameters: { unknown: ["x"] },
      requestContext: { requestId: "r-1" },
    } as unknown as APIGatewayProxyEvent;
    const statuses: unknown[] = [];

    for (let i = 0; i < 3; i++) {
      const { statusCode } = (await handler(event, {
        getRemainingTimeInMillis: () => 10_000,
      } as Context)) as unknown as {
        statusCode: number;
      };
      statuses.push(statusCode);
    }

    expect(statuses).toEqual([400, 400, 429]);
  });

  it("a request that one process decides alone is counted", async () => {
    const { request, setDown } = server(() => ({ status: 200, body: "it", metrics: { EventsAccepted: 3 } }));
    setDown(true);

    expect((await request(two)).metrics).toEqual({ EventsAccepted: 3, LimitsLocal: 1 });
  });
});
