import { describe, expect, it } from "vitest";
import { unseenNote } from "../../../scripts/dead-letters/notes.ts";

describe("a note before a scan", () => {
  it.each([
    [{ visible: 120_000, hidden: 0 }, ""],
    [{ visible: 1, hidden: -3 }, ""],
    [{ visible: 1, hidden: 2 }, "About 2 more messages hidden by another reader, visible again within 5 minutes\n"],
    [
      { visible: 120_001, hidden: 0 },
      "About 120001 messages, of which SQS hands out 120000 at once; the others are not read\n",
    ],
  ])("names the messages that the scan will not see, for the counts %j", (counts, note) => {
    expect(unseenNote(counts)).toBe(note);
  });
});
