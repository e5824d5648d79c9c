/** What a function's process and the runtime tell each other over the IPC channel (`bootstrap.mjs` is the far end). */
export type InvokeMessage = {
  requestId: string;
  functionArn: string;
  traceId: string;
  /** When Lambda would end the invocation, in milliseconds of the epoch. */
  deadline: number;
  /** The event, as JSON text. */
  payload: string;
};

export type ErrorDetail = { errorType: string; errorMessage: string; stack: string[] };

export type ProcessMessage =
  | { type: "ready" }
  | { type: "result"; payload: string }
  | ({ type: "error" } & ErrorDetail)
  /** The handler could not be loaded, or an exception nobody caught; the process ends after it. */
  | ({ type: "fatal" } & ErrorDetail);
