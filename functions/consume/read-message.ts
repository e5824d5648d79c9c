import { type Envelope, envelope } from "../core/envelope.ts";
import { EVENT_MAX_DEPTH } from "../core/limits.ts";
import { type Parsed, parseLossless } from "../core/lossless-json.ts";
import { isDeeperThan } from "../core/storable.ts";

export type ReadMessage = { kind: "readable"; envelope: Envelope } | { kind: "unreadable"; detail: string };

/** The envelope and its list around an event. */
const ENVELOPE_MAX_DEPTH = EVENT_MAX_DEPTH + 2;

/** Parses a message body once, at the trust boundary: anybody who may write to the queue may write anything. */
export function readMessage(body: string): ReadMessage {
  let read: Parsed;
  try {
    read = parseLossless(body);
  } catch {
    return { kind: "unreadable", detail: "The message body is not JSON, or nested too deep." };
  }
  const { lossless, depth } = read;
  // What follows recurses; an event that came through the door is far below this. The text may be deeper than its value,
  // where a member stands twice.
  if (depth > ENVELOPE_MAX_DEPTH && isDeeperThan(lossless, ENVELOPE_MAX_DEPTH))
    return { kind: "unreadable", detail: "The message is nested too deep." };
  const parsed = envelope.safeParse(lossless);
  if (parsed.success) return { kind: "readable", envelope: parsed.data };
  const [first] = parsed.error.issues;
  return {
    kind: "unreadable",
    detail: `The message is not an envelope of a known version. ${first?.path.join(".")}: ${first?.message}`,
  };
}
