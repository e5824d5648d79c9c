import { beforeEach, describe, expect, it } from "vitest";
import { SETTLED_MARGIN_MS } from "../../../functions/core/window-limits.ts";
import type { WindowReader } from "../../../functions/core/window-reader.ts";
import { createAnswerIfChanged } from "../../../functions/query/answer-if-changed.ts";
import type { AnswerListRequest } from "../../../functions/query/answer-list.ts";
import { createEtags } from "../../../functions/query/etags.ts";
import { wholeList } from "./memory-list.ts";

const now = Date.parse("2026-11-21T12:00:00Z");
const settled = { from: undefined, to: new Date(now - SETTLED_MARGIN_MS).toISOString() };
let version: string;
let horizonAgeMs: number;
let isComplete: boolean;
let reads: string[];
beforeEach(() => {
  version = "v1";
  horizonAgeMs = 0;
  isComplete = true;
  reads = [];
});

const windows: WindowReader = {
  async read() {
    reads.push("window");
    return { version, horizonAgeMs };
  },
};
const answerIfChanged = createAnswerIfChanged({
  answerList: async () => {
    reads.push("events");
    return { status: 200, headers: { vary: "accept" }, body: "{}", isComplete };
  },
  etagOf: createEtags({ windows, clock: () => new Date(now) }),
});
const ask = (changes: Partial<AnswerListRequest> = {}) =>
  answerIfChanged({ ...wholeList(), received: settled, limit: undefined, select: undefined, headers: {}, ...changes });
const tagOf = async (changes?: Partial<AnswerListRequest>) => (await ask(changes)).headers?.["etag"];

describe("the tag of a settled range", () => {
  it("a client that has the answer gets 304, and no event is read", async () => {
    const first = await ask();
    reads = [];

    const again = await ask({ headers: { "if-none-match": `"x", ${first.headers?.["etag"]}` } });

    expect(first).toMatchObject({ status: 200, headers: { "cache-control": "private, max-age=300" } });
    expect(again).toMatchObject({ status: 304, body: "", headers: { etag: first.headers?.["etag"] } });
    expect(reads).toEqual(["window"]);
  });

  it("a client that has any answer gets 304", async () => {
    expect((await ask({ headers: { "if-none-match": "*" } })).status).toBe(304);
  });

  it("a late event makes another tag, so the events are read again", async () => {
    const etag = await tagOf();
    version = "v2";

    const { status, headers } = await ask({ headers: { "if-none-match": etag } });

    expect(status).toBe(200);
    expect(headers?.["etag"]).not.toBe(etag);
  });

  it("each part of a request makes another tag", async () => {
    const { principal } = wholeList();
    const tags = await Promise.all([
      tagOf(),
      tagOf({ headers: { accept: "text/csv" } }),
      tagOf({ limit: 5 }),
      tagOf({ select: ["id"] }),
      tagOf({ cursor: "c" }),
      tagOf({ filter: { exact: { type: "a" } } }),
      tagOf({ order: "-receivedAt" }),
      tagOf({ count: "exact" }),
      tagOf({ produced: { from: settled.to, to: undefined } }),
      tagOf({ received: { from: "2026-11-20T00:00:00.000000Z", to: settled.to } }),
      tagOf({ principal: { ...principal, tenant: "other" } }),
      tagOf({ principal: { ...principal, types: ["a"] } }),
      tagOf({ principal: { ...principal, sources: ["a"] } }),
    ]);

    expect(tags.every((tag) => tag !== undefined)).toBe(true);
    expect(new Set(tags).size).toBe(tags.length);
  });

  it.each([
    ["has no end", { from: settled.to, to: undefined }],
    [
      "ends a moment later than the margin",
      { from: undefined, to: new Date(now - SETTLED_MARGIN_MS + 1).toISOString() },
    ],
  ])("a range that %s has no tag, and no cost", async (_what, received) => {
    const { headers } = await ask({ received });

    expect(headers).toEqual({ vary: "accept" });
    expect(reads).toEqual(["events"]);
  });

  it("a range has no tag where a transaction is open that began before its end and the margin", async () => {
    horizonAgeMs = 1;

    expect((await ask({ headers: { "if-none-match": "*" } })).headers).toEqual({ vary: "accept" });
  });

  it("an answer that lacks something for its time has no tag", async () => {
    isComplete = false;

    expect(await tagOf()).toBeUndefined();
  });
});
