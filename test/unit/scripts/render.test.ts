import { describe, expect, it } from "vitest";
import { createGroups } from "../../../scripts/dead-letters/groups.ts";
import {
  counted,
  printable,
  type Row,
  TABLE_HEAD,
  toCells,
  toLine,
  toTable,
} from "../../../scripts/dead-letters/render.ts";

const row = (changes: Partial<Row> = {}): Row => ({
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

describe("a line", () => {
  it("says what it is, why, whose, when and how often", () => {
    expect(toLine(row())).toBe(
      "order /shop a | not_storable 22P05 | tenant acme | received 2026-11-20T10:00:00.000Z, attempts 1, replays 2 | unsupported",
    );
  });

  it("of a message that cannot be read names the message", () => {
    expect(toLine(row({ id: undefined, tenant: undefined, sqlState: undefined }))).toMatch(
      /^unreadable message m-1 \| not_storable \| tenant unknown \|/,
    );
  });
});

describe("a table", () => {
  it("has columns as wide as their widest cell, and ends where the terminal does", () => {
    const rows = [row(), row({ id: "a-longer-id", type: undefined, sqlState: undefined, tenant: undefined })];

    const lines = toTable(TABLE_HEAD, rows.map(toCells), 90).split("\n");

    expect(lines[0]).toBe("RECEIVED             REASON              REPLAYS  TENANT  TYPE                SOURCE  ID …");
    expect(lines[2]).toBe("2026-11-20T10:00:00  not_storable        2                unreadable message  /shop   a-l…");
  });
});

describe("what a client sent", () => {
  it("gives a terminal no orders", () => {
    expect(printable("a\u001b[2Jb\u009bc\r\nd\u202ee")).toBe("a\\u{1b}[2Jb\\u{9b}c\\u{d}\\u{a}d\\u{202e}e");
    expect(printable("Grüße 😀")).toBe("Grüße 😀");
  });
});

describe("groups", () => {
  it("count by reason and field, most first, with the oldest", () => {
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

  it("and counts agree with their nouns", () => {
    expect([0, 1, 2].map((count) => counted(count, "event"))).toEqual(["0 events", "1 event", "2 events"]);
  });
});
