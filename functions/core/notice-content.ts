import { type EventMembers, readEventMembers } from "./event-members.ts";
import type { Notice } from "./notifier.ts";

/** The content of a message: its headers, which name its form, and its body. */
export type Content = { headers: Record<string, string>; body: string | Uint8Array };

type Deliveries = Pick<Notice, "deliveries" | "isBatch">;

/** The events as they are: one in structured mode, or a batch. No number or text in them is written again. */
export function structuredContent({ deliveries, isBatch }: Deliveries): Content {
  const events = deliveries.map(({ event }) => event).join(",");
  const isOne = !isBatch && deliveries.length === 1;
  return isOne
    ? { headers: { "content-type": "application/cloudevents+json" }, body: events }
    : { headers: { "content-type": "application/cloudevents-batch+json" }, body: `[${events}]` };
}

/**
 * An event in binary mode: attributes in `ce-` headers, data in the body. Data that is a text under a type that is not JSON is
 * sent as the text.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode
 */
export function binaryContent(event: string): Content {
  const { attributes, ...members } = readEventMembers(event);
  const headers = Object.fromEntries([...attributes].map(([name, value]) => [`ce-${name}`, encodeHeader(value)]));
  const { type, body } = dataOf(members);
  return { headers: { ...headers, ...(type !== undefined && { "content-type": type }) }, body };
}

function dataOf({ datacontenttype, data, dataBase64 }: Omit<EventMembers, "attributes">) {
  // A media type is printable ASCII; another text cannot be a header.
  const type = datacontenttype === undefined ? undefined : encodeUnprintable(datacontenttype);
  if (dataBase64 !== undefined) return { type, body: Buffer.from(dataBase64, "base64") };
  if (data === undefined) return { type, body: "" };
  const isText = type !== undefined && !JSON_TYPE.test(type) && data.startsWith('"');
  return isText ? { type, body: JSON.parse(data) as string } : { type: type ?? "application/json", body: data };
}

const JSON_TYPE = /^\s*(?:(?:application|text)\/json|[^;\s]+\+json)\s*(?:;|$)/i;

/** Section 3.1.3.2 of the binding: a space, a quote, a percent sign and all but printable ASCII as bytes of UTF-8. */
function encodeHeader(value: string): string {
  return value.replaceAll(/[^!#-$&-~]+/g, encodeBytes);
}

function encodeUnprintable(value: string): string {
  return value.replaceAll(/[^ -~]+/g, encodeBytes);
}

function encodeBytes(text: string): string {
  return Buffer.from(text, "utf8")
    .toString("hex")
    .replaceAll(/../g, (byte) => `%${byte.toUpperCase()}`);
}
