import { describe, expect, it } from "vitest";
import { createGroups } from "../../../functions/replay/groups.ts";
import { row } from "./support.ts";

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
