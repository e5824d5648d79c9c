import type { Fault } from "../../core/storable.ts";

/**
 * One event as it stood in a body, not yet judged: parsed for checking (`value`) and with its numbers exact for storing
 * (`exact`). `cloudevent` must carry the attributes CloudEvents requires; `plain` has those filled in.
 */
export type Candidate =
  | {
      kind: "event";
      form: "plain" | "cloudevent";
      value: unknown;
      exact: unknown;
      /** Set where the text is known to be storable, however large: an upper bound of the event's size as it is stored. */
      storableBytes?: number | undefined;
      /** Storable JSON text of this event alone, where the body has it and it is short. */
      text?: string | undefined;
    }
  /** One line of several that is not JSON: the fault of this event alone. */
  | { kind: "unreadable"; fault: Fault };

export type Decoded = {
  candidates: Candidate[];
  /** Storable JSON text of all events with commas between them, where the body has it and it is short. */
  list?: string | undefined;
};
