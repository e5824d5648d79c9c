import { factsOf } from "./render.ts";
import type { DeadLetter, LetterEvent } from "./dead-letter.ts";

/** Beside the event's own members; no attribute of an event can have this name, because of its capital letter. */
export const LETTER_MEMBER = "deadLetter";

/**
 * An event as one line of JSON: as its client could have sent it, all digits kept, with what is known of its dead letter
 * in one more member. `replay --edit` reads it back.
 */
export function toEventLine(letter: DeadLetter, { exact }: LetterEvent): string {
  const { extensions, data, data_base64, ...attributes } = exact ?? {};
  return JSON.stringify({
    ...attributes,
    ...(extensions as Record<string, unknown> | undefined),
    data,
    data_base64,
    [LETTER_MEMBER]: factsOf(letter),
  });
}
