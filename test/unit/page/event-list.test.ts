import { describe, expect, it } from "vitest";
import { asVersion } from "../../../console/screens/events/as-version.ts";
import { columnFor, columnsOf, listQuery, rowsOf, volumeBody } from "../../../console/screens/events/query.ts";
import { matchesCount } from "../../../console/parts/confirm-count.tsx";
import { codeOf } from "../../../console/frame/sign-in.tsx";

describe("the list of events", () => {
  const params = new URLSearchParams("type=com.example.*&data.total[gte]=100&column=/data/total&range=1h&tenant=t");
  const range = { from: "2026-11-30T02:00:00.000Z" };

  it("is asked for by the filter, the range and the members that it shows", () => {
    const query = listQuery(params, range, "abc");

    expect(query.getAll("type")).toEqual(["com.example.*"]);
    expect(query.get("data.total[gte]")).toBe("100");
    expect(query.get("from")).toBe(range.from);
    expect(query.get("select")).toBe("id,source,type,subject,receivedat,/data/total");
    expect(query.get("cursor")).toBe("abc");
    expect([...query.keys()].filter((name) => ["range", "column", "tenant", "to"].includes(name))).toEqual([]);
  });

  it("is counted by the same filter", () => {
    const buckets = { from: range.from, to: "2026-11-30T03:00:00.000Z", every: "PT1M", ms: 60_000 } as const;

    expect(volumeBody(params, buckets)).toEqual({
      filter: { all: [{ prefix: { type: "com.example." } }, { data: { total: [{ numeric: [">=", 100] }] } }] },
      from: range.from,
      to: buckets.to,
      every: "PT1M",
    });
  });

  it("has the values of other columns as they are written", () => {
    const page =
      '{"events":[{"id":"1","source":"/s","type":"t","receivedat":"x","data":{"a.b":1.0,"n":12345678901234567890}}]}';

    expect(rowsOf(page, ["/data/n", "/data/a.b", "/data/none", "/type/none"])).toEqual([
      {
        id: "1",
        source: "/s",
        type: "t",
        subject: undefined,
        receivedAt: "x",
        columns: ["12345678901234567890", "1.0", undefined, undefined],
      },
    ]);
  });

  it("has no column that select cannot name", () => {
    expect(columnFor(["data", "a/b"], [false, false])).toBe("/data/a~1b");
    expect(columnFor(["data", "items", "0"], [false, false, true])).toBeUndefined();
    expect(columnFor(["data", "a,b"], [false, false])).toBeUndefined();
    expect(columnsOf(new URLSearchParams("column=/a,/b&column=x&column=/data/y"))).toEqual(["/data/y"]);
  });
});

describe("what is typed", () => {
  it.each(["2000", "2,000", " 2 000 "])("%j confirms 2,000", (typed) => {
    expect(matchesCount(typed, 2_000)).toBe(true);
  });

  it.each(["", "200", "20000", "two thousand", "2000x", "-2000"])("%j does not", (typed) => {
    expect(matchesCount(typed, 2_000)).toBe(false);
  });

  it("is a code, or the whole link that has it", () => {
    expect(codeOf(" abc-123 ")).toBe("abc-123");
    expect(codeOf("http://127.0.0.1:4800/console#/sign-in?code=abc-123")).toBe("abc-123");
  });
});

describe("an event under another version", () => {
  const event =
    '{"specversion":"1.0","id":"1","source":"/s","type":"t","dataschema":"v1","tenant":"default","receivedat":"2026-11-30T00:00:00Z","data":{"n":1.0,"big":12345678901234567890}}';

  it("is the one that was stored, value by value, without what Sluice has added", () => {
    expect(asVersion(event, "v2")).toBe(
      '{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"n":1.0,"big":12345678901234567890},"dataschema":"v2"}',
    );
  });

  it("has no dataschema where the version has none", () => {
    expect(asVersion(event, undefined)).not.toContain("dataschema");
  });
});
