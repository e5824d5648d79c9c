import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, type ApiClient } from "../../../scripts/access/api-client.ts";
import { columnsOf, tableOf } from "../../../scripts/query/columns.ts";
import { explainEvent } from "../../../scripts/query/explain-event.ts";
import { printerOf } from "../../../scripts/query/printer.ts";
import { readPage, type Page } from "../../../scripts/query/read-page.ts";
import { readPages } from "../../../scripts/query/pages.ts";

const page = (events: string[], next: string | null, more: object = {}) =>
  `{"events":[${events.join(",")}],"next":${JSON.stringify(next)},"prev":null,"complete":true,"plan":"scan","scanned":{"rows":${events.length}}${JSON.stringify(
    more,
  )
    .slice(1, -1)
    .replace(/^(?=.)/, ",")}}`;

describe("a page of a list", () => {
  it("a page of a list keeps the texts of its events", () => {
    const events = ['{"id":"1","data":{"n": 1.50, "big": 12345678901234567890}}', '{"id":"]}","data":["{"]}', "{}"];

    expect(readPage(page(events, "c")).events).toEqual(events);
    expect(readPage(page([], null)).events).toEqual([]);
  });

  it.each(["", "{}", "<html>", '{"events":[]}', "[]"])("a page of a list is not %j", (text) => {
    expect(() => readPage(text)).toThrow("The answer is no page of events");
  });
});

describe("the pages of a list", () => {
  afterEach(() => vi.restoreAllMocks());

  /** Answers one text or error after the other, and keeps the parameters that were asked for. */
  function apiOf(answers: (string | Error)[]) {
    const asked: unknown[] = [];
    const callText: ApiClient["callText"] = async ({ query }) => {
      asked.push(query);
      const answer = answers.shift();
      if (typeof answer === "string") return answer;
      throw answer ?? new Error("asked once too often");
    };
    return { api: { callText } as ApiClient, asked };
  }

  const readAll = async (api: ApiClient, most: number | undefined, signal = new AbortController().signal) => {
    const pages: Page[] = [];
    const start = { parameters: { type: ["a"] }, tenant: undefined, cursor: undefined, pauseMs: 1 };
    for await (const each of readPages(api, { ...start, most, signal })) pages.push(each);
    return pages;
  };

  it("the pages of a list are followed to its end, through pages that are empty and not complete", async () => {
    const { api, asked } = apiOf([
      page(['{"id":"1"}'], "c1"),
      page([], "c2", { complete: false }),
      page(['{"id":"2"}'], null),
    ]);

    expect((await readAll(api, undefined)).flatMap(({ events }) => events)).toEqual(['{"id":"1"}', '{"id":"2"}']);
    expect(asked).toEqual([undefined, "c1", "c2"].map((cursor) => ({ type: ["a"], cursor, limit: "1000" })));
  });

  it("the pages of a list have no more events than were asked for", async () => {
    const { api, asked } = apiOf([page(['{"id":"1"}', '{"id":"2"}'], "c1"), page(['{"id":"3"}'], "c2")]);

    expect((await readAll(api, 3)).flatMap(({ events }) => events)).toHaveLength(3);
    expect(asked).toMatchObject([{ limit: "3" }, { limit: "1", cursor: "c1" }]);
  });

  it("a page of a list is asked for again while the database does not answer, and no other refusal is repeated", async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const outage = () => new ApiError("The database does not answer now.", { status: 503 });
    const patient = readAll(apiOf([outage(), outage(), page([], null)]).api, undefined);
    expect(await patient).toHaveLength(1);

    const { api } = apiOf(Array.from({ length: 9 }, outage));
    await expect(readAll(api, undefined)).rejects.toThrow("database");
    await expect(readAll(apiOf([new ApiError("bad", { status: 400 })]).api, undefined)).rejects.toThrow("bad");
  });
});

