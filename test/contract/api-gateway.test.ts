import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request as send } from "node:http";
import { connect } from "node:net";
import { deflateSync, gzipSync } from "node:zlib";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type ApiGateway,
  type ApiGatewayOptions,
  startApiGateway,
} from "../../localstack/api-gateway/start-api-gateway.ts";
import {
  BODY_LIMIT_BYTES,
  HEADER_VALUES_LIMIT_BYTES,
  PAYLOAD_LIMIT_BYTES,
} from "../../localstack/api-gateway/limits.ts";
import type { InvokeResult } from "../../localstack/lambda/invoke.ts";
import type { ApiModel } from "../../localstack/template/model.ts";

const INGEST = "arn:aws:lambda:eu-central-1:000000000000:function:ingest";
const QUERY = "arn:aws:lambda:eu-central-1:000000000000:function:query";
const ACCEPTED: InvokeResult = { kind: "success", payload: '{"statusCode":202,"body":"{}"}' };

type Sent = { status: number; headers: IncomingHttpHeaders; text: string; bytes: Buffer };

let gateway: ApiGateway;
let answer: (event: APIGatewayProxyEvent, arn: string) => InvokeResult | Promise<InvokeResult>;
let events: APIGatewayProxyEvent[];
let payloads: number[];

beforeEach(async () => {
  events = [];
  payloads = [];
  answer = () => ACCEPTED;
  gateway = await start();
});
afterEach(() => gateway.stop());

describe("the event a function gets", () => {
  it("a function's event is the REST proxy event of the request", async () => {
    await call({ path: "/events/a?one=1&two=2", headers: { "X-Custom": "Yes", "user-agent": "test" } });

    expect(events).toEqual([
      {
        resource: "/events/{id}",
        path: "/events/a",
        httpMethod: "GET",
        headers: {
          "X-Custom": "Yes",
          "user-agent": "test",
          Host: gateway.url.slice("http://".length),
          "X-Forwarded-For": "127.0.0.1",
          "X-Forwarded-Port": new URL(gateway.url).port,
          "X-Forwarded-Proto": "http",
          "X-Amzn-Trace-Id": expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/),
        },
        multiValueHeaders: expect.objectContaining({ "X-Custom": ["Yes"] }),
        queryStringParameters: { one: "1", two: "2" },
        multiValueQueryStringParameters: { one: ["1"], two: ["2"] },
        pathParameters: { id: "a" },
        stageVariables: null,
        requestContext: expect.objectContaining({
          accountId: "000000000000",
          apiId: "abc123",
          stage: "prod",
          path: "/events/a",
          resourcePath: "/events/{id}",
          httpMethod: "GET",
          protocol: "HTTP/1.1",
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
          requestTimeEpoch: expect.any(Number),
          identity: expect.objectContaining({ sourceIp: "127.0.0.1", userAgent: "test" }),
        }),
        body: null,
        isBase64Encoded: false,
      },
    ]);
  });

  it("a function's event has no parameters where the request has none", async () => {
    await call({ method: "POST", path: "/events" });

    expect(events[0]).toMatchObject({
      pathParameters: null,
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
    });
  });

  it("a function's event keeps the path encoded, decodes the query and has the last of several values", async () => {
    await call({ path: "/events/a%2Fb%20c?q=1%2B1&q=two+words&__proto__=x" });

    expect(events[0]).toMatchObject({ path: "/events/a%2Fb%20c", pathParameters: { id: "a%2Fb%20c" } });
    expect(events[0]?.multiValueQueryStringParameters?.["q"]).toEqual(["1+1", "two words"]);
    expect(events[0]?.queryStringParameters?.["q"]).toBe("two words");
    expect(Object.keys(events[0]?.queryStringParameters ?? {})).toEqual(["q", "__proto__"]);
  });

  it("a function's event groups repeated headers whatever their case and adds to X-Forwarded-For", async () => {
    await raw(
      "GET /events/a HTTP/1.1\r\nHost: localhost\r\nX-Many: 1\r\nx-many: 2\r\nX-Forwarded-For: 10.0.0.1\r\nConnection: close\r\n\r\n",
    );

    expect(events[0]?.multiValueHeaders).toMatchObject({
      "X-Many": ["1", "2"],
      "X-Forwarded-For": ["10.0.0.1, 127.0.0.1"],
    });
    expect(events[0]?.headers).toMatchObject({ "X-Many": "2", "X-Forwarded-For": "10.0.0.1, 127.0.0.1" });
    expect(Object.keys(events[0]?.headers ?? {})).not.toContain("Connection");
  });

  it("a function's event carries a text body as it is", async () => {
    await call({ method: "POST", path: "/events", headers: { "content-type": "application/json" }, body: '{"ö":1}' });

    expect(events[0]).toMatchObject({ body: '{"ö":1}', isBase64Encoded: false });
  });

  it("a function's event carries a body of a binary media type in base64", async () => {
    gateway.update(apiModel({ binaryMediaTypes: ["image/*", "application/x-ndjson"] }));

    for (const type of ["image/png", "application/x-ndjson; charset=utf-8", "application/json"])
      await call({ method: "POST", path: "/events", headers: { "content-type": type }, body: Buffer.from([0xff, 0]) });

    expect(events.map((event) => event.isBase64Encoded)).toEqual([true, true, false]);
    expect(events[0]?.body).toBe("/wA=");
  });

  it("a function's event names the stage where the path began with it", async () => {
    await call({ path: "/prod/events/a" });
    await call({ path: "/prod//events/a/" });

    expect(events.map(({ path, requestContext }) => [path, requestContext.path])).toEqual([
      ["/events/a", "/prod/events/a"],
      ["/events/a/", "/prod//events/a/"],
    ]);
  });

  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["identity", (text: string) => Buffer.from(text)],
    ["GZIP", gzipSync],
  ])("a function's event is inflated from %s, and keeps the Content-Encoding header", async (encoding, encode) => {
    await call({ method: "POST", path: "/events", headers: { "Content-Encoding": encoding }, body: encode('{"a":1}') });

    expect(events[0]).toMatchObject({ body: '{"a":1}', headers: { "Content-Encoding": encoding } });
  });
});

