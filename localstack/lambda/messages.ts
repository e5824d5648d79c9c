/** The messages to a function's process (`bootstrap.mjs`) over the IPC channel. */
export type InvokeMessage = {
  requestId: string;
  functionArn: string;
  traceId: string;
  /** The time at which Lambda would end the invocation, in milliseconds of the epoch. */
  deadline: number;
  /** The event, as JSON text. */
  payload: string;
};

export type ErrorDetail = { errorType: string; errorMessage: string; stack: string[] };

/** The messages from it. */
export type ProcessMessage =
  | { type: "ready" }
  | { type: "result"; payload: string }
  | ({ type: "error" } & ErrorDetail)
  /** The handler could not be loaded, or an exception was not caught; the process ends after it. */
  | ({ type: "fatal" } & ErrorDetail);
