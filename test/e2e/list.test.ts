import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import type { Page } from "../support/lists.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
/** Events of these tests alone, whatever else the stack has. */
let source: string;
const EVENTS = 12;
beforeAll(async () => {
  target = await openTarget();
  source = `${target.source}/list`;
  const lines = Array.from(
    { length: EVENTS },
    (_, i) =>
      `{"id":"n${i}","source":"${source}/${i % 2}","type":"com.example.listed.${i % 3}","data":{"n":${i},"big":12345678901234567890,"text":"ü ${i}"}}`,
  );
  await ask("/events", {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: [...lines, `{"id":"query","source":"${source}/other","type":"com.example.listed.query","data":null}`].join(
      "\n",
    ),
  });
  await eventually(
    () => list({ source: `${source}/*` }),
    ({ events }) => events.length === EVENTS + 1,
    60_000,
  );
});
afterAll(() => target?.close());

const ask = (
  path: string,
  { headers, ...init }: Omit<RequestInit, "headers"> & { headers?: Record<string, string> } = {},
) => target.call(path, { ...init, headers: { authorization: `Bearer ${target.apiKey}`, ...headers } });
const read = async (parameters: Record<string, string> | [string, string][]) =>
  ask(`/events?${new URLSearchParams(parameters)}`);
const list = async (parameters: Record<string, string> | [string, string][]) =>
  JSON.parse((await read(parameters)).text) as Page;
