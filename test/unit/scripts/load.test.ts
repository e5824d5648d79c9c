import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deadLetterGroup } from "../../../functions/api-docs/dead-letter-examples.ts";
import { createApiClient } from "../../../scripts/access/api-client.ts";
import { startLiveLine } from "../../../scripts/load/live-line.ts";
import { createMix } from "../../../scripts/load/mix.ts";
import { sendAtRate } from "../../../scripts/load/pace.ts";
import { percentage } from "../../../scripts/load/percentage.ts";
import { lostOf, toJson, toText } from "../../../scripts/load/report.ts";
import { runLoad } from "../../../scripts/load/run-load.ts";
import { callScript } from "../../support/call-script.ts";
import { type FakeApi, startFakeApi } from "../../support/fake-api.ts";

let api: FakeApi;
beforeAll(async () => {
  api = await startFakeApi();
});
afterAll(() => api.stop());

type Sent = { id: string; bad?: true };
type Behaviour = {
  /** The answer to a request for events; the verdicts of the API where it is missing. */
  post?: (events: Sent[], request: number) => { status: number; body: unknown } | undefined;
  /** Tells whether an accepted event is stored. */
  stores?: (event: Sent, accepted: number) => boolean;
  deadLetters?: number;
  /** Answers to queries for the count that are refused first. */
  uncounted?: number;
};

/** An API that accepts and stores every event, but for what `behaviour` says. Returns the ids that it stored. */
function behave({ post, stores = () => true, deadLetters = 0, uncounted = 0 }: Behaviour = {}): Set<string> {
  const stored = new Set<string>();
  let requests = 0;
  let accepted = 0;
  let counts = 0;
  api.answer(({ method, path, query, body }) => {
    if (path === "/health") return { body: { status: "ok" } };
    if (path === "/schemas") return { body: { types: [] } };
    if (path === "/events/aggregate") {
      counts += 1;
      if (counts <= uncounted) return { status: 503, body: { code: "catching_up", detail: "later" } };
      return { body: aggregateOf(stored.size) };
    }
    if (path === "/dead-letters/groups") return { body: { groups: groupsOf(deadLetters) } };
    if (method === "GET") return { status: stored.has(path.slice("/events/".length)) ? 200 : 404 };
    const events = JSON.parse(body) as Sent[];
    const special = post?.(events, query["validate"] === "only" ? -1 : requests++);
    if (special !== undefined) return special;
    const results = events.map((event, index) => {
      if (!("type" in event))
        return { index, status: "invalid", errors: [{ path: "/type", code: "required", message: "" }] };
      accepted += 1;
      if (stores(event, accepted)) stored.add(event.id);
      return { index, id: event.id, status: "accepted" };
    });
    return { status: 207, body: { accepted: 0, rejected: 0, results } };
  });
  return stored;
}

const aggregateOf = (count: number) => ({
  rows: [{ count: String(count) }],
  metadata: {
    from: "rollup",
    complete: true,
    reached: "2026-11-30T00:00:00.000Z",
    truncated: false,
    rows: 1,
    rowLimit: 5_000,
    percentileError: 0,
    queryMs: 1,
  },
});

const groupsOf = (count: number) => (count === 0 ? [] : [{ ...deadLetterGroup, count }]);

let ids = 0;
const mixDeps = { random: Math.random, clock: () => new Date(), matching: () => "", newId: () => `e-${ids++}` };

/** A run of so many events a second for a second, one or ten events a request. */
function run({ rate = 100, bad = 0, batch = 10, signal = new AbortController().signal } = {}) {
  return runLoad({
    api: createApiClient(api.url, "K"),
    to: { url: api.url, key: "K" },
    mix: createMix([], bad, mixDeps),
    sources: [{ tenant: undefined, source: "/load" }],
    rate,
    forMs: 1_000,
    batch,
    signal,
    live: { show: () => undefined, end: () => undefined },
    giveUpAfterMs: 1_500,
  });
}

