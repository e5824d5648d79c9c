import { type Envelope, envelope } from "../core/envelope.ts";
import { parseLossless } from "../core/lossless-json.ts";

export type ReadMessage = { kind: "readable"; envelope: Envelope } | { kind: "unreadable"; detail: string };

/** Parses a message body once, at the trust boundary: anybody who may write to the queue may write anything. */
export function readMessage(body: string): ReadMessage {
  let exact: unknown;
  try {
    ({ exact } = parseLossless(body));
  } catch {
    return { kind: "unreadable", detail: "The message body is not JSON." };
  }
  const parsed = envelope.safeParse(exact);
  if (parsed.success) return { kind: "readable", envelope: parsed.data };
  const [first] = parsed.error.issues;
  return {
    kind: "unreadable",
    detail: `The message is not an envelope of a known version. ${first?.path.join(".")}: ${first?.message}`,
  };
}
