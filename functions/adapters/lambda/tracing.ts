import { keepSmallest } from "../../core/keep-smallest.ts";
import type { Span, SpanKind } from "../../core/span.ts";
import {
  readTraceparent,
  type RequestTrace,
  traceIdOfXRay,
  type TraceContext,
  writeTraceparent,
} from "../../core/trace.ts";
import { type SpanAttributes, TRACES_MAX_OF_INVOCATION, type Tracing } from "../../core/tracing.ts";
import { lambdaEnvironment } from "./environment.ts";
import { monotonicMs } from "./monotonic-ms.ts";
import { randomHex } from "./random-hex.ts";

/** The trace of one invocation after the other. */
export type InvocationTracing = Tracing & {
  /** Begins an invocation, in the trace that its request sent, or in X-Ray's, or in a new one. Returns the id of the trace. */
  begin(sent: string | undefined): string;
  /** The trace of the request that the invocation answers. */
  request(): RequestTrace;
  /** Ids of the traces that the invocation serves: all, or a sample. */
  served(): string[];
  /** Tells whether the invocation's span has ended. */
  hasEnded(): boolean;
  /** Ends the invocation's span and writes it with the others: one in each trace that it works for, and those of `send`. */
  end(span: { name?: string; kind: SpanKind; attributes: SpanAttributes; isError: boolean }): void;
};

/** @param write takes the spans of an invocation; undefined where none are wanted */
export function createTracing(service: string, write: ((spans: Span[]) => void) | undefined): InvocationTracing {
  let invocation = startInvocation(undefined, write !== undefined);

  return {
    begin(sent) {
      invocation = startInvocation(sent, write !== undefined);
      return invocation.own.traceId;
    },

    request() {
      const { own, parent } = invocation;
      return (invocation.request ??= { own: writeTraceparent(own), sent: parent && writeTraceparent(parent) });
    },

    served: () => [...new Set(invocation.served.list().map(({ traceId }) => traceId))],

    serve(traceparent) {
      const context = readTraceparent(traceparent);
      if (context === undefined) return;
      invocation.served.add(keyOf(context), context);
      invocation.worked.add(keyOf(context), context);
    },

    send(name, events) {
      const { own, served, sent, clock } = invocation;
      const contexts = [...new Set(events)].flatMap((each) => readTraceparent(each) ?? []);
      for (const each of contexts) served.add(keyOf(each), each);
      const [first] = contexts;
      const parent = first !== undefined && events.length === 1 ? first : own;
      const context = { traceId: parent.traceId, spanId: randomHex(8), isSampled: parent.isSampled || own.isSampled };
      const startedAt = clock();
      return {
        traceparent: writeTraceparent(context),
        end({ attributes, isError }) {
          if (write === undefined) return;
          const links = parent === own ? contexts.slice(0, TRACES_MAX_OF_INVOCATION) : [own];
          const ids = { ...context, parentSpanId: parent.spanId };
          const span = {
            ...ids,
            startedAt,
            endedAt: clock(),
            name,
            kind: "client" as const,
            attributes,
            links,
            isError,
          };
          sent.add(`${parent.spanId} ${context.spanId}`, span);
        },
      };
    },

    hasEnded: () => invocation.isEnded,

    end({ name = service, kind, attributes, isError }) {
      if (invocation.isEnded) return;
      invocation.isEnded = true;
      if (write === undefined) return;
      const { own, parent, served, worked, sent, startedAt, clock } = invocation;
      const span = { startedAt, endedAt: clock(), name, kind, attributes, isError };
      const steps = worked.list().map(({ traceId, spanId: parentSpanId }): Span => {
        return { ...span, traceId, spanId: randomHex(8), parentSpanId, attributes: {}, links: [own] };
      });
      write([{ ...span, ...own, parentSpanId: parent?.spanId, links: served.list() }, ...steps, ...sent.list()]);
    },
  };
}

function startInvocation(sentTraceparent: string | undefined, isRecorded: boolean) {
  const parent = readTraceparent(sentTraceparent);
  const traceId = parent?.traceId ?? traceIdOfXRay(lambdaEnvironment.traceHeader()) ?? randomHex(16);
  const own: TraceContext = { traceId, spanId: randomHex(8), isSampled: isRecorded || parent?.isSampled === true };
  // A process of Lambda is frozen between invocations, and its monotonic clock may stand still.
  const origin = Date.now() - monotonicMs();
  const clock = (): number => origin + monotonicMs();
  return {
    own,
    parent,
    /** Requests that the invocation serves, and those of them whose messages it works on. */
    served: keepSmallest<TraceContext>(TRACES_MAX_OF_INVOCATION),
    worked: keepSmallest<TraceContext>(TRACES_MAX_OF_INVOCATION),
    sent: keepSmallest<Span>(TRACES_MAX_OF_INVOCATION),
    clock,
    startedAt: clock(),
    /** Written when it is asked for. */
    request: undefined as RequestTrace | undefined,
    isEnded: false,
  };
}

/** Span ids of requests are random and ours, so all functions on the way of events choose the same requests of many. */
const keyOf = ({ traceId, spanId }: TraceContext): string => spanId + traceId;
