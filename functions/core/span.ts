import type { SpanAttributes } from "./tracing.ts";
import type { TraceContext } from "./trace.ts";

/** `server` answers a request, `consumer` works on messages, `client` and `producer` send something out. */
export type SpanKind = "server" | "consumer" | "client" | "producer" | "internal";

/** A piece of work that has ended. */
export type Span = Pick<TraceContext, "traceId" | "spanId"> & {
  parentSpanId: string | undefined;
  name: string;
  kind: SpanKind;
  /** ms since the epoch, with parts of them. */
  startedAt: number;
  endedAt: number;
  attributes: SpanAttributes;
  links: readonly Pick<TraceContext, "traceId" | "spanId">[];
  isError: boolean;
};

/**
 * Spans as one request of OTLP in JSON: bytes as hexadecimal text, 64-bit integers as text.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function toOtlp(resource: SpanAttributes, spans: readonly Span[]): string {
  const scopeSpans = [{ scope: { name: "sluice" }, spans: spans.map(toOtlpSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: toAttributes(resource) }, scopeSpans }] });
}

function toOtlpSpan({ traceId, spanId, parentSpanId, name, links, isError, ...span }: Span) {
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: KINDS[span.kind],
    startTimeUnixNano: toNanoseconds(span.startedAt),
    endTimeUnixNano: toNanoseconds(span.endedAt),
    attributes: toAttributes(span.attributes),
    ...(links.length > 0 && { links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })) }),
    ...(isError && { status: { code: STATUS_CODE_ERROR } }),
  };
}

/** A number of JavaScript holds microseconds since the epoch, and not nanoseconds. */
const toNanoseconds = (milliseconds: number): string => `${Math.round(milliseconds * 1_000)}000`;

function toAttributes(attributes: SpanAttributes) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: toValue(value) }],
  );
}

function toValue(value: string | number) {
  if (typeof value === "string") return { stringValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/trace/v1/trace.proto */
const KINDS: Record<SpanKind, number> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const STATUS_CODE_ERROR = 2;
