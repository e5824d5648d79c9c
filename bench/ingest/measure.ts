import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";
import { bundleNaive } from "../pipeline/naive-stack.ts";
import type { LoadResult, LoadRun, LoadSettings } from "./load.ts";

type IngestRound = Partial<Record<Contender, Speed>>;

/**
 * `unkeyed` is ours without the check of the key. `sending` is ours with its calls of a queue in another process, and `plain` the usual
 * function with those of the SDK (bench/naive/ingest.ts).
 */
export type Contender = "ours" | "unkeyed" | "bare" | "sending" | "plain";

type Speed = {
  /**
   * Requests per second of the server's own processor time, user and kernel: the capacity of one core, independent of
   * other work on the machine and of the speed of the load.
   */
  requestsPerSecond: number;
  /** Requests per second of wall time. */
  answeredPerSecond: number;
};

export type IngestMeasurement = {
  rounds: IngestRound[];
  /** True if server and load each had their own core. */
  pinned: boolean;
};

/**
 * Measures the ingest function against bare `node:http` with the same requests and answers; server.ts lists the counted
 * work. Each round is made of short runs in which the contenders alternate, so that other work on the machine slows all of them.
 */
export async function measureIngest(
  options: LoadSettings & { rounds: number; quick: boolean; withSend: boolean },
): Promise<IngestMeasurement> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const pinned = cpus().length > 1 && spawnSync("taskset", ["-c", "0,1", "true"]).status === 0;
  const processes: ChildProcess[] = [];
  const start = (core: number, args: string[], environment = {}) => {
    const child = startProcess(pinned ? core : undefined, args, environment);
    processes.push(child);
    return child;
  };
  /** The function of a bundle, on the core of all servers. */
  const serve = (bundle: string, environment = {}) =>
    startServer(start(0, ["server.ts", "function", join(folder, bundle, "index.js")], environment));
  try {
    const load = start(1, ["load.ts", JSON.stringify(options)]);
    const stubbed = { ...DEPLOYED, alias: STUBS };
    buildHandler("ingest", join(folder, "ours"), { ...stubbed, entry: "bench/ingest/stubbed-handler.ts" });
    buildHandler("ingest", join(folder, "unkeyed"), { ...stubbed, entry: "bench/ingest/unkeyed-handler.ts" });
    const servers: Partial<Record<Contender, Server>> = {
      ours: await serve("ours"),
      unkeyed: await serve("unkeyed"),
      bare: await startServer(start(0, ["server.ts", "bare"])),
    };
    if (options.withSend) {
      buildHandler("ingest", join(folder, "sending"), stubbed);
      bundleNaive(join(folder, "naive"));
      const { port } = await nextMessage<AddressInfo>(start(1, ["queue.ts"]));
      const queues = queuesAt(`http://127.0.0.1:${port}`);
      servers.sending = await serve("sending", queues);
      servers.plain = await serve("naive/ingest", queues);
    }
    const contenders = Object.entries(servers) as [Contender, Server][];
    // Discard the first runs, because their code is not compiled yet.
    const { warmUp, runs, each } = options.quick ? QUICK_MS : MS;
    for (const [, server] of contenders) await runOnce(load, server, warmUp);
    const rounds: IngestRound[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const counted: Partial<Record<Contender, Run[]>> = {};
      for (let run = 0; run < runs; run++) {
        for (const [name, server] of run % 2 === 0 ? contenders : contenders.toReversed())
          (counted[name] ??= []).push(await runOnce(load, server, each));
      }
      rounds.push(Object.fromEntries(Object.entries(counted).map(([name, all]) => [name, speedOf(all)])));
    }
    return { rounds, pinned };
  } finally {
    for (const child of processes) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The tables and secrets that the function reads once in ten seconds, each without its work. */
export const STUBS = {
  "@aws-sdk/client-dynamodb": "./bench/ingest/stub-dynamodb.ts",
  "@aws-sdk/client-secrets-manager": "./bench/ingest/stub-secrets-manager.ts",
};

/** Durations of the warm-up and of each run of a round. A server reaches its full speed after some ten thousand requests. */
const MS = { warmUp: 5_000, runs: 8, each: 250 };
const QUICK_MS = { warmUp: 2_000, runs: 4, each: 175 };

/** Starts a process with an IPC channel. Its stdout is /dev/null, because the log is not measured. */
export function startProcess(
  core: number | undefined,
  [file = "", ...args]: string[],
  environment: Record<string, string> = {},
): ChildProcess {
  const node = [process.execPath, join(import.meta.dirname, file), ...args];
  const [command = "", ...rest] = core === undefined ? node : ["taskset", "-c", String(core), ...node];
  return spawn(command, rest, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, ...ENVIRONMENT, ...environment },
  });
}

