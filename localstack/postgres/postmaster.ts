import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { childEnvironment } from "../child-environment.ts";
import type { DataDirectory } from "./data-directory.ts";
import { startWatchdog } from "../watchdog.ts";
import { childrenOf, signalIfAlive } from "./process-table.ts";
import { stopStaleServer, clusterName } from "./stop-stale-server.ts";

export type StopMode = "fast" | "immediate";

export type Postmaster = {
  readonly pid: number;
  isRunning(): boolean;
  /** Settles when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Stops harder when `withinMs` is over. */
  stop(mode: StopMode, withinMs?: number): Promise<void>;
  pause(): void;
  resume(): void;
};

export class PortTakenError extends Error {}

type Launch = { binary: string; directory: DataDirectory; port: number; log: (line: string) => void };

/**
 * Runs the server process until it accepts connections. It gets a session of its own: Ctrl-C reaches the whole
 * foreground process group, and the database must outlive the work in flight. If this process is
 * killed, a watchdog stops the server; if that fails too, the next start does (stop-stale-server.ts).
 */
export async function startPostmaster(launch: Launch): Promise<Postmaster> {
  const cluster = join(launch.directory.dir, "cluster");
  await stopStaleServer(cluster);
  for (const deadline = Date.now() + LEFTOVER_BACKENDS_MS; ; ) {
    const outcome = await spawnOnce(cluster, launch);
    if (outcome.kind === "ready") return control(outcome.child, outcome.pid);
    if (/could not bind|could not create any TCP/.test(outcome.output)) {
      throw new PortTakenError(`Port ${launch.port} on 127.0.0.1 is taken. Choose another one for PostgreSQL.`);
    }
    // The backends of a postmaster that was killed need a moment to notice.
    if (!/shared memory block .* is still in use/.test(outcome.output) || Date.now() > deadline) {
      throw new Error(`PostgreSQL did not start on ${cluster}:\n${outcome.output}`);
    }
    await sleep(100);
  }
}

type Outcome = { kind: "ready"; child: ChildProcess; pid: number } | { kind: "ended"; output: string };

async function spawnOnce(cluster: string, { binary, directory, port, log }: Launch): Promise<Outcome> {
  const child = spawn(binary, ["-D", cluster, "-p", String(port), ...settings()], {
    ...directory.user,
    cwd: "/",
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...childEnvironment(), LC_ALL: "C" },
  });
  startWatchdog(child, "interrupt");
  const output: string[] = [];
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve({ kind: "ended", output: output.join("\n") }));
    createInterface({ input: child.stderr }).on("line", (line) => {
      log(line);
      output.push(line);
      if (output.length > KEPT_LINES) output.shift();
      if (child.pid !== undefined && line.includes(READY)) resolve({ kind: "ready", child, pid: child.pid });
    });
  });
}

function control(child: ChildProcess, pid: number): Postmaster {
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const signalAll = (signal: NodeJS.Signals) => {
    if (!isRunning()) return;
    for (const each of [pid, ...childrenOf(pid)]) signalIfAlive(each, signal);
  };
  return {
    pid,
    isRunning,
    ended: isRunning() ? new Promise((resolve) => child.once("exit", () => resolve())) : Promise.resolve(),
    pause: () => signalAll("SIGSTOP"),
    resume: () => signalAll("SIGCONT"),
    async stop(mode, withinMs = FAST_STOP_MS) {
      if (!isRunning()) return;
      const ended = once(child, "exit");
      signalAll("SIGCONT");
      signalIfAlive(pid, mode === "fast" ? "SIGINT" : "SIGQUIT");
      const escalation = setTimeout(() => signalIfAlive(pid, "SIGQUIT"), withinMs);
      const lastResort = setTimeout(() => signalAll("SIGKILL"), withinMs + IMMEDIATE_STOP_MS);
      await ended;
      clearTimeout(escalation);
      clearTimeout(lastResort);
    },
  };
}

/** Durability keeps PostgreSQL's defaults. Errors of statements are not logged: they quote row data. */
const settings = (): string[] =>
  Object.entries({
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    cluster_name: clusterName(process.pid),
    timezone: "UTC",
    log_timezone: "UTC",
    log_min_messages: "log",
    log_min_error_statement: "panic",
    logging_collector: "off",
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);

const READY = "database system is ready to accept connections";
const KEPT_LINES = 20;
/** A clean stop that takes longer than this becomes an immediate one, which loses nothing committed. */
const FAST_STOP_MS = 15_000;
/** The backends of an immediate stop end at once; any that still run after this are killed. */
const IMMEDIATE_STOP_MS = 500;
const LEFTOVER_BACKENDS_MS = 5_000;
