import type { FunctionModel } from "../template/model.ts";
import { onAbort } from "../on-abort.ts";
import { type FunctionProcess, type ProcessOptions, startFunctionProcess } from "./function-process.ts";
import type { Invoke, InvokeResult } from "./invoke.ts";
import { STOP_WORK_MS } from "../stop-times.ts";
import { IDLE_SECONDS } from "./limits.ts";

export type FunctionOptions = ProcessOptions & {
  /** The most processes at once; a laptop has fewer cores than Lambda. */
  maxProcesses: number;
  /** Gets the milliseconds of each invocation: the duration that Lambda bills, before it rounds up. */
  invoked?: ((functionName: string, milliseconds: number) => void) | undefined;
};

export type LocalFunction = {
  invoke: Invoke;
  /** New invocations run the new model; invocations in flight finish on the old one. */
  reload(model: FunctionModel): void;
  /** Lets running invocations finish until `giveUp` fires (default: after 3 s), then ends every process. */
  stop(giveUp?: AbortSignal): Promise<void>;
  /** The model that new invocations run. */
  model(): FunctionModel;
  stats(): FunctionStats;
};

type FunctionStats = { processes: number; running: number; waiting: number };

type Waiting = { payload: string; answer: (result: InvokeResult) => void };

/** The processes that serve one version of a function. */
type Generation = { model: FunctionModel; processes: Set<FunctionProcess>; idle: IdleProcess[]; starting: number };
type IdleProcess = { process: FunctionProcess; since: number };

/**
 * Runs one function of the template as Lambda would: separate processes, one invocation at a time in each, started under
 * load and kept warm.
 *
 * Unlike on Lambda, invocations beyond `maxProcesses` wait in order instead of getting another environment. Beyond the
 * reserved concurrency they are throttled, as on Lambda.
 */
export function startFunction(initial: FunctionModel, options: FunctionOptions): LocalFunction {
  let current = generationOf(initial);
  let running = 0;
  let stopped: Promise<void> | undefined;
  const waiting: Waiting[] = [];
  const processes = new Set<FunctionProcess>();
  const reaper = setInterval(retireSurplus, (IDLE_SECONDS * 1000) / 4).unref();

  const invoke: Invoke = (payload) => {
    const reserved = current.model.reservedConcurrency ?? Number.POSITIVE_INFINITY;
    if (stopped !== undefined || running + waiting.length >= reserved) return Promise.resolve({ kind: "throttle" });
    return new Promise((answer) => {
      waiting.push({ payload, answer });
      dispatch();
    });
  };

  function dispatch(): void {
    for (let next = current.idle.pop(); next !== undefined; next = current.idle.pop()) {
      if (!next.process.isAlive()) continue;
      const invocation = waiting.shift();
      if (invocation === undefined) {
        current.idle.push(next);
        break;
      }
      void run(current, next.process, invocation);
    }
    if (stopped !== undefined) return;
    const limit = Math.min(current.model.reservedConcurrency ?? options.maxProcesses, options.maxProcesses);
    while (current.starting < waiting.length && current.processes.size < limit) void start(current);
  }

  async function start(generation: Generation): Promise<void> {
    const process = startFunctionProcess(generation.model, options);
    processes.add(process);
    generation.processes.add(process);
    generation.starting += 1;
    void process.ended.then(() => forget(generation, process));

    const failure = await process.ready;
    generation.starting -= 1;
    if (generation !== current || stopped !== undefined) return process.retire();
    if (failure === undefined) {
      generation.idle.push({ process, since: Date.now() });
    } else {
      // Lambda answers the invocation that asked for the environment and starts a new one for the next.
      generation.processes.delete(process);
      options.log(`${generation.model.name} init failed: ${failure}`);
      waiting.shift()?.answer({ kind: "crash", detail: failure });
    }
    dispatch();
  }

  async function run(generation: Generation, process: FunctionProcess, { payload, answer }: Waiting): Promise<void> {
    running += 1;
    const started = performance.now();
    const result = await process.run(payload);
    running -= 1;
    options.invoked?.(generation.model.name, performance.now() - started);
    logFailure(generation.model, result);
    if (!process.isAlive()) generation.processes.delete(process);
    else if (generation !== current || stopped !== undefined) process.retire();
    else generation.idle.push({ process, since: Date.now() });
    answer(result);
    dispatch();
  }

  function forget(generation: Generation, process: FunctionProcess): void {
    processes.delete(process);
    generation.processes.delete(process);
    generation.idle = generation.idle.filter((idle) => idle.process !== process);
    if (generation === current) dispatch();
  }

  function retireSurplus(): void {
    const idleSince = Date.now() - IDLE_SECONDS * 1000;
    while (current.processes.size > 1 && (current.idle[0]?.since ?? Number.POSITIVE_INFINITY) < idleSince) {
      const surplus = current.idle.shift();
      if (surplus === undefined) return;
      current.processes.delete(surplus.process);
      surplus.process.retire();
    }
  }

  function retireIdle(generation: Generation): void {
    for (const { process } of generation.idle.splice(0)) process.retire();
  }

  function logFailure(model: FunctionModel, result: InvokeResult): void {
    const text = failureText(result);
    if (text !== "") options.log(`${model.name} ${text}`);
  }

  async function end(giveUp: AbortSignal): Promise<void> {
    clearInterval(reaper);
    for (const { answer } of waiting.splice(0)) answer({ kind: "throttle" });
    retireIdle(current);
    const forget = onAbort(giveUp, () => {
      for (const process of processes) process.kill();
    });
    await Promise.all(Array.from(processes, (process) => process.ended));
    forget();
  }

  return {
    invoke,
    reload: (model) => {
      const old = current;
      current = generationOf(model);
      retireIdle(old);
      dispatch();
    },
    stop: (giveUp = AbortSignal.timeout(STOP_WORK_MS)) => (stopped ??= Promise.resolve().then(() => end(giveUp))),
    model: () => current.model,
    stats: () => ({ processes: processes.size, running, waiting: waiting.length }),
  };
}

function generationOf(model: FunctionModel): Generation {
  return { model, processes: new Set(), idle: [], starting: 0 };
}

/** The line that Lambda would write to the function's log; empty for a success. */
function failureText(result: InvokeResult): string {
  switch (result.kind) {
    case "success":
    case "throttle":
      return "";
    case "error":
      return `${result.errorType}: ${result.errorMessage}\n${result.stack.slice(1).join("\n")}`.trimEnd();
    case "timeout":
      return `Task timed out after ${result.seconds.toFixed(2)} seconds`;
    case "crash":
      return result.detail;
  }
}
