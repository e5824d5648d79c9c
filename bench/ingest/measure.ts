import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";
import type { LoadResult, LoadRun, LoadSettings } from "./load.ts";

type IngestRound = Record<Contender, Speed>;

/** `unkeyed` is ours without the check of the key. */
type Contender = "ours" | "unkeyed" | "bare";

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
 * work. The contenders alternate, and each round begins with the other one.
 */
export async function measureIngest(
  options: LoadSettings & { rounds: number; quick: boolean },
): Promise<IngestMeasurement> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const pinned = cpus().length > 1 && spawnSync("taskset", ["-c", "0,1", "true"]).status === 0;
  const processes: ChildProcess[] = [];
  const start = (core: number, args: string[]) => {
    const child = startProcess(pinned ? core : undefined, args);
    processes.push(child);
    return child;
  };
  try {
    const unkeyed = join(folder, "unkeyed");
    buildHandler("ingest", folder, { ...DEPLOYED, alias: STUBS });
    buildHandler("ingest", unkeyed, { ...DEPLOYED, alias: STUBS, entry: "bench/ingest/unkeyed-handler.ts" });
    const load = start(1, ["load.ts", JSON.stringify(options)]);
    const servers = {
      ours: await startServer(start(0, ["server.ts", "ours", join(folder, "index.js")])),
      unkeyed: await startServer(start(0, ["server.ts", "ours", join(unkeyed, "index.js")])),
      bare: await startServer(start(0, ["server.ts", "bare"])),
    };
    // Discard the first runs, because their code is not compiled yet.
    const { warmUp, counted } = options.quick ? QUICK_MS : MS;
    for (const server of Object.values(servers)) await runOnce(load, server, warmUp);
    const run = (contender: Contender) => runOnce(load, servers[contender], counted);
    const rounds: IngestRound[] = [];
    for (let round = 0; round < options.rounds; round++) {
      if (round % 2 === 0)
        rounds.push({ ours: await run("ours"), unkeyed: await run("unkeyed"), bare: await run("bare") });
      else rounds.push({ bare: await run("bare"), unkeyed: await run("unkeyed"), ours: await run("ours") });
    }
    return { rounds, pinned };
  } finally {
    for (const child of processes) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The services that the function calls, each without its work. */
export const STUBS = {
  "@aws-sdk/client-sqs": "./bench/ingest/stub-sqs.ts",
  "@aws-sdk/client-dynamodb": "./bench/ingest/stub-dynamodb.ts",
  "@aws-sdk/client-secrets-manager": "./bench/ingest/stub-secrets-manager.ts",
};

/** Durations of one run. A server reaches its full speed after some ten thousand requests. */
const MS = { warmUp: 5_000, counted: 2_000 };
const QUICK_MS = { warmUp: 2_000, counted: 700 };

/** Starts a process with an IPC channel. Its stdout is /dev/null, because the log is not measured. */
export function startProcess(core: number | undefined, [file = "", ...args]: string[]): ChildProcess {
  const node = [process.execPath, join(import.meta.dirname, file), ...args];
  const [command = "", ...rest] = core === undefined ? node : ["taskset", "-c", String(core), ...node];
  return spawn(command, rest, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, ...ENVIRONMENT },
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
  _X_AMZN_TRACE_ID: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
};

type Server = { child: ChildProcess; port: number };

export async function startServer(child: ChildProcess): Promise<Server> {
  const { port } = await nextMessage<AddressInfo>(child);
  return { child, port };
}

async function runOnce(load: ChildProcess, { child, port }: Server, milliseconds: number): Promise<Speed> {
  const before = await cpuMicroseconds(child);
  load.send({ port, milliseconds } satisfies LoadRun);
  const result = await nextMessage<LoadResult>(load);
  const used = (await cpuMicroseconds(child)) - before;
  return {
    requestsPerSecond: (result.answers * 1_000_000) / used,
    answeredPerSecond: (result.answers * 1_000) / result.milliseconds,
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
