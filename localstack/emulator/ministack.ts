import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { withoutAws } from "../without-aws.ts";
import { untilHealthy } from "./health.ts";

/** The version everything here was tried with. */
export const MINISTACK_VERSION = "1.4.21";

/** Between the request to end and the kill. */
const STOP_MS = 1_500;

export type Ministack = { endpoint: string; stop(): Promise<void> };

/**
 * Starts MiniStack (https://github.com/ministackorg/ministack), which runs Node.js functions as processes of this
 * machine: on this very Node.
 * @throws Error if the port is taken, or if it ends or says nothing for half a minute
 */
export async function startMinistack(options: {
  program: string;
  port: number;
  /** For its files. */
  folder: string;
  onEnd: (reason: Error) => void;
}): Promise<Ministack> {
  const { program, folder, onEnd } = options;
  const port = await freePort(options.port);
  await mkdir(folder, { recursive: true });
  // It unpacks the functions here, and they are CommonJS, whatever a folder above says.
  await writeFile(join(folder, "package.json"), '{ "type": "commonjs" }\n');
  const child = spawn(program, [], {
    env: {
      ...withoutAws(process.env),
      PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
      BIND_HOST: "127.0.0.1",
      // In the addresses of queues.
      MINISTACK_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      LAMBDA_EXECUTOR: "local",
      TMPDIR: folder,
      S3_DATA_DIR: folder,
    },
    stdio: ["ignore", "inherit", "inherit"],
    // Its functions are processes of a group with it, which ends with it.
    detached: true,
  });
  startWatchdog(child);
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

/** A shell that waits for this process to end (its standard input closes then) and ends the emulator. */
function startWatchdog(emulator: ChildProcess): void {
  if (process.platform === "win32" || emulator.pid === undefined) return;
  const watchdog = spawn("/bin/sh", ["-c", 'read -r _; kill -KILL -"$1" 2>/dev/null', "sh", String(emulator.pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.on("error", () => undefined);
  watchdog.unref();
  emulator.once("exit", () => watchdog.kill("SIGKILL"));
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

/** @throws Error that says what may be at a port that is taken */
export function freePort(wanted: number): Promise<number> {
  const server = createServer();
  return new Promise((free, refused) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      refused(
        error.code === "EADDRINUSE"
          ? new Error(
              `Port ${wanted} is taken. If an emulator runs there, export AWS_ENDPOINT_URL=http://127.0.0.1:${wanted}; otherwise name another with --port.`,
            )
          : error,
      ),
    );
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => free(typeof address === "object" && address !== null ? address.port : wanted));
    });
  });
}
