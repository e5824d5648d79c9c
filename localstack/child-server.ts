import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { childEnvironment } from "./child-environment.ts";
import { onAbort } from "./on-abort.ts";
import type { FromChild, ToChild } from "./parent-channel.ts";
import { STOP_WORK_MS } from "./stop-times.ts";
import { supervise } from "./supervise.ts";

/** A server in a process of its own, on the loopback interface. */
export type ChildServer = {
  /** For example `http://127.0.0.1:9324`. */
  endpoint: string;
  pid: number;
  /** Settles when the process has ended, for whatever reason. */
  exited: Promise<void>;
  /** Ends the process, by force once `giveUp` fires (default: after 3 s). */
  stop: (giveUp?: AbortSignal) => Promise<void>;
};

/** The least time for an orderly stop, which takes a few milliseconds. Killing the process loses nothing either. */
const ORDERLY_MILLISECONDS = 300;

/**
 * Starts a program that answers its parent by parent-channel.ts, with its options.
 * @param server.name begins the error of a start that failed
 * @param server.explain the reason in that error, from the child's own code and message
 */
export async function startChildServer(
  server: { name: string; program: URL; explain: (failure: Failure) => string },
  options: object,
  log: ((line: string) => void) | undefined,
): Promise<ChildServer> {
  const child = fork(fileURLToPath(server.program), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: childEnvironment(),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => log?.(text.trimEnd()));
  const exited = once(child, "exit").then(() => undefined);
  const answer = nextMessage(child, exited);
  post(child, { kind: "start", options });
  const started = await answer;
  if (started.kind === "failed") {
    await exited;
    throw new Error(`${server.name} did not start: ${server.explain(started)}`);
  }
  for (const note of started.notes) log?.(note);
  return {
    endpoint: `http://127.0.0.1:${started.port}`,
    pid: child.pid ?? 0,
    exited,
    stop: async (giveUp = AbortSignal.timeout(STOP_WORK_MS)) => {
      post(child, { kind: "stop" });
      let kill: NodeJS.Timeout | undefined;
      const forget = onAbort(giveUp, () => {
        kill = setTimeout(() => child.kill("SIGKILL"), ORDERLY_MILLISECONDS);
      });
      await exited;
      forget();
      clearTimeout(kill);
    },
  };
}

/**
 * Keeps a server running: whenever its process ends by itself, `start` is called again with the port of the first start.
 * @param options.name begins log lines and the reason of `giveUp`
 */
export async function superviseServer<Server extends ChildServer>(
  start: (port: number | undefined) => Promise<Server>,
  options: { name: string; giveUp: (reason: Error) => void; log: (line: string) => void },
): Promise<{ first: Server; stop: ChildServer["stop"] }> {
  let stopped = false;
  const first = await start(undefined);
  let current = first;
  const port = Number(new URL(first.endpoint).port);
  const supervisor = supervise({
    ...options,
    restart: async () => {
      current = await start(port);
      watch(current);
    },
  });
  const watch = ({ exited }: Server) => void exited.then(() => (stopped ? undefined : supervisor.ended()));
  watch(first);
  return {
    first,
    async stop(giveUp) {
      stopped = true;
      await supervisor.stop();
      await current.stop(giveUp);
    },
  };
}

export type Failure = Extract<FromChild, { kind: "failed" }>;

async function nextMessage(child: ChildProcess, exited: Promise<void>): Promise<FromChild> {
  const answered = once(child, "message").then(([message]) => message as FromChild);
  const ended = exited.then((): FromChild => ({ kind: "failed", code: undefined, message: "its process ended" }));
  return Promise.race([answered, ended]);
}

function post(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => undefined);
}
