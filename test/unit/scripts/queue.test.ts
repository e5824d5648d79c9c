import { describe, expect, it } from "vitest";
import { unseenNote } from "../../../scripts/dead-letters/queue.ts";

describe("letters that a reader will not see", () => {
  it.each([
    [{ visible: 120_000, hidden: 0 }, ""],
    [{ visible: 1, hidden: -3 }, ""],
    [{ visible: 1, hidden: 2 }, "About 2 letters more, hidden by another reader; they show again within 5 minutes\n"],
    [
      { visible: 120_001, hidden: 0 },
      "About 120001 letters, of which SQS hands out 120000 at once; this reads no more\n",
    ],
  ])("of %j are told", (counts, note) => {
    expect(unseenNote(counts)).toBe(note);
  });
});
