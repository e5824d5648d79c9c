import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { childrenOf } from "../../localstack/postgres/process-table.ts";

/** Sums the processor seconds of a process, its children and its ended children. */
export function processorSeconds(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + secondsOf(each, each === pid), 0);
}

/** Sums the processor seconds of a function's running processes; undefined on platforms where they cannot be identified. */
export function functionProcessorSeconds(functionName: string): number | undefined {
  return processesOf(functionName)?.reduce((sum, pid) => sum + secondsOf(pid, false), 0);
}

/** The most resident memory that one of a function's running processes has had; undefined on the same platforms. */
export function functionPeakMegabytes(functionName: string): number | undefined {
  const peaks = processesOf(functionName)?.map(peakMegabytesOf) ?? [];
  return peaks.length === 0 ? undefined : Math.max(...peaks);
}

function processesOf(functionName: string): number[] | undefined {
  if (process.platform !== "linux") return undefined;
  return childrenOf(process.pid).filter((pid) =>
    environmentOf(pid).includes(`AWS_LAMBDA_FUNCTION_NAME=${functionName}`),
  );
}

/** @see proc_pid_status(5), `VmHWM` */
function peakMegabytesOf(pid: number): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes ?? 0) / 1_024;
  } catch {
    // The process has ended since it was listed.
    return 0;
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function secondsOf(pid: number, withEnded: boolean): number {
  if (process.platform !== "linux") return secondsByPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in parentheses, which may contain blanks.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(USER_TICKS, USER_TICKS + (withEnded ? 4 : 2)).map(Number);
    return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
  } catch {
    // The process has ended since it was listed, so its parent counts it.
    return 0;
  }
}

function secondsByPs(pid: number): number {
  const time = execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" }).trim();
  return time.split(/[:-]/).reduce((sum, each) => sum * 60 + Number(each), 0);
}

/** Index of `utime` after the command; `stime`, `cutime` and `cstime` follow. @see proc_pid_stat(5) */
const USER_TICKS = 11;

/** The kernel's USER_HZ, the same on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;
