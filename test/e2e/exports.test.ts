import { createHash, randomUUID } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { schemas } from "../../functions/core/answer.ts";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";

type Export = ReturnType<typeof schemas.Export.parse>;

let target: Target;
/** Random, because the target may be a stack that is used again. */
const run = randomUUID().slice(0, 8);
const [tenant, copy] = [`exports-a-${run}`, `exports-b-${run}`];
let key: { id: string; key: string };
const COUNT = 250;
const PATIENCE_MS = 120_000;

/** Data that shows every way in which a number or a text can change. */
const dataOf = (at: number) =>
  `{"at":${at},"big":12345678901234567890.${at},"one":1.5,"text":"=1+1,\\"\\n\u{1F600}","a.b":{"c":[${at},null]}}`;

const eventOf = (at: number) =>
  `{"specversion":"1.0","id":"e-${at}","type":"com.example.${at % 2 === 0 ? "even" : "odd"}","source":"${target.source}","data":${dataOf(at)}}`;

beforeAll(async () => {
  target = await openTarget();
  key = await target.createKey({ tenant, role: "admin" });
  await send(
    key.key,
    Array.from({ length: COUNT }, (_, at) => eventOf(at)),
  );
});
afterAll(() => target?.close());

const headersOf = (text: string) => ({ authorization: `Bearer ${text}` });

const call = async (path: string, init: RequestInit & { body?: string } = {}, as = key.key) => {
  const headers = { ...headersOf(as), ...(init.body !== undefined && { "content-type": "application/json" }) };
  const { status, text } = await target.call(path, { ...init, headers });
  return { status, body: JSON.parse(text) as Export & { code?: string }, text };
};

/** Sends events of one tenant, and waits until the last one can be read. */
async function send(as: string, lines: string[]): Promise<void> {
  const { status } = await target.call("/events", {
    method: "POST",
    headers: { ...headersOf(as), "content-type": "application/x-ndjson" },
    body: lines.join("\n"),
  });
  expect(status).toBe(202);
  for (const at of [0, COUNT - 1]) {
    await eventually(
      () => target.call(`/events/e-${at}`, { headers: headersOf(as) }),
      (answer) => answer.status === 200,
      PATIENCE_MS,
    );
  }
  await eventually(
    async () => (await call("/exports", { method: "POST", body: '{"plan":true}' }, as)).body.rows,
    (rows) => rows === COUNT,
    PATIENCE_MS,
  );
}

async function exportOf(body: object, as = key.key): Promise<Export> {
  const { status, body: started } = await call("/exports", { method: "POST", body: JSON.stringify(body) }, as);
  expect(status).toBe(202);
  const finished = await eventually(
    async () => (await call(`/exports/${started.id}`, {}, as)).body,
    ({ state }) => state !== "queued" && state !== "running",
    PATIENCE_MS,
  );
  expect(finished).toMatchObject({ state: "done" });
  return finished;
}

/** The text of all files, each of which is what the manifest says. */
async function download({ files = [], manifest, rows }: Export): Promise<string> {
  const listed = (await (await fetch(manifest?.url ?? "")).json()) as Export & { parts: unknown };
  expect(listed).toMatchObject({ rows, parts: files.map(({ url: _url, ...part }) => part) });
  const texts = await Promise.all(
    files.map(async ({ url, sha256, bytes }) => {
      const file = Buffer.from(await (await fetch(url)).arrayBuffer());
      expect([file.length, createHash("sha256").update(file).digest("hex")]).toEqual([bytes, sha256]);
      return gunzipSync(file).toString("utf8");
    }),
  );
  return texts.join("");
}

const linesOf = (text: string): string[] => text.split("\n").slice(0, -1);

