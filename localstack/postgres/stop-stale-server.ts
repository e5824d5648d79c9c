import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf, describeProcess, signalIfAlive } from "./process-table.ts";

/** The cluster name on a server's command line; it holds the id of the Sluice process that runs the server. */
export const clusterName = (runnerPid: number): string => `sluice_${runnerPid}`;

/**
 * Makes sure that no server holds the cluster, judging by its postmaster.pid and the command line of that process. A
 * server whose Sluice process has ended (SIGKILL, power loss) is stopped.
 * @throws Error if another Sluice process uses the cluster
 */
export async function stopStaleServer(cluster: string): Promise<void> {
  const pid = recordedPid(cluster);
  if (pid === undefined) return;
  const server = findServer(cluster, pid);
  if (server === "none") return;
  if (server === "another process") return disownPid(cluster);
  if (!server.orphaned) {
    throw new Error(
      `PostgreSQL already runs on ${cluster} as process ${pid}, started by process ${server.runnerPid}. ` +
        "Stop that one first, or use another data directory.",
    );
  }
  await stopServer(cluster, pid);
}

type Server = { runnerPid: number; orphaned: boolean };

function findServer(cluster: string, pid: number): Server | "none" | "another process" {
  const found = describeProcess(pid);
  if (found === undefined) return "none";
  const runnerPid = Number(/cluster_name=sluice_(\d+)/.exec(found.command)?.[1]);
  if (!found.command.includes(cluster) || Number.isNaN(runnerPid)) return "another process";
  return { runnerPid, orphaned: found.parentPid !== runnerPid };
}

async function stopServer(cluster: string, pid: number): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    for (const each of [pid, ...childrenOf(pid)]) signalIfAlive(each, "SIGCONT");
    signalIfAlive(pid, signal);
    for (const deadline = Date.now() + STOP_STEP_MS; Date.now() < deadline; await sleep(20)) {
      if (typeof findServer(cluster, pid) !== "object") return;
    }
  }
  throw new Error(`PostgreSQL (process ${pid}) still runs on ${cluster} without its Sluice process. End that process.`);
}

function recordedPid(cluster: string): number | undefined {
  try {
    const pid = Number(readFileSync(lockFile(cluster), "utf8").split("\n")[0]);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * After a crash the recorded process id may belong to any program, and PostgreSQL would refuse to start. Our own id is
 * written instead, because PostgreSQL ignores its parent's. Deleting the file would skip its check of the shared memory
 * that the file names.
 */
function disownPid(cluster: string): void {
  const lines = readFileSync(lockFile(cluster), "utf8").split("\n");
  writeFileSync(lockFile(cluster), [String(process.pid), ...lines.slice(1)].join("\n"));
}

const lockFile = (cluster: string): string => join(cluster, "postmaster.pid");

/** The time for each signal before the next, harder one. */
const STOP_STEP_MS = 5_000;
