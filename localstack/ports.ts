import { createServer, type Server } from "node:net";

/** The loopback interface. The second address is left out where a machine has no IPv6. */
export const LOOPBACKS: readonly string[] = ["127.0.0.1", "::1"];

export type Listening = {
  port: number;
  /** The addresses that accept connections. */
  addresses: string[];
  /** Accepts no further connection; resolves when the open ones have ended. */
  close(): Promise<void>;
};

/**
 * Lets a server listen on one port of several addresses; 0 is any free port. Connections of all addresses are the server's
 * own: its limits, timeouts and `closeAllConnections` apply to them.
 * @throws Error with the code EADDRINUSE, or EADDRNOTAVAIL for an address that this machine does not have
 */
export async function listen(server: Server, port: number, addresses = LOOPBACKS): Promise<Listening> {
  const [first = "", ...others] = addresses;
  for (let attempt = 1; ; attempt += 1) {
    const bound = await bind(server, port, first);
    const servers = [server];
    const close = async () => {
      await Promise.all(servers.map((each) => new Promise((closed) => each.close(closed))));
    };
    try {
      for (const address of others) {
        // The options of a server for HTTP: https://nodejs.org/api/http.html#event-connection
        const front = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
          server.emit("connection", socket),
        );
        if (await bindIfPresent(front, bound, address)) servers.push(front);
      }
      return { port: bound, addresses: servers.map(addressOf), close };
    } catch (error) {
      await close();
      if (port !== 0 || !isPortTaken(error) || attempt === FREE_PORT_ATTEMPTS) throw error;
    }
  }
}

/** A port that is free at this moment; 0 asks for any. @throws the error of `listen` if the wanted one cannot be had */
export async function freePort(wanted = 0, addresses = LOOPBACKS): Promise<number> {
  const listening = await listen(createServer(), wanted, addresses);
  await listening.close();
  return listening.port;
}

export const isPortTaken = (error: unknown): boolean => codeOf(error) === "EADDRINUSE";

/** Whether this machine lacks the address, or the name means none. */
export const isAddressMissing = (error: unknown): boolean => NO_ADDRESS.has(codeOf(error) ?? "");

async function bindIfPresent(server: Server, port: number, address: string): Promise<boolean> {
  try {
    await bind(server, port, address);
    return true;
  } catch (error) {
    if (LOOPBACKS.includes(address) && isAddressMissing(error)) return false;
    throw error;
  }
}

function bind(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

function addressOf(server: Server): string {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.address : "";
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

const NO_ADDRESS = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "ENOTFOUND", "EAI_AGAIN"]);

/** Another process may have a free port of the first address on the second one. */
const FREE_PORT_ATTEMPTS = 5;

/** Connections that may wait to be accepted, so that a burst of clients is not refused. */
const BACKLOG = 1024;
