import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export type RunningProcess = { parentPid: number; command: string };

/** The process with this id; undefined if there is none or it is a zombie. */
export function describeProcess(pid: number): RunningProcess | undefined {
  if (process.platform === "linux") return fromProc(pid);
  const { stdout } = spawnSync("ps", ["-ww", "-o", "ppid=,command=", "-p", String(pid)], { encoding: "utf8" });
  const [, parentPid, command] = /^\s*(\d+)\s+(.*)$/m.exec(stdout) ?? [];
  return command === undefined || command.includes("<defunct>") ? undefined : { parentPid: Number(parentPid), command };
}

/** The ids of its child processes that still run. */
export function childrenOf(pid: number): number[] {
  if (process.platform === "linux") return pidsInProc().filter((each) => fromProc(each)?.parentPid === pid);
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return [...stdout.matchAll(/^\s*(\d+)\s+(\d+)/gm)]
    .filter((row) => Number(row[2]) === pid)
    .map((row) => Number(row[1]));
}

/** Signals a process unless it has ended. @throws the error of `process.kill` */
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
    return command === "" ? undefined : { parentPid: Number(fieldsAfterName(pid)[1]), command };
  } catch {
    return undefined;
  }
}

/** The fields of proc_pid_stat(5) from the third on; the second is a name that may hold spaces. */
function fieldsAfterName(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
}

function pidsInProc(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
