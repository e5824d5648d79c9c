import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { feedAnswer } from "../../functions/core/answer.ts";
import { eventually } from "../support/eventually.ts";
import { call, get, post } from "../support/http.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let url: string;
let source: string;
beforeAll(async () => {
  target = await openTarget();
  ({ url } = target);
  source = `${target.source}/feed`;
});
afterAll(() => target?.close());

/** Asks the feed of this file's events. */
async function ask(query: Record<string, string | string[]>, headers: Record<string, string> = {}) {
  const address = new URL(`${url}/feed`);
  for (const [name, values] of Object.entries({ source: `${source}*`, ...query })) {
    for (const value of [values].flat()) address.searchParams.append(name, value);
  }
  const response = await call(address, { headers });
  const text = await response.text();
  return {
    status: response.status,
    text,
    body: JSON.parse(text) as { events: { id: string }[]; next: string; lagMs: number; code?: string; detail?: string },
  };
}
const idsOf = ({ body }: { body: { events: { id: string }[] } }) => body.events.map(({ id }) => id);
const event = (overrides: Record<string, unknown> = {}) => ({
  id: randomUUID(),
  source,
  type: "com.example.followed",
  data: { n: 1 },
  ...overrides,
});

/** Follows from a cursor on until an event with the id came. */
async function followUntil(id: string, query: Record<string, string | string[]>): Promise<string[]> {
  const ids: string[] = [];
  let { after } = query;
  await eventually(
    async () => {
      const answer = await ask({ ...query, ...(after !== undefined && { after }), wait: "5" });
      expect(answer.status, answer.text).toBe(200);
      after = answer.body.next;
      ids.push(...idsOf(answer));
    },
    () => ids.includes(id),
  );
  return ids;
}

describe.concurrent("GET /feed", () => {
  it("a follower from now on waits for an event, and gets it as GET /events/{id} gives it", async () => {
    const own = `${source}/${randomUUID()}`;
    const { body: start } = await ask({ source: own });
    const waiting = ask({ source: own, after: start.next, wait: "20" });
    const sent = event({ source: own, subject: "größe 🌊", data: { list: [1.5, null, "x"] } });

    await post(url, JSON.stringify(sent).replace("1.5", "12345678901234567890.10"));

    const answer = await waiting;
    expect(feedAnswer.safeParse(answer.body)).toMatchObject({ success: true });
    const read = await get(`${url}/events/${sent.id}?source=${encodeURIComponent(own)}`);
    expect(answer.text).toContain(`{"events":[${read.text}],"next":"`);
  });

  it("a follower gets every event that was sent, once and in pages, and goes on with each cursor", async () => {
    const own = `${source}/${randomUUID()}`;
    const { body: start } = await ask({ source: own });
    const sent = Array.from({ length: 60 }, () => event({ source: own }));
    for (let n = 0; n < sent.length; n += 20) await post(url, sent.slice(n, n + 20));
    await eventually(
      () => target.sql(`select count(*)::int as rows from events where source = '${own}'`),
      ([row]) => row?.["rows"] === sent.length,
    );

    const ids: string[] = [];
    for (let after = start.next; ids.length < sent.length; ) {
      const answer = await ask({ source: own, after, limit: "7", wait: "5" });
      expect(answer.body.events.length).toBeLessThanOrEqual(7);
      ids.push(...idsOf(answer));
      after = answer.body.next;
    }

    expect(ids.toSorted()).toEqual(sent.map(({ id }) => id).toSorted());
  });

  it("a filter lets only matching events through", async () => {
    const own = `${source}/${randomUUID()}`;
    const { body: start } = await ask({ source: own, type: "com.example.a*", "data.n[gte]": "2" });
    const wanted = event({ source: own, type: "com.example.a.b", data: { n: 3 } });
    const others = [{ type: "com.example.b" }, { type: "com.example.a.b", data: { n: 1 } }];

    await post(url, [...others.map((each) => event({ source: own, data: { n: 9 }, ...each })), wanted]);

    const query = { source: own, type: "com.example.a*", "data.n[gte]": "2", after: start.next };
    expect(await followUntil(wanted.id, query)).toEqual([wanted.id]);
  });

  it("a follower from the start gets what was stored before", async () => {
    const own = `${source}/${randomUUID()}`;
    const first = event({ source: own });
    await post(url, first);

    expect(await followUntil(first.id, { source: own, after: "start" })).toEqual([first.id]);
  });

  it("a cursor that was changed, or belongs to another filter or tenant, is refused", async () => {
    const { body } = await ask({});
    const changed = `${body.next.startsWith("A") ? "B" : "A"}${body.next.slice(1)}`;
    const { key } = await target.createKey({ tenant: `feed-${randomUUID().slice(0, 8)}`, role: "reader" });

    expect(await ask({ after: changed })).toMatchObject({ status: 400, body: { code: "bad_cursor" } });
    expect(await ask({ after: body.next, type: "com.other" })).toMatchObject({
      status: 400,
      body: { code: "cursor_mismatch" },
    });
    const headers = { authorization: `Bearer ${key}` };
    expect(await ask({ after: body.next }, headers)).toMatchObject({ status: 400, body: { code: "cursor_mismatch" } });
  });

  it.each([
    ["wait", "21"],
    ["limit", "1001"],
    ["limit", "0"],
    ["colour", "red"],
    ["data.n[almost]", "1"],
  ])("the parameter %s=%s is refused by its name", async (name, value) => {
    const answer = await ask({ [name]: value });

    expect(answer).toMatchObject({
      status: 400,
      body: { code: "bad_parameter", detail: expect.stringContaining(name) },
    });
  });
});

describe("npm run tail", () => {
  it("npm run tail prints the events of a filter, a JSON object a line, and the cursor to go on with", async () => {
    const own = `${target.source}/${randomUUID()}`;
    const sent = Array.from({ length: 5 }, (_, n) => event({ source: own, data: { n } }));
    await post(url, sent);

    const first = await target.run("tail", "--after", "start", "--source", own, "--data", "n[lt]=4", "--count", "4");

    const ids = first.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(first).toMatchObject({ code: 0 });
    expect(ids.toSorted()).toEqual(
      sent
        .slice(0, 4)
        .map(({ id }) => id)
        .toSorted(),
    );
    const [, cursor = ""] = /--after (\S+) --source/.exec(first.stderr) ?? [];
    const later = event({ source: own, data: { n: 0 } });
    await post(url, later);
    const second = await target.run("tail", "--after", cursor, "--source", own, "--data", "n[lt]=4", "--count", "1");
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining(later.id) });
  });

  it("npm run tail says what is wrong with a cursor, with exit code 2", async () => {
    expect(await target.run("tail", "--after", "nonsense")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("bad_cursor"),
    });
  });
});
