import { endOfString } from "./end-of-string.ts";

/** A message body as text: the envelope without its events, and the text of each event, which need not be JSON. */
export type SplitEnvelope = { head: string; events: string[] };

/**
 * Cuts the body of a message at its events. Somebody between the queue's ends may have written the JSON again, and one
 * value that is no JSON any more (`Infinity`) must not take the other events along. Returns undefined for text that is no
 * object with one list of 1 to `most` events.
 */
export function splitEnvelope(body: string, most: number): SplitEnvelope | undefined {
  let level = 0;
  let key = "";
  /** The position behind the bracket of the list; -1 before it. */
  let list = -1;
  let end = -1;
  /** The beginning of the current event. */
  let start = -1;
  const events: string[] = [];
  for (let at = 0; at < body.length; at++) {
    const isInList = list !== -1 && end === -1;
    switch (body[at]) {
      case '"': {
        const close = endOfString(body, at + 1);
        if (level === 1) key = body.slice(at + 1, close);
        at = close;
        break;
      }
      case "[":
      case "{":
        level += 1;
        if (level === 2 && key === "events" && body[at] === "[") {
          if (list !== -1) return undefined;
          list = at + 1;
          start = list;
        }
        break;
      case "]":
      case "}":
        level -= 1;
        if (level === 1 && isInList) {
          end = at;
          events.push(body.slice(start, at));
        }
        break;
      case ",":
        if (level === 2 && isInList) {
          events.push(body.slice(start, at));
          start = at + 1;
        }
        break;
      default:
    }
  }
  if (level !== 0 || end === -1 || body.slice(list, end).trim() === "" || events.length > most) return undefined;
  return { head: body.slice(0, list) + body.slice(end), events: events.map((text) => text.trim()) };
}
