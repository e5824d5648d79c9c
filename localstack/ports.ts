import { createServer, type Server } from "node:net";

const LOOPBACK = "127.0.0.1";

/** Lets a server listen, on the loopback interface by default; returns its port. 0 is any free port. Rejects with EADDRINUSE. */
export function listen(server: Server, port: number, host = LOOPBACK): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** A port that is free at this moment; 0 asks for any. Rejects with EADDRINUSE if the wanted one is taken. */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  const port = await listen(server, wanted);
  await new Promise((closed) => server.close(closed));
  return port;
}

/** @throws Error that names the range */
export function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`--port takes a number from 0 to 65535, not ${text}`);
}

export const isPortTaken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "EADDRINUSE";

/** Connections that may wait to be accepted, so that a burst of clients is not refused. */
const BACKLOG = 1024;
