import { afterEach, describe, expect, it, vi } from "vitest";
import { postEvents } from "../../../scripts/send/post-events.ts";

afterEach(() => vi.unstubAllGlobals());

const lines = (count: number) => Array.from({ length: count }, (_, i) => ({ line: i + 1, json: `{"id":"${i}"}` }));

const accepted = (body: string) =>
  Response.json({ results: (JSON.parse(body) as object[]).map((_, index) => ({ index, status: "accepted" })) });

/** Answers each request by its body and its number, from 1. */
function stubApi(answer: (body: string, request: number) => Response) {
  const bodies: string[] = [];
  vi.stubGlobal("fetch", async (_url: string, { body }: { body: string }) => {
    bodies.push(body);
    return answer(body, bodies.length);
  });
  return bodies;
}

describe("posting events", () => {
  it("halves a request that is too large until the API accepts it, and names the one line that is too large", async () => {
    stubApi((body) => {
      const isTooLarge = body.includes('"5"') || body.split(",").length > 3;
      return isTooLarge ? Response.json({ code: "too_many_values" }, { status: 413 }) : accepted(body);
    });

    const outcomes = await postEvents({ url: "http://api", key: "K" }, lines(16), { onRetry: () => undefined });

    expect(outcomes).toHaveLength(16);
    expect(outcomes.filter(({ status }) => status !== "accepted")).toEqual([
      { line: 6, status: "unsent", why: "HTTP 413 too_many_values" },
    ]);
  });

  it("goes on as long as a part of the events passes each time, however often that is", async () => {
    const bodies = stubApi((body) => {
      const results = (JSON.parse(body) as object[]).map((_, index) => ({
        index,
        status: index === 0 ? "accepted" : "retry",
      }));
      return Response.json({ results }, { status: 207, headers: { "retry-after": "1" } });
    });

    const outcomes = await postEvents({ url: "http://api", key: "K" }, lines(20), {
      onRetry: () => undefined,
      wait: async () => undefined,
    });

    expect(outcomes.map(({ status }) => status)).toEqual(Array(20).fill("accepted"));
    expect(bodies).toHaveLength(20);
  });

  it("says of which lines the data was not checked", async () => {
    stubApi(() =>
      Response.json({
        accepted: 2,
        rejected: 0,
        results: [
          { index: 0, status: "accepted" },
          { index: 1, status: "accepted", unchecked: true },
        ],
      }),
    );

    const outcomes = await postEvents({ url: "http://api", key: "K" }, lines(2), { onRetry: () => undefined });

    expect(outcomes.map(({ line, unchecked }) => [line, unchecked])).toEqual([
      [1, undefined],
      [2, true],
    ]);
  });

  it.each([
    ["86400", 60],
    ["9999999", 60],
    ["0", 1],
    ["7", 7],
  ])("waits a bounded time where Retry-After is %s", async (retryAfter, seconds) => {
    stubApi((body, request) =>
      request === 1 ? new Response("{}", { status: 503, headers: { "retry-after": retryAfter } }) : accepted(body),
    );
    const said: string[] = [];
    const waited: number[] = [];
    const wait = async (milliseconds: number) => void waited.push(milliseconds);

    const outcomes = await postEvents({ url: "http://api", key: "K" }, lines(1), {
      onRetry: (why) => said.push(why),
      wait,
    });

    expect(outcomes).toMatchObject([{ status: "accepted" }]);
    expect(waited).toEqual([1_000 * seconds]);
    expect(said).toEqual([expect.stringContaining(`again in ${seconds} s`)]);
    expect(said[0]?.includes("Retry-After asks for")).toBe(retryAfter !== "7");
  });

  it("does not follow a redirect, which fetch would do with a GET", async () => {
    vi.stubGlobal("fetch", async (_url: string, { redirect }: { redirect: string }) =>
      redirect === "manual" ? new Response("", { status: 301, headers: { location: "https://api/" } }) : accepted("[]"),
    );

    expect(await postEvents({ url: "http://api", key: "K" }, lines(1), { onRetry: () => undefined })).toEqual([
      { line: 1, status: "unsent", why: "HTTP 301" },
    ]);
  });

  it("ends a pause and makes no further attempt when it is stopped", async () => {
    const stop = new AbortController();
    const bodies = stubApi(() => new Response("{}", { status: 503, headers: { "retry-after": "60" } }));

    const outcomes = await postEvents({ url: "http://api", key: "K" }, lines(2), {
      onRetry: () => stop.abort(),
      signal: stop.signal,
    });

    expect(bodies).toHaveLength(1);
    expect(outcomes.map(({ line, status, why }) => [line, status, why])).toEqual([
      [1, "unsent", "the command was stopped"],
      [2, "unsent", "the command was stopped"],
    ]);
  });
});
