import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One proxied call and its response. */
export type Exchange = { headers: IncomingMessage["headers"]; request: Buffer; response: Buffer };

export type Front = {
  url: string;
  stop: () => Promise<void>;
};

/**
 * Starts a reverse proxy that reports each call, which is a POST. It keeps connections alive on both sides and passes bodies unchanged,
 * except that `rename` may replace the request's bytes. A client that hangs up also ends the call to the target: a pending
 * receive would take messages for nobody.
 */
export async function startFront(
  target: string,
  { onExchange, rename }: { onExchange: (exchange: Exchange) => void; rename?: (request: Buffer) => Buffer },
): Promise<Front> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });

  const pass = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const received = Buffer.concat((await incoming.toArray()) as Buffer[]);
    const request = rename?.(received) ?? received;
    const { host: _host, connection: _connection, "transfer-encoding": _coding, ...headers } = incoming.headers;
    const behind = httpRequest({
      agent,
      hostname,
      port,
      method: incoming.method ?? "POST",
      path: incoming.url ?? "/",
      headers: { ...headers, "content-length": request.length },
    });
    answer.once("close", () => (answer.writableFinished ? undefined : behind.destroy()));
    const response = await answerOf(behind, request);
    const body = Buffer.concat((await response.toArray()) as Buffer[]);
    // A process that opens its connection ahead sends a request that is no call (docs/decisions/0045).
    if (incoming.method === "POST") onExchange({ headers: incoming.headers, request, response: body });
    const { connection: _kept, "transfer-encoding": _chunked, ...kept } = response.headers;
    answer.writeHead(response.statusCode ?? 502, { ...kept, "content-length": body.length });
    answer.end(body);
  };

  const server = createServer({ keepAliveTimeout: 0 }, (incoming, answer) => {
    pass(incoming, answer).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}

function answerOf(behind: ReturnType<typeof httpRequest>, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    behind.once("response", resolve);
    behind.once("error", reject);
    behind.end(body);
  });
}
