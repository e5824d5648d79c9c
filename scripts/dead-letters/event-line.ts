import { isJsonObject, parseLossless } from "../../functions/core/lossless-json.ts";
import type { DeadLetter } from "./dead-letters-api.ts";

/** The member that an exported event has beside its own; its capital keeps it apart from extension attributes. */
export const DEAD_LETTER_MEMBER = "deadLetter";

/**
 * Writes the event of a dead letter as one line of JSON that its client could have sent, numbers with all their digits. One
 * more member says which dead letter it is, so that the corrected line can be replayed. Undefined for a whole message.
 */
export function toEventLine({ body, history: _history, isEvent, ...facts }: DeadLetter): string | undefined {
  if (!isEvent) return undefined;
  const { lossless } = parseLossless(body);
  const events = isJsonObject(lossless) && Array.isArray(lossless["events"]) ? (lossless["events"] as unknown[]) : [];
  const [event] = events;
  if (!isJsonObject(event)) return undefined;
  const { extensions, data, data_base64, ...attributes } = event;
  return JSON.stringify({
    ...attributes,
    ...(isJsonObject(extensions) ? extensions : {}),
    data,
    data_base64,
    [DEAD_LETTER_MEMBER]: facts,
  });
}
