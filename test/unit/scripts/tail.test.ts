import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startScript } from "../../support/run-script.ts";
import { elementTexts } from "../../../functions/core/json-spans.ts";
import { eventLine, headLine } from "../../../scripts/tail/columns.ts";
import { type FeedPart, follow, type FollowOptions } from "../../../scripts/tail/follow.ts";

type Answer = { status: number; body: string; headers?: Record<string, string> };

let server: Server;
let url: string;
let requests: { query: [string, string][]; headers: IncomingMessage["headers"] }[];
let answers: Answer[];
let waiting: ServerResponse[];
let stop: AbortController;
let retries: string[];
let pauses: number[];

beforeEach(async () => {
  requests = [];
  answers = [];
  waiting = [];
  retries = [];
  pauses = [];
  stop = new AbortController();
  server = createServer((request, response) => {
    requests.push({ query: [...new URL(request.url ?? "", "http://x").searchParams], headers: request.headers });
    const answer = answers.shift();
    // Without an answer the request waits, as it does in a long poll.
    if (answer === undefined) waiting.push(response);
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const page = (next: string, ...events: string[]): Answer => ({
  status: 200,
  body: `{"events":[${events.join(",")}],"next":"${next}","lagMs":0}`,
});
const problem = (status: number, code: string, headers = {}): Answer => ({
  status,
  body: JSON.stringify({ code, detail: `The detail of ${code}.` }),
  headers,
});

/** Follows until so many answers came. */
async function take(count: number, options: Partial<FollowOptions> = {}): Promise<FeedPart[]> {
  const parts: FeedPart[] = [];
  const following = follow(
    { url, key: "k" },
    {
      after: undefined,
      filter: [],
      limit: 100,
      signal: stop.signal,
      onRetry: (why) => retries.push(why),
      pause: async (milliseconds) => pauses.push(milliseconds),
      ...options,
    },
  );
  for await (const part of following) {
    parts.push(part);
    if (parts.length === count) break;
  }
  return parts;
}

describe("a follower", () => {
  it("a follower asks with the cursor of the answer before, and waits from the second request on", async () => {
    answers = [page("c1"), page("c2", '{"id":"1"}'), page("c3", '{"id":"2"}', '{"id":"3"}')];

    const parts = await take(3, {
      filter: [
        ["type", "com.a"],
        ["type", "com.b*"],
        ["data.total[gte]", "1"],
      ],
    });

    expect(parts.map(({ events }) => events)).toEqual([[], ['{"id":"1"}'], ['{"id":"2"}', '{"id":"3"}']]);
    const filter = [
      ["limit", "100"],
      ["type", "com.a"],
      ["type", "com.b*"],
      ["data.total[gte]", "1"],
    ];
    expect(requests.map(({ query }) => query)).toEqual([
      filter,
      [["after", "c1"], ["wait", "20"], ...filter],
      [["after", "c2"], ["wait", "20"], ...filter],
    ]);
    expect(requests[0]?.headers).toMatchObject({ authorization: "Bearer k" });
  });

  it("a follower asks again with the same cursor after 429 and 503, when Retry-After says", async () => {
    answers = [
      page("c1"),
      problem(429, "rate_limited", { "retry-after": "7" }),
      problem(503, "database_unavailable", { "retry-after": "5" }),
      problem(504, "gateway_timeout"),
      page("c2", "{}"),
    ];

    await take(2);

    expect(pauses).toEqual([7_000, 5_000, 4_000]);
    expect(requests.slice(1).map(({ query }) => query[0])).toEqual([1, 2, 3, 4].map(() => ["after", "c1"]));
    expect(retries[0]).toBe("HTTP 429 rate_limited: The detail of rate_limited.; again in 7 s");
  });

  it("a follower asks again where nothing answers, with pauses that double", async () => {
    server.closeAllConnections();
    server.close();

    await take(1, {
      pause: async (milliseconds) => {
        pauses.push(milliseconds);
        if (pauses.length === 7) stop.abort();
      },
    });

    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30].map((seconds) => 1_000 * seconds));
    expect(retries[0]).toMatch(/^no answer from http.*ECONNREFUSED/);
  });

  it.each(["cursor_expired", "bad_cursor", "forbidden", "bad_parameter"])(
    "a follower ends after %s, with the words of the API",
    async (code) => {
      answers = [problem(code === "cursor_expired" ? 410 : 400, code)];

      await expect(take(1)).rejects.toMatchObject({
        name: "FollowError",
        message: expect.stringContaining(`The detail of ${code}.`),
      });
      expect(pauses).toEqual([]);
    },
  );

  it.each([
    ["<html>", 200],
    ['{"status":"ok"}', 200],
    ["nothing", 404],
  ])("a follower says that %j with the status %i is not the API", async (body, status) => {
    answers = [{ status, body }];

    await expect(take(1)).rejects.toThrow(/is not the API of Sluice/);
  });

  it("a follower that is stopped breaks its wait off, and keeps the cursor before it", async () => {
    answers = [page("c1")];
    setTimeout(() => stop.abort(), 300);

    const parts = await take(2);

    expect(parts.map(({ next }) => next)).toEqual(["c1"]);
    expect(retries).toEqual([]);
  });

  it("a follower names the tenant where the key is one of the installation", async () => {
    answers = [page("c1")];
    for await (const _ of follow(
      { url, key: "k", tenant: "acme" },
      {
        after: "start",
        filter: [],
        limit: 1,
        signal: stop.signal,
        onRetry: () => undefined,
        pause: async () => undefined,
      },
    ))
      break;

    expect(requests[0]).toMatchObject({
      headers: { "sluice-tenant": "acme" },
      query: expect.arrayContaining([["after", "start"]]),
    });
  });
});

describe("npm run tail", () => {
  const tail = (...words: string[]) => startScript("tail", ["--url", url, ...words], { SLUICE_API_KEY: "k" });
  const health = { status: 200, body: '{"status":"ok"}' };

  it("tail ends with the next event after the reader of its output has closed it", async () => {
    answers = [health, page("1", '{"id":"1"}')];
    const { child, output, ended } = tail("--after", "start");
    await eventually(
      () => [output.stdout, requests.length],
      ([text, count]) => text === '{"id":"1"}\n' && count === 3,
    );

    child.stdout.destroy();
    waiting.shift()?.end(page("2", '{"id":"2"}').body);

    expect((await ended).code).toBe(0);
  });

  it.each([
    ["total[gte]=100", ["data.total[gte]", "100"]],
    ["data.total=1=1", ["data.total", "1=1"]],
    ["data[exists]=true", ["data[exists]", "true"]],
  ])("--data %s is a parameter of the feed", async (condition, parameter) => {
    answers = [health, page("1", '{"id":"1"}')];

    const { code } = await tail("--after", "start", "--count", "1", "--data", condition).ended;

    expect(code).toBe(0);
    expect(requests[1]?.query).toContainEqual(parameter);
  });

  it.each(["total>=100", "total<=100", "total!=100", "total"])(
    "--data %s is refused with its form",
    async (condition) => {
      answers = [health];

      const { code, stderr } = await tail("--data", condition).ended;

      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("such as total[gte]=100") });
    },
  );
});

