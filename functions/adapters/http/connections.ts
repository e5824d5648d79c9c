import { isIP, type Socket } from "node:net";
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from "request-filtering-agent";
import type { Client } from "undici";
import type { SinkAddresses } from "./sink-address.ts";

/** A connection to an origin, for one request at a time. It is made with its first request. */
export type Connection = {
  origin: string;
  client: Pick<Client, "dispatch" | "destroyed">;
  /** Ends it with the request under way, also while it is being made. */
  end: () => void;
};

export type Connections = {
  open(origin: string): Promise<Connection>;
  /** Keeps one whose request has ended, for the next. */
  keep(connection: Connection): void;
  /** The one that was kept last; undefined where there is none. */
  take(origin: string): Connection | undefined;
};

/** A kept connection is closed after so long, or before the sink would close it where it says when. */
const KEPT_MS = 60_000;

/** Kept connections to all origins together; the one that was kept first ends. A function process has 1,024 file descriptors. */
const KEPT_MAX = 256;

/**
 * Makes connections of undici's client, which takes a third of the processor time of Node's for a request. Each is made to an address
 * that passed the rule at that moment: ours in the look-up, and that of request-filtering-agent behind it. The client is loaded with
 * the first connection: it would make each start of the function a third longer.
 */
export function createConnections(
  addresses: SinkAddresses,
  { allowHttp, keptMs = KEPT_MS }: { allowHttp: boolean; keptMs?: number },
): Connections {
  const allowIPAddressList = allowHttp ? ["127.0.0.1", "::1"] : [];
  const agents = {
    "http:": new RequestFilteringHttpAgent({ allowIPAddressList }),
    "https:": new RequestFilteringHttpsAgent({ allowIPAddressList }),
  };
  /** In the order in which they were kept. */
  const kept: Connection[] = [];

  function drop(connection: Connection): void {
    const at = kept.lastIndexOf(connection);
    if (at >= 0) kept.splice(at, 1);
  }

  return {
    async open(origin) {
      const { default: UndiciClient } = await import("undici/lib/dispatcher/client.js");
      let socket: Socket | undefined;
      const client = new UndiciClient(origin, {
        keepAliveTimeout: keptMs,
        keepAliveMaxTimeout: keptMs,
        // Each request has a time of its own.
        headersTimeout: 0,
        bodyTimeout: 0,
        connect({ protocol, hostname: host, port }, callback) {
          const isSecure = protocol === "https:";
          const options = {
            host,
            port: Number(port) || (isSecure ? 443 : 80),
            lookup: addresses.lookup,
            noDelay: true,
            // Node does not name the host to a TLS server by itself, and undici names it from a header alone.
            ...(isSecure && isIP(host) === 0 && { servername: host }),
          };
          const made = agents[isSecure ? "https:" : "http:"].createConnection(options) as Socket;
          const onError = (error: Error) => callback(error, null);
          socket = made.once("error", onError).once(isSecure ? "secureConnect" : "connect", () => {
            made.off("error", onError);
            callback(null, made);
          });
        },
      });
      const connection = {
        origin,
        client,
        end: () => {
          drop(connection);
          socket?.destroy();
          void client.destroy();
        },
      };
      client.on("disconnect", connection.end);
      return connection;
    },
    keep(connection) {
      if (connection.client.destroyed) return;
      kept.push(connection);
      if (kept.length > KEPT_MAX) kept[0]?.end();
    },
    take(origin) {
      const connection = kept.findLast((each) => each.origin === origin);
      if (connection !== undefined) drop(connection);
      return connection;
    },
  };
}
