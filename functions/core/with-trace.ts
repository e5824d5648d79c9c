import type { Event } from "./event.ts";
import { EXTENSIONS_MAX } from "./limits.ts";

/**
 * Extensions by which an event says in which trace it is sent. They are no part of its content.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md
 */
export const TRACE_EXTENSIONS: readonly string[] = ["traceparent", "tracestate"];

/**
 * Gives an event the trace that its request came with, as the extension `traceparent`, unless it has one of its own or no room for one.
 * Its sender's trace is then found by the event, wherever that goes.
 */
export function withTrace(event: Event, traceparent: string | undefined): Event {
  if (traceparent === undefined) return event;
  const { extensions = {} } = event;
  if (extensions["traceparent"] !== undefined || Object.keys(extensions).length >= EXTENSIONS_MAX) return event;
  return { ...event, extensions: { ...extensions, traceparent } };
}
