/** A fact about a span, by its name in the conventions of OpenTelemetry where that has one. */
export type SpanAttributes = Record<string, string | number | undefined>;

/** Work that is under way. */
type OpenSpan = {
  /** Its place in the trace, to send on as `traceparent`. */
  traceparent: string;
  /** Ends it; called once. */
  end(result: { attributes: SpanAttributes; isError: boolean }): void;
};

/** The trace of an invocation, for rules. Nothing of it throws or waits. */
export type Tracing = {
  /** Says that the invocation works on a message of the request of this `traceparent`. */
  serve(traceparent: string | undefined): void;
  /**
   * Begins to send something out: in the trace of the only event that it is about, or in the invocation's own, with links to the events'.
   * @param events `traceparent` of each event, where it has one
   */
  send(name: string, events: readonly (string | undefined)[]): OpenSpan;
};

/** Traces that the line of an invocation names, links of a span, and spans of one kind that it writes. */
export const TRACES_MAX_OF_INVOCATION = 20;
