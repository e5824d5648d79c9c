import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, isPortTaken } from "../ports.ts";
import { startWatchdog } from "../watchdog.ts";
import { commandEnvironment } from "../child-environment.ts";
import { untilHealthy } from "./health.ts";

/** The version that everything here was tested with. */
export const MINISTACK_VERSION = "1.4.21";

/** Time between SIGTERM and SIGKILL. */
const STOP_MS = 1_500;

export type Ministack = { endpoint: string; stop(): Promise<void> };

/**
 * Starts MiniStack (https://github.com/ministackorg/ministack), which runs Node.js functions as processes of this
 * machine: on this very Node.
 * @throws Error if the port is taken, or if MiniStack ends or is not healthy within half a minute
 */
export async function startMinistack(options: {
  program: string;
  port: number;
  /** For its files. */
  folder: string;
  onEnd: (reason: Error) => void;
}): Promise<Ministack> {
  const { program, folder, onEnd } = options;
  const port = await emulatorPort(options.port);
  await mkdir(folder, { recursive: true });
  // MiniStack unpacks the functions here. They are CommonJS, whatever the package.json of a folder above says.
  await writeFile(join(folder, "package.json"), '{ "type": "commonjs" }\n');
  const child = spawn(program, [], {
    env: {
      ...commandEnvironment(),
      BIND_HOST: "127.0.0.1",
      // In the addresses of queues.
      MINISTACK_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      LAMBDA_EXECUTOR: "local",
      TMPDIR: folder,
      S3_DATA_DIR: folder,
    },
    stdio: ["ignore", "inherit", "inherit"],
    // Its functions are processes of the same group, which is ended as a whole.
    detached: true,
  });
  startWatchdog(child, "kill group");
  const ended = once(child, "exit").catch((error: Error) => [error.message]);
  const endpoint = `http://127.0.0.1:${port}`;
  let stopping = false;
  void ended.then(([code]) => (stopping ? undefined : onEnd(new Error(`MiniStack ended with ${code}.`))));
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
