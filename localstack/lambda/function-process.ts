import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { FunctionModel } from "../template/model.ts";
import { functionEnvironment } from "./function-environment.ts";
import type { InvokeResult } from "./invoke.ts";
import { INIT_TIMEOUT_SECONDS, OLD_SPACE_SHARE, RESPONSE_LIMIT_BYTES, SEMI_SPACE_SHARE } from "./limits.ts";
import { forwardLines, type ReceiveMetrics } from "./forward-lines.ts";
import type { ErrorDetail, InvokeMessage, ProcessMessage } from "./messages.ts";

export type ProcessOptions = {
  region: string;
  /** `AWS_ENDPOINT_URL*` variables that lead the SDK to the local services. */
  endpoints: Record<string, string>;
  log: (line: string) => void;
  /** Gets each line that has metrics for CloudWatch. */
  metrics?: ReceiveMetrics | undefined;
};

/** One execution environment of a function: a Node process that serves one invocation at a time. */
export type FunctionProcess = {
  /** Settles with undefined when the handler is loaded, or with the reason why the process cannot serve. Never rejects. */
  readonly ready: Promise<string | undefined>;
  /** Settles when the process has ended and its last log line is written. */
  readonly ended: Promise<void>;
  /** False as soon as it may get no further invocation. */
  isAlive(): boolean;
  /** Runs one invocation. The caller makes sure that none is running. */
  run(payload: string): Promise<InvokeResult>;
  /** Lets an idle process end by itself. */
  retire(): void;
  kill(): void;
};

const BOOTSTRAP = join(import.meta.dirname, "bootstrap.mjs");

/** The time for which a program that the process started may hold its pipes open after its end. */
const PIPE_GRACE_MILLISECONDS = 500;

export function startFunctionProcess(model: FunctionModel, options: ProcessOptions): FunctionProcess {
  const ready = Promise.withResolvers<string | undefined>();
  let alive = true;
  let loaded = false;
  let fatalError: string | undefined;
  let answer: ((result: InvokeResult) => void) | undefined;

  const child = spawnNode(model, options);
  const initTimer = setTimeout(
    () => endWith(`Sandbox.Timedout: init took longer than ${INIT_TIMEOUT_SECONDS} s`),
    INIT_TIMEOUT_SECONDS * 1000,
  );

  /** Ends the process and answers a waiting invocation with the reason. */
  const endWith = (detail: string) => {
    alive = false;
    clearTimeout(initTimer);
    if (loaded && answer === undefined && fatalError !== undefined) options.log(`${model.name} ${fatalError}`);
    ready.resolve(fatalError ?? detail);
    answer?.({ kind: "crash", detail: fatalError ?? detail });
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
        fatalError = textOf(message);
        return endWith(fatalError);
    }
    answer = undefined;
  });
  onEnd(child, endWith);

  return {
    ready: ready.promise,
    ended: closeOf(child),
    isAlive: () => alive,
    run: (payload) =>
      new Promise((resolve) => {
        if (!alive) return resolve({ kind: "crash", detail: fatalError ?? "the process ended before the invocation" });
        const timer = setTimeout(() => {
          answer = undefined;
          resolve({ kind: "timeout", seconds: model.timeoutSeconds });
          endWith("timeout");
        }, model.timeoutSeconds * 1000);
        answer = (result) => {
          clearTimeout(timer);
          resolve(result);
        };
        // If the process can no longer receive it, its end answers the invocation.
        child.send(invokeMessage(model, payload), () => {});
      }),
    retire: () => {
      alive = false;
      if (child.connected) child.disconnect();
    },
    kill: () => endWith("the runtime ended the process"),
  };
}

function spawnNode(model: FunctionModel, options: ProcessOptions): ChildProcess {
  const megabytes = (share: number) => Math.max(1, Math.floor(model.memoryMegabytes * share));
  const child = spawn(
    process.execPath,
    [
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
      forwardLines(stream, {
        log: (line) => options.log(line.startsWith("{") ? line : `${model.name} ${line}`),
        metrics: options.metrics,
        filters: model.metricFilters,
      });
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

/** Calls `done` once, when the process has exited and all messages that it sent are delivered. */
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
 * Settles when the process has ended and its last lines are read, or when another program has held its pipes too long.
 * The child's own "close" event does not serve: Node omits it after `child.disconnect()`.
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
