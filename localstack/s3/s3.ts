import { type ChildServer, type Failure, startChildServer, superviseServer } from "../child-server.ts";
import type { BucketModel } from "../template/model.ts";

export type S3Options = {
  /** Folder for the objects, created if missing. Two processes cannot share it. */
  dataDir: string;
  /** Without one, the system picks a free port. */
  port?: number;
  buckets: BucketModel[];
  log?: (line: string) => void;
};

/**
 * Starts S3 in a process of its own, on the loopback interface, with the buckets of the template and the objects of the last
 * start; everything that it acknowledged is on disk.
 * @throws Error if the port is taken or another process uses `dataDir`
 */
export function startS3({ log, ...options }: S3Options): Promise<ChildServer> {
  const server = { name: "S3", program: PROGRAM, explain: (failure: Failure) => explain(failure, options) };
  return startChildServer(server, options, log);
}

/** Starts it, and starts it again with the same port and objects whenever its process ends by itself. */
export async function startSupervisedS3(
  options: Omit<S3Options, "port"> & { giveUp: (reason: Error) => void; log: (line: string) => void },
): Promise<Pick<ChildServer, "endpoint" | "pid" | "stop">> {
  const { giveUp, log, ...s3 } = options;
  const { first, stop } = await superviseServer(
    (port) => startS3({ ...s3, log, ...(port !== undefined && { port }) }),
    { name: "The files (S3)", giveUp, log },
  );
  return { endpoint: first.endpoint, pid: first.pid, stop };
}

const PROGRAM = new URL("./child.ts", import.meta.url);

function explain({ code, message }: Failure, { port, dataDir }: S3Options): string {
  if (code === "EADDRINUSE") return `port ${port} is in use. Stop the program that uses it, or choose another port.`;
  if (message.includes("database is locked")) return `another process uses ${dataDir}. Stop it first.`;
  return message;
}
