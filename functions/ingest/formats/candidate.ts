import type { Fault } from "../../core/storable.ts";

/**
 * One event as it stood in a body, not yet judged: parsed for checking (`value`) and with its numbers exact for storing
 * (`exact`). `cloudevent` must carry the attributes CloudEvents requires; `plain` has those filled in.
 */
export type Candidate =
  | { kind: "event"; form: "plain" | "cloudevent"; value: unknown; exact: unknown }
  /** One line of several that is not JSON: the fault of this event alone. */
  | { kind: "unreadable"; fault: Fault };
