import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { childEnvironment } from "../child-environment.ts";
import type { QueueModel } from "../template/model.ts";
import { onAbort } from "../on-abort.ts";
import { STOP_WORK_MS } from "../stop-times.ts";
import type { FromChild, ToChild } from "./protocol.ts";
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

export type Sqs = {
  /** For example `http://127.0.0.1:9324`. */
  endpoint: string;
  /** URL of a queue of the template, by its name or ARN. */
  queueUrl: (nameOrArn: string) => string;
  pid: number;
  /** Settles when the process has ended, for whatever reason. */
  exited: Promise<void>;
  /** Ends the process, by force once `giveUp` fires (default: after 3 s); everything it acknowledged is on disk. */
  stop: (giveUp?: AbortSignal) => Promise<void>;
};

/** The least time for an orderly stop, which takes a few milliseconds. Killing the process loses nothing either. */
const ORDERLY_MILLISECONDS = 300;

/**
 * Starts SQS in a process of its own, on the loopback interface, with the queues of the template and the messages of
 * the last start. Throws if the port is taken or another process uses `dataDir`.
 */
export async function startSqs(options: SqsOptions): Promise<Sqs> {
  const { dataDir, port = 0, queues, region, releaseInFlight = false, log } = options;
  const child = fork(fileURLToPath(new URL("./child.ts", import.meta.url)), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: childEnvironment(),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => log?.(text.trimEnd()));
  const exited = once(child, "exit").then(() => undefined);
  const answer = nextMessage(child, exited);
  post(child, { kind: "start", dataDir, port, region, queues, releaseInFlight });
  const started = await answer;
  if (started.kind === "failed") {
    await exited;
    throw new Error(`SQS did not start: ${explain(started, port, dataDir)}`);
  }
  for (const note of started.notes) log?.(note);

  const endpoint = `http://127.0.0.1:${started.port}`;
  return {
    endpoint,
    pid: child.pid ?? 0,
    exited,
    queueUrl: (nameOrArn) => {
      const queue = queues.find(({ name, arn }) => nameOrArn === name || nameOrArn === arn);
      if (queue === undefined) throw new Error(`${nameOrArn} is not a queue of the template.`);
      return urlOf(endpoint, queue.arn);
    },
    stop: async (giveUp = AbortSignal.timeout(STOP_WORK_MS)) => {
      post(child, { kind: "stop" });
      let kill: NodeJS.Timeout | undefined;
      const forget = onAbort(giveUp, () => {
        kill = setTimeout(() => child.kill("SIGKILL"), ORDERLY_MILLISECONDS);
      });
      await exited;
      forget();
      clearTimeout(kill);
    },
  };
}

async function nextMessage(child: ChildProcess, exited: Promise<void>): Promise<FromChild> {
  const answered = once(child, "message").then(([message]) => message as FromChild);
  const ended = exited.then((): FromChild => ({ kind: "failed", code: undefined, message: "its process ended" }));
  return Promise.race([answered, ended]);
}

function post(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => undefined);
}

function explain({ code, message }: Extract<FromChild, { kind: "failed" }>, port: number, dataDir: string): string {
  if (code === "EADDRINUSE") return `port ${port} is in use. Stop the program that uses it, or choose another port.`;
  if (message.includes("database is locked")) return `another process uses ${dataDir}. Stop it first.`;
  return message;
}
