import { describe, expect, it } from "vitest";
import { beginning, visiblePieces } from "../../../console/parts/visible-text.ts";

describe("text of events", () => {
  it("shows a character that changes the direction of text by its code", () => {
    expect(visiblePieces("invoice\u202Efdp.exe")).toEqual(["invoice", { code: "U+202E" }, "fdp.exe"]);
  });

  it.each(["\u0000", "\u0007", "\u200B", "\u200F", "\u2066", "\u2069", "\uFEFF", "\u0085"])("marks %j", (character) => {
    expect(visiblePieces(character)).toEqual([{ code: expect.stringMatching(/^U\+[0-9A-F]{4}$/) }]);
  });

  it.each(["", "plain", "<img src=x onerror=alert(1)>", "שלום", "👩‍👩‍👧", "a\tb\nc", "é"])(
    "leaves %j as it is",
    (text) => {
      expect(visiblePieces(text)).toEqual([text]);
    },
  );

  it("is cut between characters, not within one", () => {
    expect(beginning("ab😀", 3)).toBe("ab");
    expect(beginning("ab😀", 4)).toBe("ab😀");
  });
});
