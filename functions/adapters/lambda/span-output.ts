import { type Span, toOtlp } from "../../core/span.ts";
import type { Logger } from "./logger.ts";

/** Spans that wait to be sent; those beyond are dropped, because a receiver that is down must not fill the memory. */
const WAITING_MAX = 2_048;

/** Spans are sent together after this time, and never within the time of a request. */
const SEND_AFTER_MS = 200;
const SEND_MS = 5_000;

/**
 * The output of the spans of an invocation: a line of OTLP in JSON on stdout, or a receiver of OTLP over HTTP. A receiver is for
 * processes that go on between invocations, which those of Lambda do not. Undefined where nobody wants spans.
 * @see https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/#json-lines-file
 */
export function createSpanOutput(
  { OTLP: output, OTLP_ENDPOINT: endpoint }: { OTLP?: "logs" | undefined; OTLP_ENDPOINT?: string | undefined },
  { service, stage, logger }: { service: string; stage: string; logger: Logger },
): ((spans: Span[]) => void) | undefined {
  const resource = { "service.name": service, "service.namespace": "sluice", "deployment.environment.name": stage };
  if (endpoint !== undefined) return sendLater((spans) => post(endpoint, toOtlp(resource, spans)), logger);
  if (output === "logs") return (spans) => void process.stdout.write(`${toOtlp(resource, spans)}\n`);
  return undefined;
}

function sendLater(send: (spans: Span[]) => Promise<void>, logger: Logger): (spans: Span[]) => void {
  let waiting: Span[] = [];
  let isPlanned = false;
  const flush = async () => {
    const spans = waiting;
    waiting = [];
    isPlanned = false;
    await send(spans).catch((error: unknown) => {
      logger.warn("spans not sent", { count: spans.length, code: error instanceof Error ? error.message : "unknown" });
    });
  };
  return (spans) => {
    waiting.push(...spans.slice(0, WAITING_MAX - waiting.length));
    if (isPlanned) return;
    isPlanned = true;
    setTimeout(() => void flush(), SEND_AFTER_MS);
  };
}

/** @throws Error */
async function post(endpoint: string, body: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const signal = AbortSignal.timeout(SEND_MS);
  const { status } = await fetch(`${endpoint.replace(/\/+$/, "")}/v1/traces`, {
    method: "POST",
    headers,
    body,
    signal,
  });
  if (status < 200 || status > 299) throw new Error(`The receiver answered ${status}`);
}