describe("exports", () => {
  it("exports with one idempotency key are one export, and another body under it is refused", async () => {
    const start = (body: string) =>
      target.call("/exports", {
        method: "POST",
        body,
        headers: { ...headersOf(key.key), "content-type": "application/json", "idempotency-key": run },
      });

    const [one, two] = await Promise.all([start("{}"), start("{}")]);
    const other = await start('{"format":"csv"}');

    expect([one.status, two.status, other.status]).toEqual([202, 202, 422]);
    expect((JSON.parse(one.text) as Export).id).toBe((JSON.parse(two.text) as Export).id);
  });

  it("exports have every event as GET /events/{id} gives it, in the order of receipt", async () => {
    const finished = await exportOf({});

    const lines = linesOf(await download(finished));
    expect([finished.rows, lines.length]).toEqual([COUNT, COUNT]);
    for (const at of [0, 17, COUNT - 1]) {
      const { text } = await target.call(`/events/e-${at}`, { headers: headersOf(key.key) });
      expect(lines).toContain(text);
    }
    const times = lines.map((line) => (JSON.parse(line) as { receivedat: string }).receivedat);
    expect(times).toEqual(times.toSorted());
  });

  it("what was exported can be sent again, and is exported equal from there", async () => {
    const other = await target.createKey({ tenant: copy, role: "admin" });
    const first = linesOf(await download(await exportOf({})));

    await send(other.key, first.map(withoutAdded));

    const second = linesOf(await download(await exportOf({}, other.key)));
    expect(second.map(withoutAdded).toSorted()).toEqual(first.map(withoutAdded).toSorted());
  });

  it("exports have the events that a filter matches", async () => {
    const filter = { exact: { type: "com.example.even" } };
    const plan = await call("/exports", { method: "POST", body: JSON.stringify({ filter, plan: true }) });

    const finished = await exportOf({ filter });

    const lines = linesOf(await download(finished));
    expect(lines.filter((line) => line.includes("com.example.odd"))).toEqual([]);
    expect([lines.length, finished.rows, finished.filter]).toEqual([COUNT / 2, COUNT / 2, filter]);
    expect(plan.body).toMatchObject({ rows: COUNT / 2, relation: "exact" });
  });

  it("exports as CSV have the columns that were asked for, with the digits of numbers and no formula", async () => {
    const filter = { exact: { id: "e-7" } };

    const text = await download(
      await exportOf({ filter, format: "csv", select: ["id", "data.big", "data.one", "data.text"] }),
    );

    expect(text).toBe(`id,data.big,data.one,data.text\r\ne-7,12345678901234567890.7,1.5,"'=1+1,""\n\u{1F600}"\r\n`);
  });

  it("an export without events is done, with a manifest alone", async () => {
    const finished = await exportOf({ to: "2000-01-01T00:00:00Z" });

    expect(finished).toMatchObject({ rows: 0, files: [] });
    expect(await download(finished)).toBe("");
  });

  it.each([
    ['{"filter":{"exact":{}}}', "bad_filter"],
    ['{"from":"yesterday"}', "malformed_body"],
    ['{"from":"2026-11-02T00:00:00Z","to":"2026-11-01T00:00:00Z"}', "malformed_body"],
    ['{"format":"parquet"}', "malformed_body"],
    ['{"select":["data..x"]}', "malformed_body"],
    ['{"selekt":["id"]}', "malformed_body"],
  ])("the body %s starts nothing and is refused with %s", async (body, code) => {
    const refused = await call("/exports", { method: "POST", body });

    expect([refused.status, refused.body.code]).toEqual([400, code]);
  });

  it("exports are in the tenant's list and its audit log, and in nobody else's", async () => {
    const { id } = await exportOf({ from: "2020-01-01T00:00:00Z", to: "2020-01-02T00:00:00Z" });
    const other = await target.createKey({ tenant: copy, role: "admin" });

    const listed = JSON.parse((await call("/exports")).text) as { exports: Export[] };
    const audit = await target.call("/audit", { headers: headersOf(key.key) });
    const foreign = await call(`/exports/${id}`, {}, other.key);

    expect(listed.exports[0]).toMatchObject({ id, state: "done", keyId: key.id });
    expect(audit.text).toContain(`"action":"export.start","target":"${id}"`);
    expect([foreign.status, foreign.body.code]).toEqual([404, "no_such_export"]);
  });

  it("an export ends when the key that started it is revoked", async () => {
    const own = await target.createKey({ tenant, role: "reader" });
    const { body: started } = await call("/exports", { method: "POST", body: "{}" }, own.key);
    await target.call(`/keys/${own.id}`, { method: "DELETE", headers: headersOf(key.key) });

    const ended = await eventually(
      async () => (await call(`/exports/${started.id}`)).body,
      ({ state }) => state === "failed" || state === "done",
      PATIENCE_MS,
    );
    // The revocation and the only step of so small an export are at work at the same time.
    expect([undefined, "key_ended"]).toContain(ended.reason);
  });

  it("an export that is cancelled says so, and a finished one cannot be cancelled", async () => {
    const { body: started } = await call("/exports", { method: "POST", body: "{}" });

    const cancelled = await call(`/exports/${started.id}/cancel`, { method: "POST" });
    const done = await exportOf({ to: "2000-01-01T00:00:00Z" });
    const late = await call(`/exports/${done.id}/cancel`, { method: "POST" });

    expect([cancelled.status, late.status, late.body.code]).toEqual([200, 409, "export_finished"]);
    expect(cancelled.body.state).toBe("cancelled");
  });
});

/** An event without what Sluice has added to it. */
function withoutAdded(line: string): string {
  return line.replace(/,"tenant":"[^"]*"/, "").replace(/,"receivedat":"[^"]*"/, "");
}
