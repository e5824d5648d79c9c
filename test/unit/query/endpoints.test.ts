import { describe, expect, it, vi } from "vitest";
import { ANSWER_RESERVE_MS } from "../../../functions/core/function-limits.ts";
import { ID_MAX_BYTES, SOURCE_MAX_BYTES } from "../../../functions/core/limits.ts";
import { createQueryEndpoints } from "../../../functions/query/endpoints.ts";
import type { FeedAnswer, FeedRequest } from "../../../functions/query/feed.ts";
import type { QueryRequest } from "../../../functions/query/query.ts";
import { adminOf } from "../../support/principal.ts";
import { queryRoutes } from "../../../functions/routes/query.ts";

const request = {
  method: "GET",
  path: "/events/e-1",
  headers: {},
  repeatedHeaders: [],
  parameters: { id: "e-1" },
  query: { source: "/s" },
  principal: adminOf("t"),
  body: Buffer.alloc(0),
  inflated: true,
  requestId: "r-1",
  deadline: 20_000,
};

const notAsked = () => Promise.reject(new Error("not asked for"));

const unused = {
  deadLetters: { list: notAsked, groups: notAsked, read: notAsked },
  answerList: vi.fn<() => Promise<never>>(),
  answerIfChanged: vi.fn<() => Promise<never>>(),
  shedQueries: async () => undefined,
  aggregate: () => Promise.reject(new Error("not asked for")),
};
const feedOf = () => vi.fn<(request: FeedRequest) => Promise<FeedAnswer>>();
const queryOf = () => vi.fn<(request: QueryRequest) => Promise<string>>();

describe("GET /events/{id}", () => {
  it("reads the event of the caller's tenant, with time left for the answer", async () => {
    const query = queryOf().mockResolvedValue('{"id":"e-1"}');

    const response = await createQueryEndpoints({ ...unused, query, feed: feedOf() }).readEvent(request);

    expect(response).toEqual({ status: 200, body: '{"id":"e-1"}' });
    expect(query).toHaveBeenCalledExactlyOnceWith({
      principal: adminOf("t"),
      id: "e-1",
      source: "/s",
      deadline: 20_000 - ANSWER_RESERVE_MS,
    });
  });

  it.each([
    ["id", queryRoutes.readEvent.parameters.id, ID_MAX_BYTES],
    ["source", queryRoutes.readEvent.query.source, SOURCE_MAX_BYTES],
  ])("accepts as %s only text that a stored event can have", (_name, schema, maxBytes) => {
    const accepts = (value: string) => schema.safeParse(value).success;

    expect(["x", "größe %/", "é".repeat(maxBytes / 2)].map(accepts)).toEqual([true, true, true]);
    expect(["", "x".repeat(maxBytes + 1), `${"é".repeat(maxBytes / 2)}x`, "a\u0000", "\ud800"].map(accepts)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it("says what a value may be", () => {
    const { error } = queryRoutes.readEvent.parameters.id.safeParse("");

    expect(error?.issues[0]?.message).toBe("is empty, longer than 512 bytes, or no text that can be stored");
  });

  it("needs no source", () => {
    expect(queryRoutes.readEvent.query.source.safeParse(undefined)).toEqual({ success: true, data: undefined });
  });
});

describe("GET /health", () => {
  it("answers without asking the database", async () => {
    const query = queryOf();

    const response = await createQueryEndpoints({ ...unused, query, feed: feedOf() }).health({
      ...request,
      principal: undefined,
      parameters: {},
      query: {},
    });

    expect(response).toEqual({ status: 200, body: '{"status":"ok"}' });
    expect(query).not.toHaveBeenCalled();
  });
});

describe("GET /feed", () => {
  const none = {
    after: undefined,
    wait: undefined,
    limit: undefined,
    type: [],
    source: [],
    subject: [],
    id: [],
    data: [],
  };
  const ask = async (
    query: Partial<Parameters<ReturnType<typeof createQueryEndpoints>["readFeed"]>[0]["query"]>,
    lagMs = 0,
  ) => {
    const feed = feedOf().mockResolvedValue({ events: '[{"n":1.0}]', next: "abc", lagMs });
    const endpoints = createQueryEndpoints({ ...unused, query: queryOf(), feed });
    const response = await endpoints.readFeed({ ...request, parameters: {}, query: { ...none, ...query } });
    return { response, asked: feed.mock.calls[0]?.[0] };
  };

  it("writes the events as they are, whatever their digits, and always a cursor", async () => {
    const { response } = await ask({});

    expect(response).toEqual({ status: 200, body: '{"events":[{"n":1.0}],"next":"abc","lagMs":0}' });
  });

  it("asks for a hundred events without a wait, with time left for the answer, unless the request says otherwise", async () => {
    expect((await ask({})).asked).toEqual({
      principal: adminOf("t"),
      after: undefined,
      filter: undefined,
      limit: 100,
      waitMs: 0,
      deadline: 20_000 - ANSWER_RESERVE_MS,
    });
    expect((await ask({ after: "start", wait: 20, limit: 7 })).asked).toMatchObject({
      after: "start",
      waitMs: 20_000,
      limit: 7,
    });
  });

  it("makes a filter of its other parameters", async () => {
    const { asked } = await ask({ type: ["com.a", "com.b*"], data: [["data.total[gte]", "100"]] });

    expect(asked?.filter).toEqual({
      all: [
        { any: [{ exact: { type: "com.a" } }, { prefix: { type: "com.b" } }] },
        { data: { total: [{ numeric: [">=", 100] }] } },
      ],
    });
  });

  it("publishes the age of the horizon where a transaction has held it for a second or more", async () => {
    expect((await ask({}, 400)).response).not.toHaveProperty("metrics");
    expect((await ask({}, 31_400)).response.metrics).toEqual({ HorizonAgeSeconds: 31 });
  });

  it.each([
    ["wait", ["0", "20", undefined], ["21", "-1", "1.5", "", "x", "020"]],
    ["limit", ["1", "1000", undefined], ["0", "1001", "-1", "1.5", "", "x"]],
  ] as const)("accepts as %s only whole numbers in its range", (name, good, bad) => {
    const accepts = (value: string | undefined) => queryRoutes.readFeed.query[name].safeParse(value).success;

    expect(good.map(accepts)).toEqual(good.map(() => true));
    expect(bad.map(accepts)).toEqual(bad.map(() => false));
  });
});
