import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { FunctionModel } from "../template/model.ts";
import { functionEnvironment } from "./function-environment.ts";
import type { InvokeResult } from "./invoke.ts";
import { INIT_TIMEOUT_SECONDS, OLD_SPACE_SHARE, RESPONSE_LIMIT_BYTES, SEMI_SPACE_SHARE } from "./limits.ts";
import { forwardLines } from "./log-lines.ts";
import type { ErrorDetail, InvokeMessage, ProcessMessage } from "./messages.ts";

export type ProcessOptions = {
  region: string;
  /** `AWS_ENDPOINT_URL*` variables that lead the SDK to the local services. */
  endpoints: Record<string, string>;
  log: (line: string) => void;
  /** Gets each line in CloudWatch's embedded metric format. */
  metrics?: ((line: string) => void) | undefined;
};

/** One execution environment of a function: a Node process that serves one invocation at a time. */
export type FunctionProcess = {
  /** Settles when the handler is loaded (undefined) or the process cannot serve (why). Never rejects. */
  readonly ready: Promise<string | undefined>;
  /** Settles when the process is gone and its last log line is written. */
  readonly ended: Promise<void>;
  /** False as soon as no further invocation may go to it. */
  isAlive(): boolean;
  /** Runs one invocation; the caller sees to it that none is running. */
  run(payload: string): Promise<InvokeResult>;
  /** Ends an idle process politely. */
  retire(): void;
  kill(): void;
};

const BOOTSTRAP = join(import.meta.dirname, "bootstrap.mjs");

/** How long the pipes of an ended process may stay open, held by a program it started. */
const PIPE_GRACE_MILLISECONDS = 500;

export function startProcess(model: FunctionModel, options: ProcessOptions): FunctionProcess {
  const ready = Promise.withResolvers<string | undefined>();
  let alive = true;
  let loaded = false;
  let lastWords: string | undefined;
  let answer: ((result: InvokeResult) => void) | undefined;

  const child = spawnNode(model, options);
  const initTimer = setTimeout(
    () => gone(`Sandbox.Timedout: init took longer than ${INIT_TIMEOUT_SECONDS} s`),
    INIT_TIMEOUT_SECONDS * 1000,
  );

  /** No further answer comes from this process: whoever waits is told why. */
  const gone = (detail: string) => {
    alive = false;
    clearTimeout(initTimer);
    if (loaded && answer === undefined && lastWords !== undefined) options.log(`${model.name} ${lastWords}`);
    ready.resolve(lastWords ?? detail);
    answer?.({ kind: "crash", detail: lastWords ?? detail });
    answer = undefined;
    child.kill("SIGKILL");
  };

  child.on("message", (message: ProcessMessage) => {
    switch (message.type) {
      case "ready":
        clearTimeout(initTimer);
        loaded = true;
        ready.resolve(undefined);
        return;
      case "result":
        answer?.({ kind: "success", payload: message.payload });
        break;
      case "error": {
        const { type: _, ...error } = message;
        answer?.({ kind: "error", ...error });
        break;
      }
      case "fatal":
        lastWords = textOf(message);
        return gone(lastWords);
    }
    answer = undefined;
  });
  onEnd(child, gone);

  return {
    ready: ready.promise,
    ended: closeOf(child),
    isAlive: () => alive,
    run: (payload) =>
      new Promise((resolve) => {
        if (!alive) return resolve({ kind: "crash", detail: lastWords ?? "the process ended before the invocation" });
        const timer = setTimeout(() => {
          answer = undefined;
          resolve({ kind: "timeout", seconds: model.timeoutSeconds });
          gone("timeout");
        }, model.timeoutSeconds * 1000);
        answer = (result) => {
          clearTimeout(timer);
          resolve(result);
        };
        // A process that cannot take it any more ends, and its end says why.
        child.send(invokeMessage(model, payload), () => {});
      }),
    retire: () => {
      alive = false;
      if (child.connected) child.disconnect();
    },
    kill: () => gone("the runtime ended the process"),
  };
}

function spawnNode(model: FunctionModel, options: ProcessOptions): ChildProcess {
  const megabytes = (share: number) => Math.max(1, Math.floor(model.memoryMegabytes * share));
  const child = spawn(
    process.execPath,
    [
      "--enable-source-maps",
      `--max-old-space-size=${megabytes(OLD_SPACE_SHARE)}`,
      `--max-semi-space-size=${megabytes(SEMI_SPACE_SHARE)}`,
      BOOTSTRAP,
      String(RESPONSE_LIMIT_BYTES),
    ],
    {
      cwd: model.assetPath,
      env: functionEnvironment(model, options),
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // Structured clone copies long strings twice as fast as the JSON channel escapes them.
      serialization: "advanced",
    },
  );
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null)
      forwardLines(
        stream,
        (line) => options.log(line.startsWith("{") ? line : `${model.name} ${line}`),
        options.metrics,
      );
  return child;
}

function invokeMessage(model: FunctionModel, payload: string): InvokeMessage {
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return {
    requestId: randomUUID(),
    functionArn: model.arn,
    traceId: `Root=1-${seconds}-${randomBytes(12).toString("hex")};Sampled=0`,
    deadline: Date.now() + model.timeoutSeconds * 1000,
    payload,
  };
}

/** Calls `done` once, when the process has exited and every message it had sent is delivered. */
function onEnd(child: ChildProcess, done: (detail: string) => void): void {
  let detail: string | undefined;
  let connected = true;
  child.on("error", (error) => {
    if (child.pid === undefined) done(`the process could not be started: ${error.message}`);
  });
  child.on("exit", (code, signal) => {
    detail = `Runtime.ExitError: the process ended with ${signal === null ? `exit code ${code}` : `signal ${signal}`}`;
    if (!connected) done(detail);
  });
  child.on("disconnect", () => {
    connected = false;
    if (detail !== undefined) done(detail);
  });
}

/**
 * Settles when the process is gone and its last lines are through, or whatever else holds its pipes was too slow.
 * Not the child's own "close" event: Node leaves that out after `child.disconnect()`.
 */
async function closeOf(child: ChildProcess): Promise<void> {
  const pipes = [child.stdout, child.stderr].filter((pipe) => pipe !== null);
  const pipesClosed = Promise.all(pipes.map((pipe) => new Promise((closed) => pipe.once("close", closed))));
  await new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => child.pid === undefined && resolve());
  });
  const timer = setTimeout(() => {
    for (const pipe of pipes) pipe.destroy();
  }, PIPE_GRACE_MILLISECONDS);
  await pipesClosed;
  clearTimeout(timer);
}

function textOf({ errorType, errorMessage, stack }: ErrorDetail): string {
  const frames = stack.filter((line) => line.startsWith("    at "));
  return [`${errorType}: ${errorMessage}`, ...frames].join("\n");
}
