import { type ChildServer, type Failure, startChildServer } from "../child-server.ts";
import type { QueueModel } from "../template/model.ts";
import { urlOf } from "./reconcile.ts";

export type SqsOptions = {
  /** Folder for the messages, created if missing. Two processes cannot share it. */
  dataDir: string;
  /** Without one, the system picks a free port. */
  port?: number;
  queues: QueueModel[];
  region: string;
  /** Makes messages visible that were in flight at the last end. Set it only if no consumer can hold a receipt. */
  releaseInFlight?: boolean;
  log?: (line: string) => void;
};

export type Sqs = ChildServer & {
  /** URL of a queue of the template, by its name or ARN. */
  queueUrl: (nameOrArn: string) => string;
};

/**
 * Starts SQS in a process of its own, on the loopback interface, with the queues of the template and the messages of
 * the last start; everything that it acknowledged is on disk. Throws if the port is taken or another process uses `dataDir`.
 */
export async function startSqs({ log, ...options }: SqsOptions): Promise<Sqs> {
  const server = { name: "SQS", program: PROGRAM, explain: (failure: Failure) => explain(failure, options) };
  const child = await startChildServer(server, options, log);
  return {
    ...child,
    queueUrl: (nameOrArn) => {
      const queue = options.queues.find(({ name, arn }) => nameOrArn === name || nameOrArn === arn);
      if (queue === undefined) throw new Error(`${nameOrArn} is not a queue of the template.`);
      return urlOf(child.endpoint, queue.arn);
    },
  };
}

const PROGRAM = new URL("./child.ts", import.meta.url);

function explain({ code, message }: Failure, { port, dataDir }: SqsOptions): string {
  if (code === "EADDRINUSE") return `port ${port} is in use. Stop the program that uses it, or choose another port.`;
  if (message.includes("database is locked")) return `another process uses ${dataDir}. Stop it first.`;
  return message;
}
