import { describe, expect, it } from "vitest";
import { pluralize } from "../../../cli/pluralize.ts";
import { printable } from "../../../cli/printable.ts";
import { toTable } from "../../../cli/to-table.ts";
import { TABLE_HEAD, toCells, toLine } from "../../../scripts/dead-letters/render.ts";

const row = (changes: Partial<Parameters<typeof toLine>[0]> = {}) => ({
  id: "dl_1",
  reason: "not_storable",
  sqlState: "22P05",
  message: "unsupported\nmore",
  tenant: "acme",
  type: "order",
  source: "/shop",
  eventId: "a",
  receivedAt: "2026-11-20T10:00:00.000Z",
  openedAt: "2026-11-20T10:00:00.000Z",
  state: "open" as const,
  attempts: 1,
  replays: 2,
  ...changes,
});

describe("the line of an event", () => {
  it("has type, source, id, reason, tenant, times and counts", () => {
    expect(toLine(row())).toBe(
      "order /shop a | not_storable 22P05 | tenant acme | received 2026-11-20T10:00:00.000Z, attempts 1, replays 2 | unsupported | dl_1",
    );
  });

  it("names the message when it is unreadable", () => {
    expect(toLine(row({ eventId: null, tenant: null, sqlState: null }))).toMatch(
      /^unreadable message dl_1 \| not_storable \| tenant unknown \|/,
    );
  });
});

describe("a table", () => {
  it("has columns as wide as their widest cell, and ends where the terminal does", () => {
    const rows = [row(), row({ eventId: "a-longer-id", type: null, sqlState: null, tenant: null })];

    const lines = toTable(TABLE_HEAD, rows.map(toCells), 90).split("\n");

    expect(lines[0]).toBe("OPENED               REASON              REPLAYS  TENANT  TYPE                SOURCE  ID …");
    expect(lines[2]).toBe("2026-11-20T10:00:00  not_storable        2                unreadable message  /shop   a-l…");
  });
});

describe("a text of a client", () => {
  it("does not control the terminal", () => {
    expect(printable("a\u001b[2Jb\u009bc\r\nd\u202ee")).toBe("a\\u{1b}[2Jb\\u{9b}c\\u{d}\\u{a}d\\u{202e}e");
    expect(printable("Grüße 😀")).toBe("Grüße 😀");
  });
});

describe("a count", () => {
  it("agrees with its noun", () => {
    expect([0, 1, 2].map((count) => pluralize(count, "event"))).toEqual(["0 events", "1 event", "2 events"]);
  });
});
