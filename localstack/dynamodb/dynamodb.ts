import { type ChildServer, type Failure, startChildServer, superviseServer } from "../child-server.ts";
import type { TableModel } from "../template/model.ts";

export type DynamodbOptions = {
  /** Folder for the items, created if missing. Two processes cannot share it. */
  dataDir: string;
  /** Without one, the system picks a free port. */
  port?: number;
  /** Without them, the tables are those that its clients create; nothing is deleted or repaired at a start. */
  tables?: TableModel[];
  log?: (line: string) => void;
};

/**
 * Starts DynamoDB in a process of its own, on the loopback interface, with the tables of the template and the items of the
 * last start.
 * @throws Error if the port is taken, another process uses `dataDir`, or a table has another key than in `dataDir`
 */
export function startDynamodb({ log, ...options }: DynamodbOptions): Promise<ChildServer> {
  const server = { name: "DynamoDB", program: PROGRAM, explain: (failure: Failure) => explain(failure, options) };
  return startChildServer(server, options, log);
}

/** Starts it, and starts it again with the same port and items whenever its process ends by itself. */
export async function startSupervisedDynamodb(
  options: Omit<DynamodbOptions, "port"> & { giveUp: (reason: Error) => void; log: (line: string) => void },
): Promise<Pick<ChildServer, "endpoint" | "stop">> {
  const { giveUp, log, ...dynamodb } = options;
  const { first, stop } = await superviseServer(
    (port) => startDynamodb({ ...dynamodb, log, ...(port !== undefined && { port }) }),
    { name: "The tables (DynamoDB)", giveUp, log },
  );
  return { endpoint: first.endpoint, stop };
}

const PROGRAM = new URL("./child.ts", import.meta.url);

function explain({ code, message }: Failure, { port, dataDir }: DynamodbOptions): string {
  if (code === "EADDRINUSE") return `port ${port} is in use. Stop the program that uses it, or choose another port.`;
  if (code !== "LEVEL_DATABASE_NOT_OPEN") return message;
  return `${dataDir} cannot be opened: ${message}. If another process uses it, stop that first; else start with --fresh.`;
}
