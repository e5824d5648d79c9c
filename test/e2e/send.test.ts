import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runScript } from "../support/run-script.ts";
import { eventually } from "../support/eventually.ts";
import { openTarget, type Target } from "./test-stack.ts";
import { call } from "../support/http.ts";

let target: Target;
let folder: string;
beforeAll(async () => {
  [target, folder] = await Promise.all([openTarget(), mkdtemp(join(tmpdir(), "sluice-send-"))]);
});
afterAll(async () => {
  await target?.close();
  await rm(folder, { recursive: true, force: true });
});

async function file(...lines: unknown[]): Promise<string> {
  const path = join(folder, `${randomUUID()}.ndjson`);
  await writeFile(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return path;
}

const newSource = () => `${target.source}/${randomUUID()}`;
const send = (...args: string[]) => target.run("send", ...args);
const event = (overrides: Record<string, unknown> = {}) => ({
  id: randomUUID(),
  source: target.source,
  type: "com.example.sent",
  data: {},
  ...overrides,
});
const rows = async (source: string) =>
  (await target.sql(`select count(*)::int as rows from events where source = '${source}'`))[0]?.["rows"];

describe("npm run send", () => {
  it("posts a file in batches and says what became of it, and stores it once when it is sent twice", async () => {
    const source = newSource();
    const path = await file(...Array.from({ length: 245 }, () => event({ source })), "", "");

    for (let time = 1; time <= 2; time++) {
      const { code, stdout, stderr } = await send(path, "--batch", "50");
      expect(code).toBe(0);
      expect(stderr).toContain("245 events unchecked: the catalog does not have their type");
      expect(stdout).toMatch(/^245 events: 245 accepted, 0 duplicate, 0 invalid, 0 unsent in \d/);
      await eventually(
        () => rows(source),
        (count) => count === 245,
      );
    }
  });

  it("reads back what it sent, and names what came back with another value", async () => {
    const source = newSource();
    const line = (digits: string) =>
      `{"id":"once","source":"${source}","type":"t","data":{"n":[${digits},-0,1.10,1e400,-2.5e-3],"b":{},"a":"ü"}}`;
    const sent = await send(await file(line("12345678901234567890"), event({ source })), "--read-back");

    const changed = await send(await file(line("12345678901234567891")), "--read-back");

    expect(sent).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("2 of 2 accepted events read back equal\n"),
    });
    expect(changed).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("0 of 1 accepted events read back equal\n"),
      stderr: expect.stringContaining("line 1 came back with another data\n"),
    });
  });

  it("gives an event without an id one, and keeps its digits", async () => {
    const source = newSource();
    const path = await file(`{ "source": "${source}", "type": "t", "data": 12345678901234567890 }`);

    expect((await send(path)).code).toBe(0);

    const stored = () => target.sql(`select id, data::text from events where source = '${source}'`);
    expect(await eventually(stored, (found) => found.length === 1)).toEqual([
      { id: expect.stringMatching(/^[0-9a-f-]{36}$/), data: "12345678901234567890" },
    ]);
  });

  it("names the lines the API refused, and exits with 1", async () => {
    const { code, stdout, stderr } = await send(
      await file(event(), "", event({ type: "" }), event({ data: undefined })),
    );

    expect(code).toBe(1);
    expect(stdout).toContain("3 events: 1 accepted, 0 duplicate, 2 invalid, 0 unsent");
    expect(stderr).toContain("line 3 invalid: /type must not be empty");
    expect(stderr).toContain("line 4 invalid: /data is missing");
  });

  it("sends the good lines of a file, names the bad ones, and exits with 1", async () => {
    const source = newSource();
    const path = await file(event({ source }), "{", "[]", event({ source }), '{"id":"half');

    const { code, stdout, stderr } = await send(path);

    expect(code).toBe(1);
    expect(stdout).toContain("5 events: 2 accepted, 0 duplicate, 3 invalid, 0 unsent");
    for (const text of [
      "line 2 invalid: is not JSON",
      "line 3 invalid: is not a JSON object",
      "line 5 invalid: is not",
    ])
      expect(stderr).toContain(text);
    await eventually(
      () => rows(source),
      (count) => count === 2,
    );
  });

  it("sends again what the API could not take yet", async () => {
    const source = newSource();
    const path = await file(event({ source }));

    // In front of the API, something that is not ready at the first request.
    let refused = 0;
    const relay = async (incoming: IncomingMessage, answer: ServerResponse) => {
      const body = Buffer.concat((await incoming.toArray()) as Buffer[]);
      if (incoming.method === "GET") return answer.end(JSON.stringify({ status: "ok" }));
      if (refused++ === 0) return answer.writeHead(503, { "retry-after": "1" }).end("{}");
      const headers = { "content-type": "application/json", authorization: incoming.headers.authorization ?? "" };
      const real = await call(`${target.url}${incoming.url}`, { method: "POST", headers, body });
      return answer.writeHead(real.status).end(await real.text());
    };
    const server = createServer((incoming, answer) => void relay(incoming, answer));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;

    const result = await runScript("send", [path, "--url", `http://127.0.0.1:${port}/`], {
      SLUICE_API_KEY: target.apiKey,
    });
    server.closeAllConnections();
    server.close();

    expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining("HTTP 503; 1 events again in 1 s") });
    await eventually(
      () => rows(source),
      (count) => count === 1,
    );
  });
});
