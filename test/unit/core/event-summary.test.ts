import { describe, expect, it } from "vitest";
import { summarizeEvent, toLine } from "../../../functions/core/event-summary.ts";
import { eventText, EXACT } from "../../support/notices.ts";

describe("the summary of an event", () => {
  it("has its main attributes, and its data with every digit", () => {
    const { type, fields, data } = summarizeEvent(eventText(), 1_000);

    expect(type).toBe("com.example.order");
    expect(fields).toEqual([
      ["type", "com.example.order"],
      ["source", "/shop"],
      ["id", "order-1"],
      ["subject", "a/b"],
      ["time", "2026-11-21T09:30:00Z"],
      ["tenant", "acme"],
    ]);
    expect(data).toContain(EXACT);
  });

  it("has long data cut, and says how long it is", () => {
    const event = `{"id":"1","source":"s","type":"t","data":"${"😀".repeat(100)}"}`;

    const { data } = summarizeEvent(event, 10);

    expect(data).toMatch(/^"😀{4}\uFFFD… \(202 characters\)$/u);
  });

  it("says where there is no data", () => {
    expect(summarizeEvent('{"id":"1","source":"s","type":"t"}', 10).data).toBe("(no data)");
    expect(summarizeEvent('{"id":"1","source":"s","type":"t","data_base64":"AAE="}', 10).data).toBe("AAE=");
  });

  it.each(["a\r\nb", "a\nb", "a\u2028b", "a\u0085b", "a\u0000b", "a\u202Eb", "a\tb"])("has %j on one line", (text) => {
    expect(toLine(text)).toBe("a b");
    expect(summarizeEvent(eventText({ subject: text }), 10).fields).toContainEqual(["subject", "a b"]);
  });
});