describe("the answer a client gets", () => {
  it("a client's response is the function's, with the ids API Gateway adds", async () => {
    answer = () =>
      success({
        statusCode: 207,
        headers: { "Content-Type": "application/problem+json", "X-One": "1", "X-Flag": true },
        multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"], "X-One": ["1"] },
        body: '{"ö":1}',
      });

    const got = await call({ method: "POST", path: "/events" });

    expect(got).toMatchObject({ status: 207, text: '{"ö":1}' });
    expect(got.headers).toMatchObject({
      "content-type": "application/problem+json",
      "content-length": "8",
      "set-cookie": ["a=1", "b=2"],
      "x-one": "1",
      "x-flag": "true",
      "x-amzn-requestid": events[0]?.requestContext.requestId,
      "x-amz-apigw-id": events[0]?.requestContext.extendedRequestId,
      "x-amzn-trace-id": events[0]?.headers["X-Amzn-Trace-Id"],
    });
  });

  it("a client's response is JSON when the function names no type, and has HTTP's own headers remapped", async () => {
    answer = () => success({ statusCode: 200, headers: { "Content-Length": "999", Connection: "close" }, body: "1" });

    const got = await call({ path: "/events/a" });

    expect(got.text).toBe("1");
    expect(got.headers).toMatchObject({
      "content-type": "application/json",
      "content-length": "1",
      "x-amzn-remapped-content-length": "999",
      "x-amzn-remapped-connection": "close",
    });
  });

  it("a client's response is binary where the API's media types say so", async () => {
    answer = () => success({ statusCode: 200, body: "/wA=", isBase64Encoded: true });
    const asText = await call({ path: "/events/a" });
    gateway.update(apiModel({ binaryMediaTypes: ["*/*"] }));
    const asBytes = await call({ path: "/events/a" });

    expect(asText.text).toBe("/wA=");
    expect(asBytes.bytes).toEqual(Buffer.from([0xff, 0]));
  });

  it("a client's response has no body for HEAD, whatever the function returns, and the connection stays usable", async () => {
    gateway.update(apiModel({ routes: [{ method: "ANY", path: "/events/{id}", functionArn: QUERY }] }));
    answer = () => success({ statusCode: 200, body: "body" });

    const got = await raw(
      "HEAD /events/a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /events/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );

    expect(got.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(got.match(/body/g)).toHaveLength(1);
    expect(got.match(/content-length/gi)).toHaveLength(1);
  });

  it("a client's response has no body for 204", async () => {
    answer = () => success({ statusCode: 204 });

    expect(await call({ path: "/events/a" })).toMatchObject({ status: 204, text: "" });
  });

  it.each([
    ["no object", "null"],
    ["no status", '{"body":"x"}'],
    ["a status that is no integer", '{"statusCode":200.5}'],
    ["a status outside HTTP's", '{"statusCode":99}'],
    ["a body that is no string", '{"statusCode":200,"body":{"a":1}}'],
    ["an unknown member", '{"statusCode":200,"cookies":[]}'],
    ["a header that is a number", '{"statusCode":200,"headers":{"x":1}}'],
    ["a header HTTP forbids", '{"statusCode":200,"headers":{"x":"a\\nb"}}'],
  ])("a client's response is 502 for %s", async (_, payload) => {
    answer = () => ({ kind: "success", payload });

    expect(await call({ path: "/events/a" })).toMatchObject({
      status: 502,
      text: '{"message": "Internal server error"}',
    });
  });

  it.each<[number, string, InvokeResult]>([
    [502, "InternalServerErrorException", { kind: "error", errorType: "E", errorMessage: "secret", stack: [] }],
    [502, "InternalServerErrorException", { kind: "timeout", seconds: 3 }],
    [502, "InternalServerErrorException", { kind: "crash", detail: "secret" }],
    [500, "InternalServerErrorException", { kind: "throttle" }],
  ])(
    "a client's response is %i, without the reason, when the function fails: %s %o",
    async (status, errorType, result) => {
      answer = () => result;

      const got = await call({ path: "/events/a" });

      expect(got).toMatchObject({ status, text: '{"message": "Internal server error"}' });
      expect(got.headers["x-amzn-errortype"]).toBe(errorType);
    },
  );

  it("a client's response is 504 when the function takes longer than the integration may", async () => {
    await gateway.stop();
    gateway = await start({ integrationTimeoutMilliseconds: 20 });
    answer = () => new Promise(() => {});

    expect(await call({ path: "/events/a" })).toMatchObject({
      status: 504,
      text: '{"message": "Endpoint request timed out"}',
    });
  });

  it("a client's response is 500 for a function that does not exist", async () => {
    await gateway.stop();
    gateway = await start({
      invoke: () => {
        throw new Error("no such function");
      },
    });

    expect(await call({ path: "/events/a" })).toMatchObject({ status: 500 });
  });
});

describe("routes", () => {
  it.each([
    ["GET", "/nowhere"],
    ["DELETE", "/events"],
    ["HEAD", "/events/a"],
    ["OPTIONS", "/events"],
    ["GET", "/events/a/b"],
    ["GET", "/prod"],
  ])("the gateway refuses %s %s, which the API does not have", async (method, path) => {
    const got = await call({ method, path });

    expect(got.status).toBe(403);
    expect(got.headers["x-amzn-errortype"]).toBe("MissingAuthenticationTokenException");
    expect(events).toEqual([]);
  });

  it("the gateway follows an update at the next request", async () => {
    gateway.update(apiModel({ routes: [{ method: "ANY", path: "/{proxy+}", functionArn: QUERY }] }));

    await call({ path: "/deep/down" });

    expect(events[0]).toMatchObject({ resource: "/{proxy+}", pathParameters: { proxy: "deep/down" } });
  });
});

describe("limits", () => {
  it("the gateway passes on a body of 10 MB and refuses one byte more before it knows the API", async () => {
    const body = gzipSync(Buffer.alloc(1));
    const padded = Buffer.alloc(BODY_LIMIT_BYTES + 1);
    body.copy(padded);

    const largest = await call({ method: "POST", path: "/nowhere", body: padded.subarray(0, BODY_LIMIT_BYTES) });
    const tooLarge = await call({ method: "POST", path: "/nowhere", body: padded });

    expect(largest.status).toBe(403);
    expect(tooLarge).toMatchObject({ status: 413, text: "HTTP content length exceeded 10485760 bytes." });
  });

  it("the gateway refuses a small body that inflates to a large one", async () => {
    const headers = { "content-encoding": "gzip" };

    const got = await call({
      method: "POST",
      path: "/events",
      headers,
      body: gzipSync(Buffer.alloc(2 * BODY_LIMIT_BYTES)),
    });

    expect(got).toMatchObject({ status: 413, text: '{"message": "Request Too Long"}' });
    expect(events).toEqual([]);
  });

  it("the gateway invokes with an event of 6 MB and refuses one byte more", async () => {
    await post(1000);
    const overhead = (payloads[0] ?? 0) - 1000;

    // The length of the Content-Length header does not show in the event.
    const largest = await post(PAYLOAD_LIMIT_BYTES - overhead);
    const tooLarge = await post(PAYLOAD_LIMIT_BYTES - overhead + 1);

    expect(largest.status).toBe(202);
    expect(payloads[1]).toBe(PAYLOAD_LIMIT_BYTES);
    expect(tooLarge).toMatchObject({ status: 413, text: '{"message": "Request Too Long"}' });
  });

  it("the gateway accepts 10,240 bytes of header values and refuses one more", async () => {
    const host = gateway.url.slice("http://".length);
    const withValues = (length: number) =>
      raw(
        `GET /events/a HTTP/1.1\r\nHost: ${host}\r\nX: ${"x".repeat(length - host.length - 5)}\r\nConnection: close\r\n\r\n`,
      );

    expect(await withValues(HEADER_VALUES_LIMIT_BYTES)).toMatch(/^HTTP\/1.1 202 /);
    expect(await withValues(HEADER_VALUES_LIMIT_BYTES + 1)).toMatch(/^HTTP\/1.1 431 /);
  });

  it.each([
    ["br", gzipSync("{}")],
    ["gzip", Buffer.from("not gzip")],
    ["gzip", gzipSync("cut short".repeat(100)).subarray(0, 20)],
    ["gzip, gzip", gzipSync(gzipSync("{}"))],
    ["constructor", Buffer.from("{}")],
  ])("the gateway refuses a body that is not %s", async (encoding, body) => {
    const got = await call({ method: "POST", path: "/events", headers: { "content-encoding": encoding }, body });

    expect(got.status).toBe(415);
    expect(events).toEqual([]);
  });
});

describe("gateway responses", () => {
  const problem = {
    statusCode: undefined,
    headers: { "Content-Type": "application/problem+json", "X-Request": "$context.requestId" },
    templates: { "application/json": '{"type":"$context.error.responseType","detail":$context.error.messageString}' },
  };

  it("gateway responses render a failure in the API's own words, by its type before its class", async () => {
    gateway.update(
      apiModel({
        gatewayResponses: [
          { type: "DEFAULT_4XX", ...problem },
          { type: "UNSUPPORTED_MEDIA_TYPE", ...problem, statusCode: 499 },
        ],
      }),
    );

    const missing = await call({ path: "/nowhere" });
    const encoded = await call({ method: "POST", path: "/events", headers: { "content-encoding": "br" }, body: "x" });

    expect(missing).toMatchObject({
      status: 403,
      text: '{"type":"MISSING_AUTHENTICATION_TOKEN","detail":"Missing Authentication Token"}',
    });
    expect(missing.headers).toMatchObject({
      "content-type": "application/problem+json",
      "x-request": missing.headers["x-amzn-requestid"],
    });
    expect(encoded.status).toBe(499);
  });

  it("gateway responses let DEFAULT_5XX set the status of every failure without a type of its own", async () => {
    answer = () => ({ kind: "crash", detail: "" });
    gateway.update(apiModel({ gatewayResponses: [{ type: "DEFAULT_5XX", ...problem, statusCode: 503 }] }));

    expect(await call({ path: "/events/a" })).toMatchObject({ status: 503 });
  });
});

describe("the server", () => {
  it("the gateway answers 200 clients at once on kept connections", async () => {
    let most = 0;
    let running = 0;
    const all = Promise.withResolvers<void>();
    answer = async () => {
      running += 1;
      most = Math.max(most, running);
      if (running === 200) all.resolve();
      await all.promise;
      return ACCEPTED;
    };

    const got = await Promise.all(
      Array.from({ length: 200 }, () => call({ method: "POST", path: "/events", body: "{}" })),
    );

    expect(most).toBe(200);
    expect(got.every(({ status }) => status === 202)).toBe(true);
    expect(got[0]?.headers.connection).toBe("keep-alive");
  });

  it("the gateway answers a client that expects 100-continue, so that it goes on with its body", async () => {
    const text = await raw(
      "POST /events HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    );

    expect(text).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 202 /);
    expect(Object.keys(events[0]?.headers ?? {})).not.toContain("Expect");
  });

  it.each([
    "garbage\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    "\x16\x03\x01",
  ])("the gateway refuses %j and serves the next client", async (text) => {
    expect(await raw(text)).toMatch(/^HTTP\/1.1 400 /);
    expect(await call({ path: "/events/a" })).toMatchObject({ status: 202 });
  });

  it("the gateway serves the next client after one disconnected in its body, and one before its response", async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<InvokeResult>();
    answer = () => {
      arrived.resolve();
      return release.promise;
    };
    await abandon("POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", Promise.resolve());
    await abandon("GET /events/a HTTP/1.1\r\nHost: localhost\r\n\r\n", arrived.promise);
    release.resolve(ACCEPTED);

    expect(await call({ path: "/events/b" })).toMatchObject({ status: 202 });
    expect(events.map((event) => event.path)).toEqual(["/events/a", "/events/b"]);
  });

  it("the gateway answers requests in flight before it stops, and accepts no more", async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<InvokeResult>();
    answer = () => {
      arrived.resolve();
      return release.promise;
    };
    const inFlight = call({ path: "/events/a" });
    await arrived.promise;

    const stopping = gateway.stop();

    await expect(call({ path: "/events/a" })).rejects.toThrow("ECONNREFUSED");
    release.resolve(ACCEPTED);
    expect(await inFlight).toMatchObject({ status: 202, headers: { connection: "close" } });
    await stopping;
  });

  it("the gateway answers 504 to requests in flight once it has to give up", async () => {
    const arrived = Promise.withResolvers<void>();
    answer = () => {
      arrived.resolve();
      return new Promise(() => undefined);
    };
    const inFlight = call({ path: "/events/a" });
    await arrived.promise;

    await gateway.stop(AbortSignal.abort());

    expect(await inFlight).toMatchObject({ status: 504, headers: { connection: "close" } });
  });

  it("the gateway rejects with EADDRINUSE when its port is taken", async () => {
    await expect(start({ port: Number(new URL(gateway.url).port) })).rejects.toThrow("EADDRINUSE");
  });
});