describe("a table of events", () => {
  const events = [
    '{"id":"1","type":"a.b","source":"/s","receivedat":"2026-11-21T09:30:00.000Z","data":{"n":5,"o":{"p":[1]}}}',
    '{"id":"\\u001b[2J","type":"long.type","source":"/s","subject":"sub","receivedat":"2026-11-21T09:30:01.000Z"}',
  ];

  it("a table of events has the attributes by which people know an event, without control characters", () => {
    expect(tableOf(columnsOf(undefined), events, true).split("\n")).toEqual([
      "RECEIVED                  TYPE       SOURCE  ID         SUBJECT",
      "2026-11-21T09:30:00.000Z  a.b        /s      1",
      "2026-11-21T09:30:01.000Z  long.type  /s      \\u{1b}[2J  sub",
    ]);
  });

  it("a table of events has the selected members, and its head once", () => {
    const columns = columnsOf(["id", "data.n", "/data/o/p"]);

    expect(tableOf(columns, events.slice(0, 1), true)).toBe("id  data.n  /data/o/p\n1   5       [1]");
    expect(tableOf(columns, events.slice(0, 1), false)).not.toContain("data.n");
  });
});

describe("the reasons for which an event is not in a list", () => {
  const event = {
    id: "e/1",
    type: "com.example.a",
    source: "/s",
    time: "2026-11-21T09:30:00+01:00",
    receivedat: "2026-11-21T08:31:00.000Z",
    data: { total: 99 },
  };
  const explained = async (parameters: object) => {
    const asked: unknown[] = [];
    const callText: ApiClient["callText"] = async (request) => {
      asked.push(request);
      return JSON.stringify(event);
    };
    const reasons = await explainEvent({ callText }, { id: "e/1", parameters: { ...parameters }, tenant: "t" });
    return { reasons, asked };
  };

  it("the reasons name each condition that does not hold by its place, with the value of the event", async () => {
    const { reasons } = await explained({ type: ["com.example.*"], "data.total[gte]": ["100"] });

    expect(reasons).toEqual([expect.stringMatching(/^\/all\/1\/data\/total.*: .*99/)]);
  });

  it("the reasons name a range that the event is not in, whatever the offset of its times", async () => {
    const from = { timeFrom: "2026-11-21T08:30:00Z", from: "2026-11-21T08:31:00.000001Z" };

    expect((await explained(from)).reasons).toEqual([
      "received: 2026-11-21T08:31:00.000Z is before 2026-11-21T08:31:00.000001Z",
    ]);
    expect((await explained({ timeTo: "2026-11-21T08:30:00Z" })).reasons).toEqual([
      "time: 2026-11-21T09:30:00+01:00 is not before 2026-11-21T08:30:00Z",
    ]);
  });

  it("the reasons are none for an event of the list, which is asked for by its id, and by a source that is whole", async () => {
    expect(await explained({ source: ["/s"], "data.total[lt]": ["100"] })).toEqual({
      reasons: [],
      asked: [{ method: "GET", path: "/events/e%2F1", query: { source: "/s" }, tenant: "t" }],
    });
    expect((await explained({ source: ["/s*"] })).asked).toEqual([
      { method: "GET", path: "/events/e%2F1", query: {}, tenant: "t" },
    ]);
  });

  it("the reasons are not looked for with a time that is none", async () => {
    await expect(explained({ from: "yesterday" })).rejects.toThrow("yesterday is no time of RFC 3339");
  });
});

describe("the formats of the command", () => {
  const events = ['{"id":"1","data":{"n":1.50}}', '{"id":"2","data":{"n":12345678901234567890}}'];

  it("CSV has the selected columns with every digit, and its head once", () => {
    const print = printerOf("csv", ["id", "data.n"]);

    expect(print(events.slice(0, 1), true) + print(events.slice(1), false)).toBe(
      "id,data.n\r\n1,1.50\r\n2,12345678901234567890\r\n",
    );
  });

  it("NDJSON has the events as they came, which is with the selected members alone", () => {
    expect(printerOf("ndjson", ["id"])(events, true)).toBe(`${events.join("\n")}\n`);
  });

  it("a table has its head on the first page only", () => {
    const print = printerOf("table", ["id"]);

    expect(print(events.slice(0, 1), true)).toBe("id\n1\n");
    expect(print(events.slice(1), false)).toBe("2\n");
  });
});
