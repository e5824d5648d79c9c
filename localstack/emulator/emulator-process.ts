import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { freePort, isPortTaken } from "../ports.ts";
import { startWatchdog } from "../watchdog.ts";
import { commandEnvironment } from "../child-environment.ts";
import { untilHealthy } from "./health.ts";

/** Time between SIGTERM and SIGKILL. Whatever an emulator would save is deleted next. */
const STOP_MS = 1_500;

/** A program that serves AWS's API on this machine, and its own settings. */
export type EmulatorCommand = { name: string; program: string; words: string[]; environment: Record<string, string> };

export type EmulatorProcess = { endpoint: string; stop(): Promise<void> };

/**
 * Starts an emulator in a process group of its own, which is ended as a whole: also by a watchdog, if this process dies.
 * @throws Error if it ends or is not healthy in time
 */
export async function startEmulatorProcess(
  { name, program, words, environment }: EmulatorCommand,
  { port, onEnd }: { port: number; onEnd: (reason: Error) => void },
): Promise<EmulatorProcess> {
  const child = spawn(program, words, {
    env: { ...commandEnvironment(), ...environment },
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  startWatchdog(child, "kill group");
  const ended = once(child, "exit").catch((error: Error) => [error.message]);
  const endpoint = `http://127.0.0.1:${port}`;
  let stopping = false;
  void ended.then(([code]) => (stopping ? undefined : onEnd(new Error(`${name} ended with ${code}.`))));
  const stop = async () => {
    stopping = true;
    await endGroup(child, ended);
  };
  try {
    await untilHealthy(endpoint, ended);
    return { endpoint, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function endGroup(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.pid === undefined) return;
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-Number(child.pid), signal);
    } catch {
      // No process of the group is left.
    }
  };
  kill("SIGTERM");
  const timer = setTimeout(() => kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(timer);
  kill("SIGKILL");
}

/** A free port for an emulator. @throws Error that says what to do about a port that is taken */
export async function emulatorPort(wanted: number): Promise<number> {
  try {
    return await freePort(wanted);
  } catch (cause) {
    if (!isPortTaken(cause)) throw cause;
    throw new Error(
      `Port ${wanted} is taken. If an emulator runs there, export AWS_ENDPOINT_URL=http://127.0.0.1:${wanted}; otherwise name another with --port.`,
      { cause },
    );
  }
}
