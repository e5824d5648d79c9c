import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { call, get, post } from "../support/http.ts";
import { openTarget, type Target } from "./test-stack.ts";

let target: Target;
let url: string;
let source: string;
beforeAll(async () => {
  target = await openTarget();
  ({ url, source } = target);
});
afterAll(() => target?.close());

const stored = (id: string) =>
  eventually(
    () => get(`${url}/events/${encodeURIComponent(id)}?source=${encodeURIComponent(source)}`),
    ({ status }) => status === 200,
  );
const event = (id: string, overrides: Record<string, unknown> = {}) => ({
  id,
  source,
  type: "com.example.test",
  data: { id },
  ...overrides,
});

describe.concurrent("the pipeline", () => {
  it("stores an accepted event and gives it back equal", async () => {
    const sent = event(randomUUID(), {
      subject: "größe 🌊",
      time: "2026-11-21T09:30:00.123456789+05:30",
      dataschema: "https://example.com/s",
      datacontenttype: "application/json",
      traceparent: "00-ab-cd-01",
      sampled: true,
      data: { text: '\u{1F30A} \uFFFE\u001f "\\/', list: [null, true, [], {}], n: -1.5 },
    });

    const answer = await post(url, sent);
    const read = await stored(sent.id);

    expect(answer).toMatchObject({
      status: 202,
      body: { accepted: 1, rejected: 0, results: [{ index: 0, id: sent.id, status: "accepted", unchecked: true }] },
    });
    expect(read.headers.get("content-type")).toBe("application/cloudevents+json");
    expect(read.body).toEqual({
      ...sent,
      specversion: "1.0",
      tenant: "default",
      receivedat: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it("keeps every digit of a number", async () => {
    const id = randomUUID();
    const data = "[12345678901234567890,0.1000000000000000055511151231257827,-98765432109876543210.0123456789]";

    await post(url, JSON.stringify(event(id)).replace(/"data":.*$/, `"data":${data}}`));

    expect((await stored(id)).text.replaceAll(" ", "")).toContain(`"data":${data}`);
  });

  it.each([
    ["no data", null],
    ["text", "text"],
    ["an empty list", []],
    ["false", false],
    ["zero", 0],
  ])("gives back data that is %s", async (_name, data) => {
    const id = randomUUID();

    await post(url, event(id, { data }));

    expect((await stored(id)).body.data).toEqual(data);
  });

  it("gives back an event that is larger than a result row of the Data API", async () => {
    const id = randomUUID();
    const data = { quotes: '"\\'.repeat(30_000), wide: "🌊".repeat(25_000) };

    await post(url, event(id, { data }));

    expect((await stored(id)).body.data).toEqual(data);
  });

  it("stores an event that is sent twice once, and keeps the first", async () => {
    const id = randomUUID();
    await post(url, event(id, { data: "first" }));
    await stored(id);

    await post(url, event(id, { data: "second" }));
    await post(url, event(`${id}-after`));

    await stored(`${id}-after`);
    expect((await stored(id)).body.data).toBe("first");
  });

  it("refuses another version of a type than the catalog has, and says which there are", async () => {
    const type = "com.example.log.entry";
    const data = { level: "info", message: "", service: "api" };

    const answer = await post(url, [
      event(randomUUID(), { type, data, dataschema: "https://schemas.example.com/log-entry/1" }),
      event(randomUUID(), { type, data, dataschema: "https://schemas.example.com/log-entry/9" }),
    ]);

    expect(answer.body.results).toMatchObject([
      { status: "accepted" },
      { status: "invalid", errors: [{ path: "/dataschema", code: "unknown_version" }] },
    ]);
    expect(answer.body.results?.[0]).not.toHaveProperty("unchecked");
  });

  it("answers a verdict for each event of an array and stores the valid ones", async () => {
    const ids = [randomUUID(), randomUUID()];
    const answer = await post(url, [event(ids[0] ?? ""), { type: "x" }, event(ids[1] ?? "")]);

    expect(answer.status).toBe(207);
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 1 });
    expect(answer.body.results?.map(({ status }) => status)).toEqual(["accepted", "invalid", "accepted"]);
    for (const id of ids) await stored(id);
  });

  it("refuses a request of which no event is valid", async () => {
    expect(await post(url, { type: 1 })).toMatchObject({ status: 422, body: { accepted: 0, rejected: 1 } });
  });

  it("takes a thousand events in one request and stores each of them", async () => {
    const ids = Array.from({ length: 1_000 }, (_, i) => `${randomUUID()}-${i}`);

    expect(
      await post(
        url,
        ids.map((id) => event(id)),
      ),
    ).toMatchObject({ status: 202, body: { accepted: 1_000 } });

    for (const id of [ids[0], ids[499], ids[999]]) await stored(id ?? "");
  });

  it("tells two sources of one id apart, and asks which one is meant", async () => {
    const id = randomUUID();
    await post(url, [event(id), event(id, { source: `${source}/other` })]);
    await stored(id);

    const ambiguous = await eventually(
      () => get(`${url}/events/${id}`),
      ({ status }) => status === 409,
    );

    expect(ambiguous.body).toMatchObject({ code: "ambiguous_id", sources: [source, `${source}/other`] });
    expect((await get(`${url}/events/${id}?source=${encodeURIComponent(`${source}/other`)}`)).body.source).toBe(
      `${source}/other`,
    );
  });

  it.each(["with space", "per%cent", "ünï/code?#[]", "%41", "a+b"])("finds the id %s", async (name) => {
    const id = `${name}-${randomUUID()}`;

    await post(url, event(id));

    expect((await stored(id)).body.id).toBe(id);
  });

  it.each(["%ff", "%00", "x".repeat(513), "a?source=%00"])("refuses the id %s, which no event can have", async (id) => {
    expect(await get(`${url}/events/${id}`)).toMatchObject({ status: 400, body: { code: "bad_parameter" } });
  });

  it("answers 404 for an id that is not stored", async () => {
    const answer = await get(`${url}/events/${randomUUID()}`);

    expect(answer).toMatchObject({
      status: 404,
      body: { code: "not_found", status: 404, requestId: expect.any(String) },
    });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it.each([
    ["text/plain", "{}", 415, "unsupported_media_type"],
    ["application/json", "{", 400, "malformed_body"],
    ["application/json", "", 400, "malformed_body"],
  ])("answers a %s body %j with %i %s", async (contentType, body, status, code) => {
    expect(await post(url, body, { "content-type": contentType })).toMatchObject({ status, body: { code } });
  });

  it.each(["utf8", "latin1"] as const)(
    "refuses an id in a header that is %s and not percent-encoded",
    async (encoding) => {
      const id = Buffer.from(`hé-${randomUUID()}`, encoding).toString("latin1");
      const headers = { "ce-specversion": "1.0", "ce-id": id, "ce-source": source, "ce-type": "t" };

      expect((await call(`${url}/events`, { method: "POST", headers, body: "x" })).status).toBe(400);
    },
  );

  it("answers an unknown route in the shape of its own errors", async () => {
    const answer = await get(`${url}/nothing`);

    expect(answer).toMatchObject({
      status: 403,
      body: { code: "no_such_route", status: 403, requestId: expect.any(String) },
    });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it("says that it is well", async () => {
    expect(await get(`${url}/health`)).toMatchObject({ status: 200, body: { status: "ok" } });
  });
});
