/** Invokes one function as Lambda's synchronous `Invoke` does. `payload` and the answer are JSON texts. */
export type Invoke = (payload: string) => Promise<InvokeResult>;

export type InvokeResult =
  | { kind: "success"; payload: string }
  /** The handler threw or rejected. */
  | { kind: "error"; errorType: string; errorMessage: string; stack: string[] }
  /** The handler ran past the function's timeout; its process was killed. */
  | { kind: "timeout"; seconds: number }
  /** The process ended before it answered (exit, signal, out of memory) or could not initialise. */
  | { kind: "crash"; detail: string }
  /** No capacity: reserved concurrency used up, or the runtime is shutting down. */
  | { kind: "throttle" };

export type InvokeFailure = Exclude<InvokeResult, { kind: "success" }>;

/** A failed invocation in words, for log lines and errors. */
export function explainFailure(result: InvokeFailure): string {
  switch (result.kind) {
    case "error":
      return `${result.errorType}: ${result.errorMessage}`;
    case "timeout":
      return `timed out after ${result.seconds} s`;
    case "crash":
      return result.detail;
    case "throttle":
      return "no capacity";
  }
}
