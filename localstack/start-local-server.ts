import type { Server } from "node:http";
import { foreignRequest, isWildcard } from "./foreign-request.ts";
import { type Listening, listen, LOOPBACKS } from "./ports.ts";

/**
 * Starts an HTTP server of the local stack: on both addresses of the loopback interface, and on `host` if one is given.
 * Requests of other sites' pages get a 403 before the server sees them.
 * @param options.names further hosts that clients call it by
 * @throws Error with the code EADDRINUSE, or EADDRNOTAVAIL for a host that is not this machine's
 */
export function startLocalServer(
  server: Server,
  { port, host, names = [] }: { port: number; host?: string | undefined; names?: readonly string[] },
): Promise<Listening> {
  refuseForeignRequests(server, host === undefined ? names : [host, ...names]);
  return listen(server, port, addressesOf(host));
}

/** The addresses of a server. One that stands for all takes the port of all, so it is the only one. */
export function addressesOf(host: string | undefined): readonly string[] {
  if (host === undefined || host === "localhost") return LOOPBACKS;
  return isWildcard(host) ? [host] : [...new Set([...LOOPBACKS, host])];
}

function refuseForeignRequests(server: Server, names: readonly string[]): void {
  const listeners = server.listeners("request");
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    const reason = foreignRequest(request.headers, names);
    if (reason === undefined) {
      for (const listener of listeners) Reflect.apply(listener, server, [request, response]);
      return;
    }
    const body = JSON.stringify({ message: reason });
    request.resume();
    response.writeHead(403, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "x-amzn-errortype": "AccessDeniedException",
    });
    response.end(body);
  });
}
