import type { IncomingHttpHeaders } from "node:http";
import { isUtf8 } from "node:buffer";
import { isJsonObject, parseVerbatim } from "../../functions/core/lossless-json.ts";

/** The content of a webhook: CloudEvents in one of the forms of its HTTP binding, with the digits of their numbers. */
export type WebhookEvents = { format: "structured" | "binary" | "batch"; events: Record<string, unknown>[] };

/**
 * Reads the events of a webhook.
 * @throws Error that says what it is instead
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
export function readWebhook(headers: IncomingHttpHeaders, body: Buffer): WebhookEvents {
  const contentType = headers["content-type"] ?? "";
  const mediaType = contentType.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType === "application/cloudevents-batch+json") {
    const events = parse(body);
    if (Array.isArray(events) && events.every(isJsonObject)) return { format: "batch", events };
    throw new Error("The body is no array of events");
  }
  if (mediaType === "application/cloudevents+json") {
    const event = parse(body);
    if (isJsonObject(event)) return { format: "structured", events: [event] };
    throw new Error("The body is no event");
  }
  if (headers["ce-specversion"] !== undefined)
    return { format: "binary", events: [readBinary(headers, contentType, body)] };
  throw new Error(`It is no CloudEvent: its content-type is ${contentType === "" ? "missing" : contentType}`);
}

function readBinary(headers: IncomingHttpHeaders, contentType: string, body: Buffer): Record<string, unknown> {
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith("ce-"))
    .map(([name, value]) => [name.slice("ce-".length), decode(String(value))]);
  const event = { ...Object.fromEntries(attributes), ...(contentType !== "" && { datacontenttype: contentType }) };
  if (body.length === 0) return event;
  if (/^[^;]*[/+]json\b/i.test(contentType)) return { ...event, data: parse(body) };
  return isUtf8(body) ? { ...event, data: body.toString() } : { ...event, data_base64: body.toString("base64") };
}

/** Attributes are percent-encoded in headers. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function parse(body: Buffer): unknown {
  try {
    return parseVerbatim(body.toString());
  } catch {
    throw new Error("The body is not JSON");
  }
}
