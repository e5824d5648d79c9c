import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Invoke } from "../lambda/invoke.ts";
import type { ApiModel } from "../template/model.ts";
import type { Answer } from "./answer.ts";
import { answerRequest, type Gateway } from "./answer-request.ts";
import { gatewayResponse } from "./gateway-response.ts";
import { INTEGRATION_TIMEOUT_MILLISECONDS } from "./limits.ts";
import { onAbort } from "../on-abort.ts";
import type { Listening } from "../ports.ts";
import { startLocalServer } from "../start-local-server.ts";
import { STOP_WORK_MS } from "../stop-times.ts";
import { createRequestContext } from "./request-context.ts";
import { createRouter } from "./router.ts";

export type ApiGatewayOptions = {
  api: ApiModel;
  /** Called at each request, so that a function may be replaced. */
  invoke: (functionArn: string) => Invoke;
  /** 0 takes any free port. */
  port: number;
  /** An address to listen on besides the loopback ones. */
  host?: string | undefined;
  accountId: string;
  log?: (line: string) => void;
  integrationTimeoutMilliseconds?: number;
};

export type ApiGateway = {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  url: string;
  /** The addresses where it listens. */
  addresses: string[];
  /** Routes new requests by another model of the API. */
  update(api: ApiModel): void;
  /**
   * Accepts no further request, answers those in flight, closes every connection. Once `giveUp` fires (default: after
   * 3 s), the remaining requests get the answer of an integration that takes too long.
   */
  stop(giveUp?: AbortSignal): Promise<void>;
};

/**
 * The REST API of the template on this machine, in front of its functions. Routes are served at the root and below the
 * stage's name. It listens on the loopback interface, because it asks nobody for a key; elsewhere only on request. Rejects
 * with EADDRINUSE.
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
    // A client that disconnects is no error of ours.
    response.on("error", () => {});
    void serve(request, response);
  });
  // Node's 5 s would close a kept connection just as a client that paused sends its next request on it.
  server.keepAliveTimeout = 60_000;
  const listening = await startLocalServer(server, options);

  return {
    url: `http://127.0.0.1:${listening.port}`,
    addresses: listening.addresses,
    update: (api) => {
      gateway = { ...gateway, api, router: createRouter(api.routes) };
    },
    stop: (signal = AbortSignal.timeout(STOP_WORK_MS)) => {
      onAbort(signal, () => giveUp.abort());
      return (stopped ??= close(server, listening, giveUp.signal));
    },
  };
}

function write(response: ServerResponse, answer: Answer, log: (line: string) => void): void {
  const bodiless = answer.status === 204 || answer.status === 304 || response.req.method === "HEAD";
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

/** Time to write the last answers; then a client that goes on sending or does not read is disconnected. */
const LAST_ANSWERS_MILLISECONDS = 100;

async function close(server: Server, listening: Listening, giveUp: AbortSignal): Promise<void> {
  const closed = listening.close();
  let timer: NodeJS.Timeout | undefined;
  const forget = onAbort(giveUp, () => {
    timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MILLISECONDS);
  });
  await closed;
  forget();
  clearTimeout(timer);
}