describe("the pace of a load", () => {
  const pace = (options: Partial<Parameters<typeof sendAtRate>[0]>) =>
    sendAtRate({
      eventsPerSecond: 1_000,
      events: 50,
      nextSize: () => 5,
      send: async () => undefined,
      atOnce: 100,
      signal: new AbortController().signal,
      ...options,
    });

  it("sends at the times that the rate says, though no request before is answered", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const dues: number[] = [];
    await pace({
      send: async (_, due) => {
        dues.push(due);
        if (dues.length === 10) answer();
        await answered;
      },
    });

    expect(dues.map((due) => Math.round(due - (dues[0] ?? 0)))).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45]);
  });

  it("never has more requests under way than it may, and a request that waited keeps its due time", async () => {
    let underWay = 0;
    let most = 0;
    const late: number[] = [];
    await pace({
      atOnce: 2,
      send: async (_, due) => {
        most = Math.max(most, ++underWay);
        late.push(performance.now() - due);
        await delay(20);
        underWay -= 1;
      },
    });

    expect(most).toBe(2);
    expect(late.at(-1)).toBeGreaterThan(30);
  });

  it("sends exactly as many events as it should, and no request once it is stopped", async () => {
    const sizes: number[] = [];
    await pace({ events: 13, send: async (size) => void sizes.push(size) });
    const stopping = new AbortController();
    let sent = 0;
    await pace({
      signal: stopping.signal,
      send: async () => {
        sent += 1;
        if (sent === 3) stopping.abort();
      },
    });

    expect(sizes).toEqual([5, 5, 3]);
    expect(sent).toBe(3);
  });
});

describe("a load", () => {
  it("counts what was accepted and refused, and that all of it is stored", async () => {
    const stored = behave();

    const result = await run({ rate: 500, bad: 0.2 });

    const { tally } = result;
    expect(tally.sent).toBe(500);
    expect(tally.requests).toBe(50);
    expect(tally.accepted + tally.refused).toBe(500);
    expect(tally.refused).toBeGreaterThan(10);
    expect(tally.accepted).toBe(stored.size);
    expect(result).toMatchObject({ stored: stored.size, deadLetters: 0, sentAgain: 0 });
    expect(lostOf(result)).toBe(0);
    expect(tally.answerMs).toHaveLength(50);
    expect(result.readableMs.length).toBeGreaterThan(0);
  });

  it("finds the one event that was accepted and lost, and says that a dead letter is not lost", async () => {
    behave({ stores: (_, accepted) => accepted !== 42 });
    const lost = await run();
    behave({ stores: (_, accepted) => accepted !== 42, deadLetters: 1 });
    const dead = await run();

    expect([lost.stored, lost.deadLetters, lostOf(lost)]).toEqual([99, 0, 1]);
    expect([dead.stored, dead.deadLetters, lostOf(dead)]).toEqual([99, 1, 0]);
  });

  it("sends events again after the run of which it knows nothing, so that the count of lost ones is exact", async () => {
    const stored = behave({
      post: (events, request) => {
        // The queue has them, and the answer is another.
        if (request === 2) for (const { id } of events) stored.add(id);
        if (request === 2) return { status: 502, body: { message: "Bad gateway" } };
        if (request !== 5) return undefined;
        const results = events.map(({ id }, index) => ({ index, id, status: "retry" }));
        return { status: 207, body: { accepted: 0, rejected: events.length, results } };
      },
    });

    const result = await run();

    expect(result).toMatchObject({ sentAgain: 20, stored: 100 });
    expect(result.tally).toMatchObject({ accepted: 100, unknown: 0 });
    expect(lostOf(result)).toBe(0);
  });

  it("waits for longer than it may where the stack answers no queries because it is behind", async () => {
    behave({ uncounted: 4 });

    const result = await run();

    expect(result).toMatchObject({ stored: 100 });
    expect(lostOf(result)).toBe(0);
  });

  it("counts a refusal of a whole request for each of its events, by its code", async () => {
    behave({ post: (_, request) => (request === 1 ? { status: 429, body: { code: "rate_limited" } } : undefined) });

    const { tally } = await run();

    expect(tally).toMatchObject({ accepted: 90, refused: 10, refusedGood: 10 });
    expect([...tally.byCode]).toEqual([["rate_limited", 10]]);
  });

  it("waits for what was accepted when it is stopped, and reports that", async () => {
    const stopping = new AbortController();
    const stored = behave({
      post: (_, request) => {
        if (request === 3) stopping.abort();
        return undefined;
      },
    });

    const result = await run({ signal: stopping.signal });

    expect(result.tally.sent).toBeLessThan(100);
    expect(result).toMatchObject({ stored: result.tally.accepted });
    expect(stored.size).toBe(result.tally.accepted);
  });
});

