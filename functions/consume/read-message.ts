import { type Envelope, envelope } from "../core/envelope.ts";
import { EVENT_MAX_DEPTH } from "../core/limits.ts";
import { type Parsed, parseLossless } from "../core/lossless-json.ts";
import { isDeeperThan } from "../core/find-unstorable.ts";

export type ReadMessage = { kind: "readable"; envelope: Envelope } | { kind: "unreadable"; detail: string };

/** An event is two levels deep in a message: the envelope and its list are around it. */
const ENVELOPE_MAX_DEPTH = EVENT_MAX_DEPTH + 2;

/** Parses a message body once, at the trust boundary: anybody who may write to the queue may write anything. */
export function readMessage(body: string): ReadMessage {
  let parsed: Parsed;
  try {
    parsed = parseLossless(body);
  } catch {
    return { kind: "unreadable", detail: "The message body is not JSON, or nested too deep." };
  }
  const { lossless, depth } = parsed;
  // The schema check recurses, so bound the depth first. The scan counts too many levels where a key is repeated, hence
  // the second, exact check.
  if (depth > ENVELOPE_MAX_DEPTH && isDeeperThan(lossless, ENVELOPE_MAX_DEPTH))
    return { kind: "unreadable", detail: "The message is nested too deep." };
  const checked = envelope.safeParse(lossless);
  if (checked.success) return { kind: "readable", envelope: checked.data };
  const [first] = checked.error.issues;
  return {
    kind: "unreadable",
    detail: `The message is not an envelope of a known version. ${first?.path.join(".")}: ${first?.message}`,
  };
}
