import { printable } from "../../cli/printable.ts";
import type { DeadLetterMessage } from "../../functions/replay/dead-letter-message.ts";
import type { Edits } from "../../functions/replay/edits.ts";
import { createIdCheck, type Filter } from "../../functions/replay/filter.ts";

/** Finds out which of the ids and corrected events that the user named have no dead letter. */
export function createUnmatchedCheck(filter: Filter, edits: Edits | undefined) {
  const ids = createIdCheck(filter);
  return {
    /** To be called for each message. */
    add: (message: DeadLetterMessage): void => ids.add(message),
    /** Names the missing ones on stderr; returns whether there are none. */
    report(): boolean {
      const lines = [
        ...ids.missing().map((id) => `No dead letter has the event id or message id ${id}`),
        ...(edits?.unused() ?? []).map((line) => `No dead letter that matches has the event of ${line}`),
      ];
      for (const line of lines) process.stderr.write(`${printable(line)}\n`);
      if (lines.length > 0) process.stderr.write("List the dead letters with `npm run dead-letters -- list`\n");
      return lines.length === 0;
    },
  };
}
