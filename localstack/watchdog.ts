import { type ChildProcess, spawn } from "node:child_process";

/**
 * Ends a child if this process dies without stopping it (SIGKILL). The watchdog is a shell that waits until its standard
 * input closes, which happens when this process ends.
 * @param how an interrupt of the child, or a kill of its whole process group
 */
export function startWatchdog(child: ChildProcess, how: "interrupt" | "kill group"): void {
  if (process.platform === "win32" || child.pid === undefined) return;
  const kill = how === "interrupt" ? 'kill -INT "$1"' : 'kill -KILL -"$1"';
  const watchdog = spawn("/bin/sh", ["-c", `read -r _; ${kill} 2>/dev/null`, "sh", String(child.pid)], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.on("error", () => undefined);
  watchdog.unref();
  child.once("exit", () => watchdog.kill("SIGKILL"));
}
