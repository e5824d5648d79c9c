import { isJsonObject, parseVerbatim } from "../../functions/core/lossless-json.ts";

/** The text as an event to send, or what keeps it from being one. */
export function readEvent(text: string): { event: Record<string, unknown> } | { fault: string } {
  let event: unknown;
  try {
    event = parseVerbatim(text);
  } catch (error) {
    return { fault: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  return isJsonObject(event) ? { event } : { fault: "An event is a JSON object: { … }" };
}
