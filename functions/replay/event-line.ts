import { type DeadLetterEvent, type DeadLetterMessage, factsOf } from "./dead-letter-message.ts";

/** The member that an exported event has beside its own; its capital keeps it apart from extension attributes. */
export const DEAD_LETTER_MEMBER = "deadLetter";

/**
 * Serializes an event as one line of JSON that its client could have sent, numbers with all their digits. One more
 * member holds the facts of its dead letter. `parseEdits` reads such lines.
 */
export function toEventLine(message: DeadLetterMessage, { content }: DeadLetterEvent): string {
  const { extensions, data, data_base64, ...attributes } = content ?? {};
  return JSON.stringify({
    ...attributes,
    ...(extensions as Record<string, unknown> | undefined),
    data,
    data_base64,
    [DEAD_LETTER_MEMBER]: factsOf(message),
  });
}
