/** A place in a trace, as W3C Trace Context has it: ids are hexadecimal texts. */
export type TraceContext = {
  traceId: string;
  spanId: string;
  /** Somebody may have recorded the trace. It is passed on, and never decides what Sluice records. */
  isSampled: boolean;
};

/** The trace of a request: its own place, to send on, and the place that its client sent. Both as `traceparent`. */
export type RequestTrace = { own: string; sent: string | undefined };

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
export const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The same in a later version, which begins as version 00 does and may go on behind it. */
const LATER_TRACEPARENT = /^(?!00|ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?:-|$)/;

/** Reads a `traceparent`; undefined for any other text. */
export function readTraceparent(text: string | undefined): TraceContext | undefined {
  if (text === undefined) return undefined;
  const known = TRACEPARENT.test(text) ? text : laterTraceparent(text);
  if (known === undefined) return undefined;
  return {
    traceId: known.slice(3, 35),
    spanId: known.slice(36, 52),
    isSampled: (parseInt(known[54] ?? "", 16) & 1) === 1,
  };
}

/** Writes version 00. */
export function writeTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

function laterTraceparent(text: string): string | undefined {
  const [, common] = LATER_TRACEPARENT.exec(text) ?? [];
  return common === undefined ? undefined : `00-${common}`;
}

/**
 * The trace id of X-Ray's header, without the dashes and the version that X-Ray adds; undefined where there is none.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
export function traceIdOfXRay(traceHeader: string | undefined): string | undefined {
  const [, seconds, random] = /(?:^|;)Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)/.exec(traceHeader ?? "") ?? [];
  return seconds === undefined || random === undefined ? undefined : seconds + random;
}
