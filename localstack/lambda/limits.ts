/** Numbers of the Lambda service that the local runtime keeps. */

/**
 * Largest answer of a handler, in bytes of JSON: 6 MB and 100 bytes, the number Lambda's own error message names
 * ("Response payload size exceeded maximum allowed payload size (6291556 bytes).").
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const RESPONSE_LIMIT_BYTES = 6_291_556;

/** Longest a process may take to load its handler. Lambda allows 10 s; a laptop starting many at once gets more. */
export const INIT_TIMEOUT_SECONDS = 30;

/** A process that is idle for this long ends, as long as another of its function stays warm. Lambda keeps them for minutes. */
export const IDLE_SECONDS = 60;

/** Shares of the function's memory for V8's old and young generation; the rest holds code, buffers and Node itself. */
export const OLD_SPACE_SHARE = 0.9;
export const SEMI_SPACE_SHARE = 0.05;