describe("the report of a load", () => {
  it("has a row for each fact, and the same as one JSON document", async () => {
    behave();
    const result = await run({ bad: 0.5 });

    const rows = toText(result, 200).split("\n");
    for (const row of [
      "sent",
      "accepted",
      "refused",
      "  required",
      "answered after",
      "readable after",
      "stored",
      "lost",
    ])
      expect(rows.filter((each) => each.startsWith(`${row}  `))).toHaveLength(1);
    expect(rows.at(-1)).toMatch(/^lost +0 /);
    const { refused } = result.tally;
    expect(toJson(result)).toMatchObject({ events: 100, refused, refusedByCode: { required: refused }, lost: 0 });
  });

  it("does not call an event lost where the stored ones could not be counted", async () => {
    behave();
    const result = { ...(await run()), stored: undefined };

    expect(lostOf(result)).toBeUndefined();
    expect(toText(result, 200)).toMatch(/^lost +not known/m);
  });
});

describe("the live line of a load", () => {
  it("changes in place on a terminal, and is written each ten seconds elsewhere", () => {
    const written: string[] = [];
    const write = (text: string) => written.push(text) > 0;
    const terminal = startLiveLine({ isTTY: true, columns: 5, write });
    terminal.show("abcdefg");
    terminal.end();
    const file = startLiveLine({ isTTY: false, columns: 5, write });
    file.show("first");
    file.show("second");

    expect(written).toEqual(["\r\u001b[Kabcd", "\r\u001b[K", "first\n"]);
  });
});

describe("npm run load", () => {
  it("ends with 0 and the table where nothing is lost, and with 1 where an event without a mistake is refused", async () => {
    behave();
    const words = ["--rate", "50", "--for", "1s", "--bad", "0", ...api.flags];
    const good = await callScript("load", words, { SLUICE_API_KEY: "" });
    behave({ post: (_, request) => (request === 2 ? { status: 429, body: { code: "rate_limited" } } : undefined) });
    const limited = await callScript("load", [...words, "--batch", "10", "--json"], { SLUICE_API_KEY: "" });

    expect(good, good.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sent +50 .+^lost +0 /ms) });
    expect(limited).toMatchObject({ code: 1 });
    expect(JSON.parse(limited.stdout)).toMatchObject({ accepted: 40, refusedWithoutMistake: 10, lost: 0 });
  });

  it("says which type asks for more than its schema shows, and sends nothing", async () => {
    behave({
      post: (events) => ({
        status: 422,
        body: {
          accepted: 0,
          rejected: 1,
          results: events.map((_, index) => ({
            index,
            status: "invalid",
            errors: [{ path: "/data/a", code: "invalid_value", message: "must be odd" }],
          })),
        },
      }),
    });

    const { code, stderr } = await callScript("load", api.flags, { SLUICE_API_KEY: "" });

    expect(code).toBe(2);
    expect(stderr).toContain(
      "An event of com.example.load that its JSON Schema describes is refused with invalid_value",
    );
    expect(stderr).toContain("/data/a must be odd");
    expect(api.requests.filter(({ path }) => path === "/events")).toMatchObject([{ query: { validate: "only" } }]);
  });

  it.each([
    [["--bad", "101"], "--bad takes a percentage from 0 to 100"],
    [["--bad", "half"], "--bad takes a percentage from 0 to 100"],
    [["--batch", "1001"], "--batch takes at most 1000"],
    [["--for", "soon"], "--for takes a duration such as 90s"],
    [["--rate", "0"], "--rate takes a whole number above 0"],
  ])("%j is refused with the reason", async (words, why) => {
    expect(await callScript("load", [...words, ...api.flags])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(why),
    });
  });

  it("takes a part of a percent", () => {
    expect(percentage("--bad")("0.5")).toBe(0.005);
  });
});
