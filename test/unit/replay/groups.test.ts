import { describe, expect, it } from "vitest";
import type { DeadLetterRow } from "../../../functions/replay/dead-letter-row.ts";
import { createGroups } from "../../../functions/replay/groups.ts";

const row = (changes: Partial<DeadLetterRow> = {}): DeadLetterRow => ({
  id: "a",
  type: "order",
  source: "/shop",
  messageId: "m-1",
  reason: "not_storable",
  sqlState: "22P05",
  detail: "unsupported\nCONTEXT: more",
  tenant: "acme",
  receivedAt: "2026-11-20T10:00:00.000Z",
  sentAt: "2026-11-20T10:00:05.000Z",
  attempts: 1,
  replays: 2,
  ...changes,
});

describe("groups", () => {
  it("count events by reason and field, largest group first, with the oldest event", () => {
    const groups = createGroups(["type"]);
    const rows = [
      row({ type: "reading" }),
      row({ receivedAt: "2026-11-19T10:00:00.000Z" }),
      row(),
      row({ reason: "other", sqlState: undefined, type: undefined }),
    ];

    for (const each of rows) groups.add(each);

    expect(groups.list()).toEqual([
      { events: 2, reason: "not_storable 22P05", by: ["order"], oldest: "2026-11-19T10:00:00.000Z" },
      { events: 1, reason: "not_storable 22P05", by: ["reading"], oldest: "2026-11-20T10:00:00.000Z" },
      { events: 1, reason: "other", by: [undefined], oldest: "2026-11-20T10:00:00.000Z" },
    ]);
  });
});
