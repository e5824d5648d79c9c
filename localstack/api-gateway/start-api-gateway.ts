import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Invoke } from "../lambda/invoke.ts";
import type { ApiModel } from "../template/model.ts";
import type { Answer } from "./answer.ts";
import { answerRequest, type Gateway } from "./answer-request.ts";
import { gatewayResponse } from "./gateway-response.ts";
import { INTEGRATION_TIMEOUT_MILLISECONDS, STOP_GRACE_MILLISECONDS } from "./limits.ts";
import { onAbort } from "../on-abort.ts";
import { createRequestContext } from "./request-context.ts";
import { createRouter } from "./routes.ts";

export type ApiGatewayOptions = {
  api: ApiModel;
  /** Looked up at each request, so that a function may be replaced. */
  invoke: (functionArn: string) => Invoke;
  /** 0 takes any free port. */
  port: number;
  accountId: string;
  log?: (line: string) => void;
  integrationTimeoutMilliseconds?: number;
};

export type ApiGateway = {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  url: string;
  /** Routes new requests by another model of the API. */
  update(api: ApiModel): void;
  /**
   * Takes no further request, answers those in flight, closes every connection. Once `giveUp` fires (default: after
   * 3 s), requests without an answer get the one for an integration that takes too long.
   */
  stop(giveUp?: AbortSignal): Promise<void>;
};

/** Loopback only: the local stack asks nobody for a key. */
const HOST = "127.0.0.1";

/**
 * The REST API of the template on this machine, in front of its functions. Routes are served at the root and below the
 * stage's name. Rejects with EADDRINUSE when the port is taken.
 */
export async function startApiGateway(options: ApiGatewayOptions): Promise<ApiGateway> {
  const log = options.log ?? (() => {});
  const giveUp = new AbortController();
  let gateway: Gateway = {
    api: options.api,
    router: createRouter(options.api.routes),
    accountId: options.accountId,
    invoke: options.invoke,
    integrationTimeoutMilliseconds: options.integrationTimeoutMilliseconds ?? INTEGRATION_TIMEOUT_MILLISECONDS,
    giveUp: giveUp.signal,
    log,
  };
  let stopped: Promise<void> | undefined;

  const internalError = (request: IncomingMessage): Answer => {
    const { api, accountId } = gateway;
    const context = createRequestContext(request, { api, accountId, path: request.url ?? "", now: new Date() });
    return gatewayResponse("internal error", { responses: api.gatewayResponses, context });
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let answer: Answer | undefined;
    try {
      answer = await answerRequest(request, gateway);
    } catch (error) {
      log(`${request.method} ${request.url} ${String(error)}`);
      answer = internalError(request);
    }
    if (stopped !== undefined) response.shouldKeepAlive = false;
    if (answer !== undefined) write(response, answer, log);
  };
  const server = createServer((request, response) => {
    // A client that goes away is no error of ours.
    response.on("error", () => {});
    void serve(request, response);
  });
  // Node's 5 s would close a kept connection just as a client that paused sends its next request on it.
  server.keepAliveTimeout = 60_000;
  await listen(server, options.port);

  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    update: (api) => {
      gateway = { ...gateway, api, router: createRouter(api.routes) };
    },
    stop: (signal = AbortSignal.timeout(STOP_GRACE_MILLISECONDS)) => {
      onAbort(signal, () => giveUp.abort());
      return (stopped ??= close(server, giveUp.signal));
    },
  };
}

function write(response: ServerResponse, answer: Answer, log: (line: string) => void): void {
  const bodiless = answer.status === 204 || answer.status === 304;
  const headers = answer.headers.flat();
  if (!bodiless) headers.push("Content-Length", String(Buffer.byteLength(answer.body)));
  try {
    response.writeHead(answer.status, headers);
  } catch (error) {
    // A header name or value of the function that HTTP does not allow.
    log(`Malformed Lambda proxy response: ${String(error)}`);
    const body = '{"message": "Internal server error"}';
    response.writeHead(502, ["Content-Type", "application/json", "Content-Length", String(body.length)]);
    response.end(body);
    return;
  }
  response.end(bodiless ? undefined : answer.body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, 1024, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** What was given up still gets its answer written; a client that goes on sending or does not read is cut off. */
const LAST_ANSWERS_MILLISECONDS = 100;

async function close(server: Server, giveUp: AbortSignal): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  let timer: NodeJS.Timeout | undefined;
  const forget = onAbort(giveUp, () => {
    timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MILLISECONDS);
  });
  await closed;
  forget();
  clearTimeout(timer);
}
