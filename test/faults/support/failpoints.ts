import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The place where a function stands: its name, the failpoint's name, its process, and how often that place was reached. */
export type Hit = { functionName: string; point: string; pid: number; count: number };

/** `kill` ends the process as a crash does. A promise makes the function wait for it. */
export type Order = "go" | "kill" | "throw";

export type Failpoints = {
  /** For `FAILPOINTS_URL`. */
  readonly url: string;
  /** Every place reached since the last `order`. */
  readonly hits: readonly Hit[];
  /** When the last order other than `go` was carried out, ms since the epoch; -Infinity where none was. */
  readonly lastFaultAt: number;
  /** From now on decides at every failpoint of every function; counts start over. Without it all go on. */
  order(decide?: (hit: Hit) => Order | Promise<Order>): void;
  stop(): Promise<void>;
};

/** Gives orders to the failpoints of functions (functions/adapters/lambda/failpoint.ts), one place for all processes. */
export async function startFailpoints(): Promise<Failpoints> {
  let decide: ((hit: Hit) => Order | Promise<Order>) | undefined;
  const hits: Hit[] = [];
  const counts = new Map<string, number>();
  let lastFaultAt = -Infinity;
  const carryOut = async (hit: Hit): Promise<Order | undefined> => {
    const reachedAt = Date.now();
    try {
      const order = (await decide?.(hit)) ?? "go";
      if (order !== "go" || Date.now() - reachedAt > HOLD_MS) lastFaultAt = Date.now();
      return order;
    } catch {
      return undefined;
    }
  };
  const server = createServer((request, response) => {
    const [, physicalName = "", point = "", pid] = request.url?.split("/") ?? [];
    const functionName =
      /(Ingest|Consume|Drain|Export|Replay|Notify|Retain|Query|Migrate)/.exec(physicalName)?.[1]?.toLowerCase() ??
      physicalName;
    const count = (counts.get(`${functionName} ${point}`) ?? 0) + 1;
    counts.set(`${functionName} ${point}`, count);
    const hit = { functionName, point, pid: Number(pid), count };
    hits.push(hit);
    void carryOut(hit).then((order) => (order === undefined ? response.destroy() : response.end(order)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hits,
    get lastFaultAt() {
      return lastFaultAt;
    },
    order(next) {
      decide = next;
      hits.length = 0;
      counts.clear();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A function that waits longer for its order was held up on purpose. */
const HOLD_MS = 100;