function start(options: Partial<ApiGatewayOptions> = {}): Promise<ApiGateway> {
  return startApiGateway({
    api: apiModel(),
    invoke: (arn) => async (payload) => {
      const event = JSON.parse(payload) as APIGatewayProxyEvent;
      events.push(event);
      payloads.push(Buffer.byteLength(payload));
      return answer(event, arn);
    },
    port: 0,
    accountId: "000000000000",
    ...options,
  });
}

function apiModel(model: Partial<ApiModel> = {}): ApiModel {
  return {
    name: "events",
    restApiId: "abc123",
    stageName: "prod",
    routes: [
      { method: "POST", path: "/events", functionArn: INGEST },
      { method: "GET", path: "/events/{id}", functionArn: QUERY },
    ],
    binaryMediaTypes: [],
    gatewayResponses: [],
    ...model,
  };
}

function success(response: unknown): InvokeResult {
  return { kind: "success", payload: JSON.stringify(response) };
}

function post(length: number): Promise<Sent> {
  return call({ method: "POST", path: "/events", body: "x".repeat(length) });
}

function call(options: {
  method?: string;
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}): Promise<Sent> {
  const { method = "GET", path, headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const request = send(gateway.url, { method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, bytes, text: bytes.toString() });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** The server's whole response to these bytes, until it closes the connection. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => (received += chunk.toString()));
    socket.on("close", () => resolve(received));
    socket.on("error", reject);
  });
}

/** Sends the bytes; the returned function resets the connection. */
function abandon(text: string, when: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1", () =>
      socket.write(text, () => void when.then(() => socket.resetAndDestroy())),
    );
    socket.on("close", () => resolve());
    socket.on("error", reject);
  });
}