describe("the texts of an array", () => {
  it("the texts of an array are those of its elements, whatever is in them", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 6 }), fc.boolean(), (values, isSpaced) => {
        const texts = values.map((value) => JSON.stringify(value, undefined, isSpaced ? 1 : undefined));
        const json = `{"events":[${texts.join(isSpaced ? " , " : ",")}],"next":"],["}`;

        expect(elementTexts(json, '{"events":'.length)).toEqual(texts);
      }),
    );
  });

  it("the texts of an array keep every digit", () => {
    expect(elementTexts('[{"n":12345678901234567890.10},-1E400]', 0)).toEqual([
      '{"n":12345678901234567890.10}',
      "-1E400",
    ]);
  });
});

describe("a line for people", () => {
  const event =
    '{"id":"e-1","source":"/s","type":"com.a","receivedat":"2026-11-21T09:30:00.000Z","data":{"n": 12345678901234567890}}';

  it("a line for people has the columns of the head, and the data with all its digits", () => {
    const line = eventLine(event, Infinity);

    expect(line).toContain("e-1");
    expect(line.slice(headLine(Infinity).indexOf("DATA"))).toBe('{"n":12345678901234567890}');
    expect(line.slice(headLine(Infinity).indexOf("TYPE"))).toMatch(/^com\.a /);
  });

  it("a line for people is cut at the width of the terminal, and cannot move its cursor", () => {
    expect(eventLine(event, 40)).toHaveLength(40);
    expect(eventLine('{"id":"\\u001b[2J","data_base64":"AAAA"}', Infinity)).toMatch(
      /\\u\{1b\}\[2J.*\(binary, 4 characters of base64\)$/,
    );
  });
});
