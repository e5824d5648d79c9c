import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { callScript } from "../support/call-script.ts";
import { runScript, startScript } from "../support/run-script.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

let server: Server | undefined;
let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** An API that accepts every event; `onPost` is called with the number of each request before its answer. */
async function startApi(
  onPost: (count: number) => void = () => undefined,
): Promise<{ url: string; posts: () => number }> {
  let posts = 0;
  server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      if (request.method === "GET") return response.end('{"status":"ok"}');
      posts += 1;
      onPost(posts);
      const events = JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as object[];
      const results = events.map((_, index) => ({ index, status: "accepted" }));
      return response.writeHead(202).end(JSON.stringify({ accepted: events.length, rejected: 0, results }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts: () => posts };
}

async function eventFile(lines: number): Promise<string> {
  const path = join(folder.path, "events.ndjson");
  await writeFile(path, Array.from({ length: lines }, (_, i) => `{"id":"${i}"}`).join("\n"));
  return path;
}

describe("a command", () => {
  it.each([
    "send",
    "load",
    "tail",
    "dead-letters",
    "refusals",
    "replay",
    "subscriptions",
    "listen",
    "keys",
    "tenants",
    "audit",
    "status",
  ])("%s --help prints the usage, with exit code 0", async (name) => {
    expect(await runScript(name, ["--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Usage: npm run ${name} --`),
    });
  });

  it.each([
    ["send", ["x.ndjson", "--url", "http://127.0.0.1:1"], "Nothing answers at http://127.0.0.1:1: "],
    ["send", ["x.ndjson", "--url", "localhost:4800"], "Did you mean http://localhost:4800/?"],
    ["send", ["x.ndjson", "--url", "htp://127.0.0.1:4800"], "Did you mean http://127.0.0.1:4800/?"],
    ["send", ["x.ndjson", "--url", ""], "--url needs a value; the one given is empty"],
    ["send", ["x.ndjson", "y.ndjson"], "too many arguments"],
    ["send", ["--batch", "0", "x"], "--batch takes a whole number above 0"],
    ["send", ["x", "--batch", "1001"], "--batch takes at most 1000"],
    ["dead-letters", ["discard", "--type", "t"], "required option '--note <text>' not specified"],
    ["dead-letters", ["list", "--older-than", "long"], "--older-than takes a duration such as 90s"],
    ["dead-letters", ["list", "--data-dir", "/nowhere"], "Start the runtime with `npm start`"],
    ["replay", ["--limit", "many"], "--limit takes a whole number above 0"],
    ["replay", ["--data-dir", "/nowhere"], "Start the runtime with `npm start`"],
    ["replay", ["--outputs", "/nowhere.json"], "npm run deploy"],
    ["replay", ["--unknown"], "unknown option"],
    ["replay", ["--id", "--dry-run"], "--id needs a value, and --dry-run looks like an option"],
    ["replay", ["--edits", "nothing.ndjson"], "Start the runtime with `npm start`"],
    ["dead-letters", ["show", "-OaBcD"], "Start the runtime with `npm start`"],
  ])("%s %j exits with 2 and the reason", async (name, args, why) => {
    expect(await callScript(name, args)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(why) });
  });

  it.each([
    ["keys", ["--help"], {}],
    ["replay", ["--unknown"], {}],
    ["audit", ["list", "--outputs", "/nowhere.json"], {}],
    ["send", ["x.ndjson"], { npm_lifecycle_script: "node scripts/send.ts", npm_config_url: "true" }],
  ])("%s %j in a process of its own and in that of a test ends equally", async (name, args, environment) => {
    expect(await callScript(name, args, environment)).toEqual(await runScript(name, args, environment));
  });

  it("a command in the process of a test leaves no listener of signals", async () => {
    const api = await startApi();
    const listeners = () => (["SIGINT", "SIGTERM"] as const).map((signal) => process.listeners(signal));
    const before = listeners();
    const added: unknown[] = [];
    const note = (name: unknown) => added.push(name);
    process.on("newListener", note);

    await callScript("query", ["--url", api.url], KEY);

    process.off("newListener", note);
    expect(added).toEqual(expect.arrayContaining(["SIGINT", "SIGTERM"]));
    expect(listeners()).toEqual(before);
  });

  it("send in a process of its own and in that of a test prints the same and sends the same", async () => {
    const path = await eventFile(25);
    const api = await startApi();
    const words = [path, "--url", api.url, "--batch", "10"];
    const withoutTime = ({ stdout, ...rest }: Awaited<ReturnType<typeof runScript>>) => ({
      ...rest,
      stdout: stdout.replace(/in \S+ s/, ""),
    });

    const own = await runScript("send", words, KEY);
    const posts = api.posts();
    const here = await callScript("send", words, KEY);

    expect(withoutTime(own)).toMatchObject({ code: 0, stdout: expect.stringContaining("25 accepted") });
    expect(withoutTime(here)).toEqual(withoutTime(own));
    expect(api.posts()).toBe(2 * posts);
  });
});

describe("npm run send", () => {
  it("finishes the requests under way on Ctrl-C, and says from which line on to send again", async () => {
    const path = await eventFile(5_000);
    const api = await startApi((count) => {
      if (count === 3) started.child.kill("SIGINT");
    });
    const started = startScript("send", [path, "--url", api.url, "--batch", "10", "--connections", "1"], KEY);

    const { code, stdout } = await started.ended;

    expect(code).toBe(1);
    const accepted = Number(/(\d+) accepted/.exec(stdout)?.[1]);
    expect(accepted).toBe(10 * api.posts());
    expect(accepted).toBeLessThan(5_000);
    expect(stdout).toContain(`${accepted} events: ${accepted} accepted, 0 duplicate, 0 invalid, 0 unsent`);
    expect(stdout).toContain(`Stopped: send it again from line ${accepted + 1} on`);
  });

  it("reaches an API on this machine whatever proxy the shell names", async () => {
    const api = await startApi();
    const proxy = { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: "http://127.0.0.1:1", http_proxy: "http://127.0.0.1:1" };

    const sent = await runScript("send", [await eventFile(5), "--url", api.url], {
      ...proxy,
      ...KEY,
      NO_PROXY: "example.com",
    });

    expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining("5 accepted") });
  });
});

/** A key; the API of these tests takes any. */
const KEY = { SLUICE_API_KEY: "K" };

describe("an option that npm keeps for itself", () => {
  it.each([
    ["replay", "npm_config_dry_run", "npm run replay -- --dry-run"],
    ["send", "npm_config_url", "npm run send -- --url"],
    ["dead-letters", "npm_config_json", "npm run dead-letters -- list --json"],
  ])("keeps %s from running without it: %s", async (name, setting, advice) => {
    const byNpm = { npm_lifecycle_script: `node scripts/${name}.ts`, [setting]: "true" };

    expect(await callScript(name, [], byNpm)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(advice),
    });
  });
});
