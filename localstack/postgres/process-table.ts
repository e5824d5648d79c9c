import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export type RunningProcess = { parentPid: number; command: string };

/** The process with this id, or undefined if there is none or it has ended and nobody has asked for its status. */
export function describeProcess(pid: number): RunningProcess | undefined {
  if (process.platform === "linux") return fromProc(pid);
  const { stdout } = spawnSync("ps", ["-ww", "-o", "ppid=,command=", "-p", String(pid)], { encoding: "utf8" });
  const [, parentPid, command] = /^\s*(\d+)\s+(.*)$/m.exec(stdout) ?? [];
  return command === undefined || command.includes("<defunct>") ? undefined : { parentPid: Number(parentPid), command };
}

/** Ids of the processes it started that still run. */
export function childrenOf(pid: number): number[] {
  if (process.platform === "linux") return pidsInProc().filter((each) => fromProc(each)?.parentPid === pid);
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return [...stdout.matchAll(/^\s*(\d+)\s+(\d+)/gm)]
    .filter((row) => Number(row[2]) === pid)
    .map((row) => Number(row[1]));
}

/** Throws what `process.kill` throws, unless the process has ended in the meantime. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Not `ps`: small Linux images do not have it. */
function fromProc(pid: number): RunningProcess | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    const afterName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "";
    return command === "" ? undefined : { parentPid: Number(afterName.split(" ")[1]), command };
  } catch {
    return undefined;
  }
}

function pidsInProc(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
