import type { Edits } from "../dead-letters/edits.ts";
import { createIdCheck, type Filter } from "../dead-letters/filter.ts";
import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import { printable } from "../dead-letters/render.ts";

/** Tells which of the ids and corrected events that the user named have no letter. */
export function createCheck(filter: Filter, edits: Edits | undefined) {
  const ids = createIdCheck(filter);
  return {
    /** To be called for each letter. */
    see: (letter: DeadLetter): void => ids.see(letter),
    /** Answers whether all were there. */
    tell(): boolean {
      const lines = [
        ...ids.unknown().map((id) => `No dead letter has the event id or message id ${id}`),
        ...(edits?.unused() ?? []).map((line) => `No dead letter that matches has the event of ${line}`),
      ];
      for (const line of lines) process.stderr.write(`${printable(line)}\n`);
      if (lines.length > 0) process.stderr.write("See what is there with `npm run dead-letters -- list`\n");
      return lines.length === 0;
    },
  };
}