/** The variables that the function reads, as CDK and Lambda set them. */
const ENVIRONMENT = {
  STAGE: "bench",
  METRICS_NAMESPACE: "Sluice",
  LOG_LEVEL: "INFO",
  QUEUE_URL: "http://127.0.0.1/queue",
  STATUS_QUEUE_URL: "http://127.0.0.1/status",
  ACCESS_TABLE: "access",
  USAGE_TABLE: "usage",
  STATUS_TABLE: "status",
  KEY_SECRET_ARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys",
  UNKNOWN_TYPES: "accept",
  UNKNOWN_VERSIONS: "refuse",
  RETENTION: "30d",
  AWS_REGION: "eu-central-1",
  // Of the length that those of a role have.
  AWS_ACCESS_KEY_ID: "ASIA0123456789ABCDEF",
  AWS_SECRET_ACCESS_KEY: "0123456789".repeat(4),
  AWS_SESSION_TOKEN: "0123456789".repeat(70),
  _X_AMZN_TRACE_ID: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
};

/** The variables that name the queues of a server. */
function queuesAt(endpoint: string): Record<string, string> {
  const url = (name: string) => `${endpoint}/000000000000/${name}`;
  // Without the endpoint the SDK warns in each call that it takes that of the queue.
  return { AWS_ENDPOINT_URL_SQS: endpoint, QUEUE_URL: url("queue"), STATUS_QUEUE_URL: url("status") };
}

type Server = { child: ChildProcess; port: number };

export async function startServer(child: ChildProcess): Promise<Server> {
  const { port } = await nextMessage<AddressInfo>(child);
  return { child, port };
}

/** `used` is the server's own processor time in microseconds. */
type Run = LoadResult & { used: number };

async function runOnce(load: ChildProcess, { child, port }: Server, milliseconds: number): Promise<Run> {
  const before = await cpuMicroseconds(child);
  load.send({ port, milliseconds } satisfies LoadRun);
  const result = await nextMessage<LoadResult>(load);
  return { ...result, used: (await cpuMicroseconds(child)) - before };
}

function speedOf(runs: readonly Run[]): Speed {
  const sum = (of: (run: Run) => number) => runs.reduce((total, run) => total + of(run), 0);
  const answers = sum((run) => run.answers);
  return {
    requestsPerSecond: (answers * 1_000_000) / sum(({ used }) => used),
    answeredPerSecond: (answers * 1_000) / sum((run) => run.milliseconds),
  };
}

async function cpuMicroseconds(child: ChildProcess): Promise<number> {
  child.send("cpu");
  const { user, system } = await nextMessage<NodeJS.CpuUsage>(child);
  return user + system;
}

/** Waits for the next message. @throws Error if the process ends first */
async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const stopWaiting = new AbortController();
  const { signal } = stopWaiting;
  const exit = once(child, "exit", { signal }).then(() => {
    throw new Error(`A process of the benchmark ended: ${child.spawnargs.join(" ")}`);
  });
  const [message] = await Promise.race([once(child, "message", { signal }), exit]);
  stopWaiting.abort();
  exit.catch(() => {});
  return message as T;
}