const post = (body: unknown) =>
  ask("/events/query", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const ofNumbers = () => ({ source: `${source}/*`, type: "com.example.listed.*", "data.n[gte]": "0" });
const idsOf = ({ events }: Page) => events.map(({ id }) => id);

describe("GET /events", () => {
  it("GET /events returns each event byte for byte as GET /events/{id} does", async () => {
    const { status, headers, text } = await read(ofNumbers());

    expect({ status, type: headers.get("content-type") }).toEqual({ status: 200, type: "application/json" });
    const ids = idsOf(JSON.parse(text) as Page);
    expect(ids).toHaveLength(EVENTS);
    const alone = await Promise.all(
      ids.map(async (id) => (await ask(`/events/${id}?source=${source}/${Number(id.slice(1)) % 2}`)).text),
    );
    expect(text).toContain(`{"events":[${alone.join(",")}],`);
    expect(text).toContain("12345678901234567890");
  });

  it("GET /events follows next to the end, and prev back to the beginning", async () => {
    const pages: Page[] = [];
    let cursor: string | null = null;
    do {
      const page: Page = await list({
        ...ofNumbers(),
        limit: "5",
        order: "receivedAt",
        ...(cursor !== null && { cursor }),
      });
      pages.push(page);
      cursor = page.next;
    } while (cursor !== null);

    expect(pages.map(({ events }) => events.length)).toEqual([5, 5, 2]);
    expect(new Set(pages.flatMap(idsOf)).size).toBe(EVENTS);
    const back = await list({ ...ofNumbers(), limit: "5", order: "receivedAt", cursor: pages[2]?.prev ?? "" });
    expect(idsOf(back)).toEqual(idsOf(pages[1] as Page));
  });

  it("GET /events takes a repeated parameter as any of its values, and several as all of them", async () => {
    const of = async (...more: [string, string][]) =>
      idsOf(await list([...Object.entries(ofNumbers()), ...more])).toSorted();

    expect(await of(["type", "com.example.listed.1"], ["id", "n4"], ["id", "n1"], ["id", "n3"])).toEqual([
      "n1",
      "n3",
      "n4",
    ]);
    expect(await of(["data.n[lt]", "2"])).toEqual(["n0", "n1"]);
    expect(await of(["data.text", "ü 7"])).toEqual(["n7"]);
    expect(await of(["data.big[eq]", "12345678901234567890"], ["data.n[lt]", "2"])).toEqual(["n0", "n1"]);
    expect(await of(["data.text[exists]", "true"])).toHaveLength(EVENTS);
    expect(await of(["data.big[eq]", "12345678901234567891"])).toEqual([]);
  });

  it("GET /events returns the selected members, and counts", async () => {
    const { text } = await read({ ...ofNumbers(), select: "id,data.big", id: "n3", count: "exact" });

    expect(text).toContain('{"events":[{"id":"n3","data":{"big":12345678901234567890}}],');
    expect(JSON.parse(text)).toMatchObject({ count: { value: 1, relation: "eq" }, complete: true, prev: null });
  });

  it("GET /events as NDJSON has the events of GET /events/{id}, and the facts of the page as the last line", async () => {
    const accept = { accept: "application/x-ndjson, */*;q=0.1" };
    const { headers, text } = await ask(`/events?${new URLSearchParams({ ...ofNumbers(), limit: "3" })}`, {
      headers: accept,
    });

    expect(headers.get("content-type")).toBe("application/x-ndjson");
    const lines = text.trimEnd().split("\n");
    const { next } = JSON.parse(lines.pop() ?? "") as Page;
    expect(`{"events":[${lines.join(",")}],`).toBe(
      (await read({ ...ofNumbers(), limit: "3" })).text.slice(0, lines.join(",").length + '{"events":[],'.length),
    );
    const rest = await ask(`/events?${new URLSearchParams({ ...ofNumbers(), cursor: next ?? "" })}`, {
      headers: accept,
    });
    expect(rest.text.trimEnd().split("\n")).toHaveLength(EVENTS - 3 + 1);
  });

  it("GET /events as CSV has the selected columns, and a link that leads through all pages", async () => {
    const rows: string[] = [];
    let url: string | undefined = `?${new URLSearchParams({ ...ofNumbers(), limit: "5", select: "id,data.big" })}`;
    while (url !== undefined) {
      const { headers, text } = await ask(`/events${url}`, { headers: { accept: "text/csv" } });
      expect(headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
      const [head, ...lines] = text.split("\r\n").slice(0, -1);
      expect(head).toBe("id,data.big");
      rows.push(...lines);
      url = /<([^>]*)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
    }

    expect(rows.toSorted()).toEqual(Array.from({ length: EVENTS }, (_, i) => `n${i},12345678901234567890`).toSorted());
  });

  it("GET /events in a type that it does not have is refused with those it has", async () => {
    const { status, text } = await ask("/events", { headers: { accept: "application/pdf" } });

    expect({ status, ...(JSON.parse(text) as object) }).toMatchObject({ status: 406, code: "not_acceptable" });
  });

  it("GET /events of a settled range is 304 for a client that has it, and nothing else is", async () => {
    // A day of its own: each event that is stored today makes another tag for ranges that end today.
    const past = `/events?to=${new Date(Date.now() - 48 * 3_600_000).toISOString()}`;
    const { status, headers } = await ask(past);
    expect({ status, kept: headers.get("cache-control") }).toEqual({ status: 200, kept: "private, max-age=300" });
    const known = { "if-none-match": headers.get("etag") ?? "" };

    expect(await ask(past, { headers: known })).toMatchObject({ status: 304, text: "" });
    expect((await ask(`${past}&limit=7`, { headers: known })).status).toBe(200);
    expect((await read(ofNumbers())).headers.get("etag")).toBeNull();
  });

  it.each([
    ["an unknown parameter", "types=a", "bad_parameter", "types is no parameter"],
    ["a limit over the most", "limit=1001", "bad_parameter", "limit is no whole number from 1 to 1000"],
    ["a time that is none", "from=today", "bad_parameter", "from is no instant"],
    ["an operator that is none", "data.n[like]=1", "bad_parameter", "data.n[like]"],
    ["text that cannot be stored", "type=a%00", "bad_parameter", "type is empty"],
    ["a cursor that is none", "cursor=abc", "bad_cursor", "cursor"],
    ["several orders", "order=receivedAt&order=receivedAt", "bad_parameter", "order has 2 values"],
  ])("GET /events refuses %s and names it", async (_what, query, code, detail) => {
    const { status, text } = await ask(`/events?${query}`);

    expect({ status, ...(JSON.parse(text) as object) }).toMatchObject({
      status: 400,
      code,
      detail: expect.stringContaining(detail),
    });
  });

  it("GET /events refuses a cursor of another filter", async () => {
    const { next } = await list({ ...ofNumbers(), limit: "1" });

    const { status, text } = await read({ source: `${source}/0`, cursor: next ?? "" });

    expect({ status, code: (JSON.parse(text) as { code: string }).code }).toEqual({
      status: 400,
      code: "cursor_mismatch",
    });
  });

  it("GET /events takes hostile text in every parameter as text", async () => {
    for (const hostile of ["'; drop table events; --", "$1", "%", ":x", "\\", "a\nb", "\u{1f680}", '"}', "../.."]) {
      for (const name of [
        "type",
        "source",
        "subject",
        "id",
        "data.n",
        `data.${hostile.replace(/[[\].]/g, "")}`,
        "select",
      ]) {
        const { status, text } = await read({
          ...(name === "source" ? {} : { source: `${source}/0` }),
          [name]: hostile,
          from: "2999-01-01T00:00:00Z",
        });
        expect([200, 400], `${name}=${hostile}: ${text}`).toContain(status);
        if (status === 200) expect(JSON.parse(text)).toMatchObject({ events: [], complete: true });
      }
    }
    expect(idsOf(await list(ofNumbers()))).toHaveLength(EVENTS);
  });
});

describe("POST /events/query", () => {
  it("POST /events/query returns what GET /events does", async () => {
    const filter = {
      all: [
        { prefix: { source: `${source}/` } },
        { data: { n: [{ numeric: ["<", 5] }] } },
        { not: { exact: { id: "n1" } } },
      ],
    };

    const { status, text } = await post({ filter, order: "receivedAt", select: ["id"] });

    expect(status).toBe(200);
    expect(idsOf(JSON.parse(text) as Page).toSorted()).toEqual(["n0", "n2", "n3", "n4"]);
  });

  it("POST /events/query names the place of a fault in its filter", async () => {
    const { status, text } = await post({ filter: { all: [{ exact: { type: "a" } }, { like: {} }] } });

    expect({ status, ...(JSON.parse(text) as object) }).toMatchObject({
      status: 400,
      code: "bad_filter",
      pointer: "/all/1/like",
    });
  });

  it("an event whose id is the name of a path can be read", async () => {
    const { status, text } = await ask(`/events/query?source=${source}/other`);

    expect({ status, id: (JSON.parse(text) as { id: string }).id }).toEqual({ status: 200, id: "query" });
  });
});

describe("npm run query", () => {
  const words = () => ["--source", `${source}/*`, "--type", "com.example.listed.*", "--data", "n[gte]=0"];

  it("query prints one event a line, as it is stored, and says that there are more", async () => {
    const { code, stdout, stderr } = await target.run("query", ...words(), "--limit", "5", "--order", "receivedAt");

    expect(code).toBe(0);
    expect(stderr).toMatch(/^5 events \(scan: \d+ events looked at\); there are more: --all prints every one\n$/);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(5);
    const { text } = await read({ ...ofNumbers(), order: "receivedAt", limit: "5" });
    expect(text).toContain(`{"events":[${lines.join(",")}],`);
  });

  it("query follows the cursors to the end with --all, and goes on from a cursor", async () => {
    const { next } = await list({ ...ofNumbers(), limit: "5" });

    const all = await target.run("query", ...words(), "--all", "--select", "id,data.big");
    const rest = await target.run("query", ...words(), "--all", "--cursor", next ?? "");

    expect([all.code, rest.code]).toEqual([0, 0]);
    expect(all.stdout.trimEnd().split("\n")).toHaveLength(EVENTS);
    expect(all.stdout).toContain('"big":12345678901234567890');
    expect(rest.stdout.trimEnd().split("\n")).toHaveLength(EVENTS - 5);
  });

  it("query takes a condition without an operator as an equal value, and --why names one that an event does not meet", async () => {
    const equal = await target.run("query", ...words(), "--data", "n=3", "--select", "id,data.n");
    const { id } = JSON.parse(equal.stdout) as { id: string };
    const why = await target.run("query", "--source", `${source}/*`, "--data", "n=4", "--why", id);

    expect(equal).toMatchObject({ code: 0, stdout: expect.stringContaining('"n":3') });
    expect(why).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\/.*data\/n.*3/) });
  });

  it("query says what is wrong with a filter, and exits with 2", async () => {
    const wrong = await target.run("query", "--data", "n[like]=1");
    const missing = await target.run("query", "--data", "n");

    expect(wrong).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("data.n[like]") });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("--data takes conditions such as") });
  });

  it("query says that an index found the events", async () => {
    const found = await target.run("query", "--id", "query", "--source", `${source}/other`, "--json");

    expect(
      found.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).id),
    ).toEqual(["query"]);
    expect(found.stderr).toContain("1 event (index: ");
  });

  it("query finds nothing without an error", async () => {
    expect(await target.run("query", "--id", randomUUID())).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "0 events (index: 0 events looked at)\n",
    });
  });
});
