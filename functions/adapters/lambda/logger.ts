import type { Context } from "aws-lambda";
import { LOG_LEVELS, type LogLevel, type LogLines } from "../../core/log-lines.ts";
import { traceIdOfXRay } from "../../core/trace.ts";
import { lambdaEnvironment } from "./environment.ts";

/** Each message becomes one line of JSON, without the fields that are undefined, null or empty. */
export type Logger = Record<
  "info" | "warn" | "error",
  <Message extends keyof LogLines>(message: Message, fields: LogLines[Message]) => void
>;

/** A logger whose lines name their invocation and its trace, from `begin` on. */
export type InvocationLogger = Logger & {
  begin: (context: Context, traceId: string) => void;
  /** Tells whether lines of a level are written. */
  isWritten: (level: keyof Logger) => boolean;
  /** Writes a line with members of another kind, such as those of metrics, behind its own. */
  write: <Message extends keyof LogLines>(
    level: keyof Logger,
    message: Message,
    fields: LogLines[Message],
    others: object | undefined,
  ) => void;
};

/**
 * Makes a logger that writes the lines of Powertools for AWS Lambda at a tenth of its cost, with the id of the trace and without the
 * members that say nothing (docs/decisions/0012-lines-without-powertools.md). A test compares both byte for byte.
 * @see https://docs.aws.amazon.com/powertools/typescript/latest/features/logger/
 */
export function createLogger(options: { service: string; stage: string; level: LogLevel }): InvocationLogger {
  const { service, stage } = options;
  let isColdStart = lambdaEnvironment.isStartedOnDemand();
  /** The members that name the invocation, as the inner text of a JSON object: of any line, and of one about a fault. */
  let invocation = { any: membersOf({ stage }), fault: membersOf({ stage }) };
  const isWritten = (level: LogLevel) => LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(options.level);
  const writer = (level: LogLevel, stream: () => NodeJS.WriteStream) => {
    if (!isWritten(level)) return () => undefined;
    const head = membersOf({ level });
    const middle = membersOf({ service });
    return (message: string, fields: Record<string, unknown>) => {
      const own = membersOf(withoutEmpty(fields));
      const names = level === "INFO" && fields["error"] === undefined ? invocation.any : invocation.fault;
      const line = `{${head},"message":${JSON.stringify(message)},"timestamp":"${new Date().toISOString()}",${middle},${names}`;
      stream().write(own === "" ? `${line}}\n` : `${line},${own}}\n`);
    };
  };
  // Node makes a stream when it is first asked for; hardly a process warns.
  const writers = {
    info: writer("INFO", () => process.stdout),
    warn: writer("WARN", () => process.stderr),
    error: writer("ERROR", () => process.stderr),
  };
  return {
    ...writers,
    isWritten: (level) => isWritten(LEVELS[level]),
    write: (level, message, fields, others) => writers[level](message, { ...fields, ...others }),
    begin({ awsRequestId }, traceId) {
      const named = {
        cold_start: isColdStart || undefined,
        function_request_id: awsRequestId,
        xray_trace_id: recordedElsewhere(lambdaEnvironment.traceHeader(), traceId),
        trace_id: traceId,
        stage,
      };
      // Lambda names its request in its own lines, which are about faults alone (lib/sluice-function.ts).
      invocation = { any: membersOf({ ...named, function_request_id: undefined }), fault: membersOf(named) };
      isColdStart = false;
    },
  };
}

const LEVELS = { info: "INFO", warn: "WARN", error: "ERROR" } as const satisfies Record<keyof Logger, LogLevel>;

/** The text of an object without its braces; the members of several are joined by commas into one line. */
function membersOf(object: object): string {
  return JSON.stringify(object).slice(1, -1);
}

/** Leaves out fields that are null or empty; nearly no line has one. */
function withoutEmpty(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name in fields) {
    if (fields[name] === null || fields[name] === "") {
      return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ""));
    }
  }
  return fields;
}

/**
 * X-Ray's id of the trace, where X-Ray records it and it is not the trace's own.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
function recordedElsewhere(traceHeader: string | undefined, traceId: string): string | undefined {
  if (traceHeader === undefined || !/(?:^|;)Sampled=1(?:;|$)/.test(traceHeader)) return undefined;
  return traceIdOfXRay(traceHeader) === traceId ? undefined : /(?:^|;)Root=([^;]+)/.exec(traceHeader)?.[1];
}
