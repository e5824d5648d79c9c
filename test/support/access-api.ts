import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { createAccess } from "../../functions/access/access.ts";
import { createDirect } from "../../functions/access/direct.ts";
import { createAccessEndpoints } from "../../functions/access/endpoints.ts";
import { httpHandler } from "../../functions/adapters/lambda/http-handler.ts";
import { createCheckKey } from "../../functions/core/check-key.ts";
import { accessRoutes } from "../../functions/routes/access.ts";
import { allowedMethods } from "../../functions/adapters/lambda/allowed-methods.ts";
import type { Route } from "../../functions/routes/route.ts";
import { randomBytes } from "node:crypto";
import { memoryAccessStore, memoryAuditLog, memoryKeyUsage } from "../unit/access/support.ts";
import { noteObservability } from "./observability.ts";

/**
 * The API of access on the loopback interface: its routes, rules and check of keys, over tables in memory. Beside it the
 * function can be invoked as Lambda's API does it, for the first key.
 */
export async function startAccessApi() {
  const { store } = memoryAccessStore();
  const { usage } = memoryKeyUsage();
  const audit = memoryAuditLog();
  const secret = async () => Buffer.from("the secret of one installation");
  let now = Date.now();
  const clock = () => new Date(now);
  const noted = noteObservability();
  const access = createAccess({ store, usage, audit: audit.log, secret, clock, randomBytes });
  const direct = createDirect(access);
  const handler = httpHandler({
    routes: accessRoutes,
    handlers: createAccessEndpoints(access),
    checkKey: createCheckKey({
      reader: { ...store, session: async () => undefined },
      usage,
      secret,
      clock,
      wait: forever,
      onStale: () => undefined,
    }),
    allowedMethods,
    corsOrigins: [],
    observability: noted.observability,
  });

  const invocations: unknown[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then(async (chunks) => {
      const body = Buffer.concat(chunks as Buffer[]).toString();
      const url = new URL(request.url ?? "", "http://127.0.0.1");
      if (url.pathname.endsWith("/invocations")) {
        invocations.push(JSON.parse(body));
        return response.end(JSON.stringify(await direct(JSON.parse(body), "r-1")));
      }
      const event = toEvent({ method: request.method ?? "", url, headers: request.headersDistinct, body });
      const context = { awsRequestId: "r-1", getRemainingTimeInMillis: () => 10_000 } as Context;
      const answer = (await handler(event, context)) as unknown as APIGatewayProxyResult;
      const headers = (answer.headers ?? {}) as Record<string, string>;
      return response.writeHead(answer.statusCode, headers).end(answer.body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store,
    audit,
    /** The events of direct invocations. */
    invocations,
    /** The log lines of all requests. */
    lines: noted.lines,
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
    makeInstallationKey: async () => (await direct({ createInstallationKey: {} }, "r-1")).key,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Writes a request as API Gateway hands it over, for the route that it matches. */
function toEvent({
  method,
  url,
  headers,
  body,
}: {
  method: string;
  url: URL;
  headers: NodeJS.Dict<string[]>;
  body: string;
}): APIGatewayProxyEvent {
  const names = [...new Set(url.searchParams.keys())];
  for (const { path } of Object.values<Route>(accessRoutes)) {
    const form = new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
    const match = form.exec(url.pathname);
    if (match === null) continue;
    return {
      httpMethod: method,
      resource: path,
      path: url.pathname,
      pathParameters: match.groups ?? null,
      multiValueQueryStringParameters: Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name)])),
      multiValueHeaders: headers,
      requestContext: { requestId: "r-1" },
      body,
      isBase64Encoded: false,
    } as unknown as APIGatewayProxyEvent;
  }
  throw new Error(`There is no route ${url.pathname}.`);
}

/** No table of these tests is late. */
const forever = () => new Promise<never>(() => undefined);
