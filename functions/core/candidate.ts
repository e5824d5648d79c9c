import type { EventError } from "./errors.ts";
import type { VerbatimText } from "./verbatim.ts";

/**
 * One event as a protocol reads it from a body, not yet checked. `cloudevent` must carry the attributes that CloudEvents
 * requires; in `plain` a missing id and time are generated.
 */
export type Candidate = (
  | {
      kind: "event";
      form: "plain" | "cloudevent";
      /** The event with numbers as doubles, for the checks. */
      value: unknown;
      /** The event with all digits of its numbers, for storing. */
      lossless: unknown;
      verbatim?: VerbatimText | undefined;
    }
  /** One line of several that is not JSON: an error of this event alone. */
  | { kind: "unreadable"; error: EventError }
) & {
  /** The line of NDJSON, from 1. */
  line?: number;
};
