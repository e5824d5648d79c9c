import { readdirSync, readFileSync } from "node:fs";
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

/** A curl line as the request it makes. The shell puts the target's key in place of the command that prints one. */
function parseCurl(line: string): { path: string; headers: Record<string, string>; body: string } {
  const sent = line.replace("$(cat .sluice/api-key)", target.apiKey).matchAll(/-H (["'])([^:]+): (.+?)\1/g);
  const headers = [...sent].map(([, , name, value]) => [name, value] as const);
  const quoted = /(?:-d|--data-binary) (\$?)'([^']*)'/.exec(line);
  const body = quoted?.[1] === "$" ? (quoted[2] ?? "").replaceAll("\\n", "\n") : (quoted?.[2] ?? "");
  return { path: /127\.0\.0\.1:4800([^\s']+)/.exec(line)?.[1] ?? "", headers: Object.fromEntries(headers), body };
}

describe.concurrent("docs/formats", () => {
  const formats = readdirSync("docs/formats").filter((name) => name !== "README.md");
  const pages = [...formats.map((name) => `docs/formats/${name}`), "docs/log-shippers.md"];

  it.each(pages)("%s has a curl line whose events are accepted and stored", async (page) => {
    const [line] = /^curl .*$/m.exec(readFileSync(page, "utf8")) ?? [];
    const { path, headers, body } = parseCurl((line ?? "").replaceAll("/docs", source));

    // Nothing is added to the headers: a line without its key must fail.
    const answer = await fetch(`${url}${path}`, { method: "POST", headers, body });

    expect(answer.status).toBe(202);
    const { results } = (await answer.json()) as { results: { id: string }[] };
    expect(results.length).toBeGreaterThan(0);
    for (const { id } of results) expect((await stored(id)).body).toMatchObject({ id, source });
  });
});

describe.concurrent("docs/values.md", () => {
  const text = readFileSync("docs/values.md", "utf8");
  const rows = [...text.matchAll(/^\| ([^|]+) \| `([^`]*)` \| (?:`([a-z_]+)`|accepted) \| ([^|]*?) ?\|$/gm)].map(
    ([, what = "", data = "", code, back = ""]) => ({
      what,
      data,
      code,
      back: /^`(.*)`$/.exec(back)?.[1],
    }),
  );

  it("has a row for each value that it tells of", () => {
    expect(rows.length).toBe(
      [...text.matchAll(/^\| .*\|$/gm)].filter(
        ([row]) => row.includes("accepted |") || /\| `[a-z_]+` \| +\|$/.test(row),
      ).length,
    );
    expect(rows.length).toBeGreaterThan(15);
  });

  it.each(rows)("$what", async ({ data, code, back }) => {
    const id = randomUUID();

    const answer = await post(url, `{"id":"${id}","source":"${source}","type":"t","data":${data}}`);

    if (code !== undefined) {
      expect(answer).toMatchObject({ status: 422, body: { results: [{ status: "invalid", errors: [{ code }] }] } });
      return;
    }
    expect(answer.status).toBe(202);
    const found = await stored(id);
    if (back === undefined || /\d{17}/.test(back)) {
      const written = /"data":(.*)\}$/.exec(found.text.replaceAll(" ", ""))?.[1];
      expect(written).toBe(back ?? (data === "1e400" ? `1${"0".repeat(400)}` : data));
    } else {
      expect(found.body.data).toEqual(JSON.parse(back));
    }
  });

  it.each(
    [...text.matchAll(/^\| ([^|]+) \| `([^`]*)`+ \| (\d+) `([a-z_]+)` \|$/gm)].map(
      ([, what = "", body = "", status, code = ""]) => ({ what, body, status: Number(status), code }),
    ),
  )("a whole body: $what", async ({ body, status, code }) => {
    expect(await post(url, body)).toMatchObject({ status, body: { code } });
  });

  it("a whole body: bytes that are not UTF-8, too many levels and too many values", async () => {
    const send = async (body: Uint8Array) => {
      const answer = await call(`${url}/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: Buffer.from(body),
      });
      return { status: answer.status, body: await answer.json() };
    };

    expect(await send(new Uint8Array([0x22, 0xff, 0x22]))).toMatchObject({
      status: 400,
      body: { code: "malformed_body" },
    });
    const deep = `${"[".repeat(1_001)}${"]".repeat(1_001)}`;
    expect(await send(Buffer.from(deep))).toMatchObject({ status: 400, body: { code: "malformed_body" } });
    const wide = `[${"0,".repeat(300_000)}0]`;
    expect(await send(Buffer.from(wide))).toMatchObject({ status: 413, body: { code: "too_many_values" } });
  });

  it("compares ids byte for byte", async () => {
    const base = randomUUID();
    const ids = [`${base}-é`, `${base}-e\u0301`, `${base}-É`];

    await post(
      url,
      ids.map((id) => ({ id, source, type: "t", data: id })),
    );

    for (const id of ids) expect((await stored(id)).body).toMatchObject({ id, data: id });
  });
});
