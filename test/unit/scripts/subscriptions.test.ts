import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toSettings, toSink } from "../../../scripts/subscriptions/setting-options.ts";
import { type FakeApi, startFakeApi } from "../../support/fake-api.ts";
import { callScript } from "../../support/call-script.ts";
import { startScript } from "../../support/run-script.ts";
import { eventually } from "../../support/eventually.ts";
import { newKeyPair, signWebhook } from "../../support/sign-webhook.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

let api: FakeApi;
let folder: TemporaryFolder;
beforeAll(async () => {
  [api, folder] = await Promise.all([startFakeApi(), temporaryFolder()]);
});
afterAll(async () => {
  await api.stop();
  await folder.remove();
});

const ID = "sub_0123456789abcdef0123456789abcdef";
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const AT = "2026-11-29T12:00:00.000Z";
const LEDGER = { matched: 10, delivered: 6, pending: 2, failed: 1, skipped: 1 };
const subscription = {
  id: ID,
  name: "orders",
  filter: { exact: { type: "a" } },
  sink: { type: "webhook", url: "https://example.com/" },
  order: "none",
  schedule: "standard",
  batch: 1,
  timeoutMs: 15_000,
  state: "active",
  keyId: "k",
  createdAt: AT,
  updatedAt: AT,
};
const made = {
  ...subscription,
  secret: SECRET,
  publicKey: "whpk_x",
  matches: { count: 0, complete: true, events: [] },
};
const delivery = {
  id: "dlv_1",
  eventId: "e-1",
  eventSource: "/s",
  eventType: "a",
  state: "failed",
  attempts: 10,
  lastAt: AT,
  code: 500,
  error: "HTTP 500",
};
const attempt = {
  eventId: "e-1",
  deliveryId: "dlv_1",
  number: 2,
  status: "later",
  code: null,
  at: AT,
  durationMs: 15_000,
  error: "no answer",
};
const redelivery = {
  id: "rdl_1",
  subscriptionId: ID,
  state: "running",
  planned: 3,
  taken: 3,
  delivered: 1,
  failed: 0,
  request: {},
  keyId: "k",
  createdAt: AT,
};

const run = (...words: string[]) => callScript("subscriptions", [...words, ...api.flags], { SLUICE_API_KEY: "" });
const sent = (at = 0): unknown => JSON.parse(api.requests[at]?.body ?? "");

describe("the sink of the options", () => {
  it.each([
    [{}, undefined],
    [{ url: "https://a/" }, { type: "webhook", url: "https://a/" }],
    [
      { url: "https://a/", format: "binary" as const, header: ["x-token: a:b", "X-B:c"] },
      { type: "webhook", url: "https://a/", format: "binary", headers: { "x-token": "a:b", "X-B": "c" } },
    ],
    [{ slack: "https://a/" }, { type: "slack", url: "https://a/" }],
    [{ email: ["a@example.com"] }, { type: "email", to: ["a@example.com"] }],
    [{ sns: "arn:x" }, { type: "sns", topicArn: "arn:x" }],
    [{ sqs: "https://q/" }, { type: "sqs", queueUrl: "https://q/" }],
  ])("the options %j mean the sink %j", (options, sink) => {
    expect(toSink(options)).toEqual(sink);
  });

  it.each([
    [{ url: "https://a/", sqs: "https://q/" }, "A subscription has one sink. Keep one of --url, --sqs."],
    [{ header: ["a: b"] }, "Name its --url as well"],
    [{ sns: "arn:x", format: "binary" as const }, "Name its --url as well"],
    [{ url: "https://a/", header: ["token"] }, "--header takes a name, a colon and a value"],
  ])("the options %j are refused: %s", (options, why) => {
    expect(() => toSink(options)).toThrow(why);
  });

  it("a filter and a rate are changed, left alone or taken away", () => {
    expect(toSettings({ type: ["a"], rate: 5 })).toMatchObject({ filter: { exact: { type: "a" } }, rate: 5 });
    expect(toSettings({})).toMatchObject({ filter: undefined, rate: undefined });
    expect(toSettings({ filter: "none", rate: "none" })).toMatchObject({ filter: null, rate: null });
    expect(() => toSettings({ filter: "none", type: ["a"] })).toThrow("Leave out --type and --source");
  });
});

describe("npm run subscriptions", () => {
  it("create sends the settings, and writes the secret alone to stdout", async () => {
    const event = { type: "a", source: "/s", id: "e\u001b" };
    api.answer(() => ({
      status: 201,
      body: { ...made, matches: { count: 1, complete: false, events: [event] }, warning: "a warning" },
    }));

    const words = ["--name", "orders", "--url", "https://example.com", "--type", "a.*", "--order", "subject"];
    const { code, stdout, stderr } = await run("create", ...words, "--rate", "5", "--timeout-ms", "9000", "--from", AT);

    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: `${SECRET}\n` });
    expect(stderr).toContain(`Subscription ${ID}. The secret is shown this once; its public key is whpk_x`);
    expect(stderr).toContain("In the last day at least 1 event matches\n  a /s e\\u{1b}\nWarning: a warning");
    expect(api.requests).toMatchObject([
      { method: "POST", path: "/subscriptions", headers: { authorization: "Bearer K" } },
    ]);
    expect(sent()).toEqual({
      name: "orders",
      sink: { type: "webhook", url: "https://example.com/" },
      from: AT,
      filter: { prefix: { type: "a." } },
      order: "subject",
      rate: 5,
      timeoutMs: 9_000,
    });
  });

  it("create prints the id where there is no secret, and one document with --json", async () => {
    const { secret: _secret, publicKey: _publicKey, ...plain } = made;
    api.answer(() => ({ status: 201, body: plain }));
    const words = ["create", "--name", "n", "--email", "a@example.com"];

    expect(await run(...words)).toMatchObject({ code: 0, stdout: `${ID}\n` });
    expect(JSON.parse((await run(...words, "--json")).stdout)).toEqual(plain);
  });

  it("a filter keeps the digits of its numbers on the way", async () => {
    api.answer(() => ({ status: 201, body: made }));

    await run("create", "--name", "n", "--sqs", "https://q/", "--filter", '{"data":{"n":[12345678901234567890]}}');

    expect(api.requests[0]?.body).toContain('"filter":{"data":{"n":[12345678901234567890]}}');
  });

  it("list reads every page, as a table and as one object a line; --limit ends it and says so", async () => {
    api.answer(({ query }) => ({
      body:
        query["after"] === "2"
          ? { subscriptions: [subscription], next: null }
          : { subscriptions: [{ ...subscription, state: "disabled", disabledReason: "sink_failing" }], next: "2" },
    }));

    const table = await run("list");
    expect(table).toMatchObject({ code: 0, stderr: "2 subscriptions\n" });
    expect(table.stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["ID", "STATE", "NAME", "SINK", "ORDER", "FILTER"],
      [ID, "disabled (sink_failing)", "orders", "webhook https://example.com/", "none", '{"exact":{"type":"a"}}'],
      [ID, "active", "orders", "webhook https://example.com/", "none", '{"exact":{"type":"a"}}'],
      [""],
    ]);
    const lines = (await run("list", "--json")).stdout.trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { state: string }).state)).toEqual(["disabled", "active"]);
    expect(await run("list", "--limit", "1")).toMatchObject({ stderr: "1 subscription; --limit shows more\n" });
  });

  it("show has the facts and the ledger", async () => {
    api.answer(() => ({ body: { ...subscription, ledger: LEDGER } }));

    const { stdout } = await run("show", ID);

    expect(stdout).toMatch(/^sink +webhook https:\/\/example.com\/$/m);
    expect(stdout).toMatch(/^ledger +10 matched = 6 delivered \+ 2 pending \+ 1 failed \+ 1 skipped$/m);
    expect(JSON.parse((await run("show", ID, "--json")).stdout)).toMatchObject({ ledger: LEDGER });
  });

  it("change sends what is named, takes away what is none, and refuses to change nothing", async () => {
    api.answer(() => ({ body: { ...subscription, ledger: LEDGER } }));

    expect(await run("change", ID, "--filter", "none", "--rate", "none", "--batch", "5")).toMatchObject({ code: 0 });

    expect(api.requests[0]).toMatchObject({ method: "PUT", path: `/subscriptions/${ID}` });
    expect(sent()).toEqual({ filter: null, rate: null, batch: 5 });
    expect(await run("change", ID)).toMatchObject({ code: 2, stderr: expect.stringContaining("Name a setting") });
  });

  it("delete says what went with it", async () => {
    api.answer(({ method }) => (method === "DELETE" ? { status: 204 } : { body: { ...subscription, ledger: LEDGER } }));

    expect(await run("delete", ID)).toMatchObject({
      code: 0,
      stderr: "orders is deleted, with 2 pending and 1 failed deliveries\n",
    });
    expect(api.requests.map(({ method }) => method)).toEqual(["GET", "DELETE"]);
  });

  it("test says why an event does not match, with its digits, and exits with 1", async () => {
    api.answer(() => ({ body: { matches: false, why: [{ pointer: "/exact/type", message: "is b" }] } }));
    const file = join(folder.path, "event.json");
    await writeFile(file, '{"type":"b",\n"data":12345678901234567890}');

    expect(await run("test", ID, "--event", file)).toMatchObject({
      code: 1,
      stdout: "It does not match\n  /exact/type: is b\n",
    });
    expect(api.requests[0]?.body).toBe(`{"subscription":"${ID}","event":{"type":"b","data":12345678901234567890}}`);

    api.answer(() => ({ body: { matches: true, why: [] } }));
    expect(await run("test", "--type", "a", "--stored", "e-1")).toMatchObject({ code: 0, stdout: "It matches\n" });
    expect(sent()).toEqual({ filter: { exact: { type: "a" } }, event: { id: "e-1" } });
  });

  it.each([
    [["test", ID], "Name the event: --event FILE"],
    [["test", "--stored", "e"], "Name a subscription by its id, or a filter"],
    [["test", ID, "--type", "a", "--stored", "e"], "A subscription has its own filter"],
    [["test", ID, "--event", "/nowhere.json"], "/nowhere.json does not exist"],
    [["test", ID, "--event", "package.json", "--stored", "e"], "cannot be used with option"],
    [["test", ID, "--event", "README.md"], "README.md is no event"],
    [["create", "--name", "n"], "A subscription needs a sink: --url"],
    [["create", "--url", "https://a/"], "required option '--name <name>' not specified"],
    [["create", "--name", "n", "--url", "example.com"], "Did you mean"],
    [["seek", ID], "required option '--from <start>' not specified"],
    [["rotate", ID, "--overlap-hours", "169"], "--overlap-hours takes a number from 0 to 168, not 169"],
    [["retry", ID, "--code", "x"], "--code takes a whole number above 0"],
    [["attempts", ID, "--status", "x"], "Allowed choices are delivered, later, failed"],
  ])("%j exits with 2 and the reason", async (words, why) => {
    expect(await run(...words)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(why) });
  });

  it("a refusal of the API is shown with its code", async () => {
    api.answer(() => ({
      status: 404,
      body: { code: "no_such_subscription", detail: "There is none. Ask for the list." },
    }));

    expect(await run("enable", ID)).toMatchObject({
      code: 2,
      stderr: "error: There is none. Ask for the list. (HTTP 404 no_such_subscription)\n",
    });
  });

  it.each([
    [["seek", ID, "--from", "now"], "seek", { from: "now" }],
    [["disable", ID], "disable", undefined],
    [["enable", ID], "enable", undefined],
  ])("%j calls /%s", async (words, path, body) => {
    api.answer(() => ({ body: subscription }));

    expect(await run(...words)).toMatchObject({ code: 0, stdout: "", stderr: expect.stringMatching(/^orders /) });
    expect(api.requests).toMatchObject([{ method: "POST", path: `/subscriptions/${ID}/${path}` }]);
    expect(api.requests[0]?.body).toBe(body === undefined ? "" : JSON.stringify(body));
  });

  it("rotate writes the new secret alone to stdout", async () => {
    api.answer(() => ({ body: { ...subscription, secret: SECRET } }));

    expect(await run("rotate", ID, "--overlap-hours", "0")).toMatchObject({
      stdout: `${SECRET}\n`,
      stderr: `Another secret of ${ID}. The secret is shown this once\n`,
    });
    expect(sent()).toEqual({ overlapHours: 0 });
  });

  it("attempts, deliveries and failures are tables, and lines of JSON", async () => {
    api.answer(({ path }) => ({
      body: path.endsWith("attempts")
        ? { attempts: [attempt], next: null }
        : path.endsWith("deliveries")
          ? { deliveries: [delivery], next: null }
          : { groups: [{ code: 500, error: "HTTP 500", count: 3, firstAt: AT, lastAt: AT, sample: delivery }] },
    }));

    const attempts = await run("attempts", ID, "--status", "later", "--event", "e-1", "--from", AT);
    expect(attempts.stdout.split("\n")[1]?.split(/ {2,}/)).toEqual([AT, "2", "later", "15000", "e-1", "no answer"]);
    expect(api.requests[0]?.query).toEqual({ status: "later", event: "e-1", from: AT });
    const deliveries = await run("deliveries", ID, "--state", "failed");
    expect(deliveries.stdout).toMatch(/^failed +10 +500 +a +\/s +e-1 +dlv_1 +HTTP 500$/m);
    expect(api.requests[1]?.query).toEqual({ state: "failed" });
    expect((await run("failures", ID)).stdout).toMatch(/^3 +500 +HTTP 500 +\S+ +\S+ +a \/s e-1$/m);
    expect(JSON.parse((await run("failures", ID, "--json")).stdout)).toMatchObject({ count: 3 });
  });

  it("retry is planned, and then watched to its end; what failed again makes the exit code 1", async () => {
    api.answer(() => ({
      body: { state: "planned", planned: 3, until: "2026-11-21T09:30:00.000Z", sample: [delivery] },
    }));
    const planned = await run("retry", ID, "--dry-run", "--code", "500", "503", "--type", "a", "--limit", "9");
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining("3 deliveries would be sent again\n") });
    const body = { filter: { exact: { type: "a" } }, codes: [500, 503], limit: 9 };
    expect(sent()).toEqual({ ...body, dryRun: true });

    let reads = 0;
    api.answer(({ method }) => {
      if (method === "POST") return { status: 202, body: redelivery };
      reads += 1;
      return { body: reads < 2 ? redelivery : { ...redelivery, state: "done", delivered: 2, failed: 1 } };
    });
    expect(await run("retry", ID)).toMatchObject({
      code: 1,
      stdout: "3 deliveries sent again: 2 delivered, 1 failed, 0 not ended yet\n",
      stderr: "Retry rdl_1\n",
    });
    expect(sent()).toEqual({});
  });

  it("retry that is interrupted goes on, and says how to watch and end it", async () => {
    api.answer(({ method }) => ({ status: method === "POST" ? 202 : 200, body: redelivery }));
    const started = startScript("subscriptions", ["retry", ID, ...api.flags], { SLUICE_API_KEY: "" });
    await eventually(
      () => api.requests.length,
      (count) => count > 1,
    );
    started.child.kill("SIGINT");

    const { code, stderr } = await started.ended;

    expect(code).toBe(1);
    expect(stderr).toContain(`npm run subscriptions -- retries ${ID} --watch rdl_1 ${api.flags.join(" ")}`);
  });

  it("retries lists, watches and cancels", async () => {
    const done = { ...redelivery, state: "done", delivered: 3 };
    api.answer(({ method, path }) => {
      if (path.endsWith("/retries")) return { body: { retries: [redelivery], next: null } };
      return { body: method === "POST" ? { ...redelivery, state: "cancelled" } : done };
    });

    expect((await run("retries", ID)).stdout).toMatch(/^rdl_1 +running +3 +3 +1 +0 +\S+$/m);
    expect(await run("retries", ID, "--watch", "rdl_1")).toMatchObject({ code: 0 });
    expect(await run("retries", ID, "--cancel", "rdl_1")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("The retry rdl_1 was cancelled"),
    });
    expect(api.requests.at(-1)).toMatchObject({ path: `/subscriptions/${ID}/retries/rdl_1/cancel` });
  });
});

describe("npm run listen", () => {
  const listen = (...words: string[]) => startScript("listen", words, { SLUICE_API_KEY: "", WEBHOOK_SECRET: "" });
  const urlOf = (output: { stderr: string }) => eventually(() => /at (http:\S+)/.exec(output.stderr)?.[1]);
  const send = (url: string, key: string) => {
    const body = JSON.stringify({ specversion: "1.0", id: "e-1", source: "/s", type: "t" });
    const { headers } = signWebhook([key, privateKey], { id: "dlv_1", body });
    return fetch(url, { method: "POST", headers, body });
  };
  const { privateKey, publicKey } = newKeyPair();

  it("listen --create makes a subscription for itself, verifies with its keys, and deletes it at Ctrl-C", async () => {
    api.answer(({ method }) => (method === "DELETE" ? { status: 204 } : { status: 201, body: { ...made, publicKey } }));
    const { child, output, ended } = listen(
      "--create",
      "--type",
      "a",
      "--batch",
      "2",
      "--format",
      "binary",
      ...api.flags,
    );
    const url = await urlOf(output);
    await eventually(
      () => output.stderr,
      (text) => text.includes("Subscription"),
    );

    expect((await send(url, SECRET)).status).toBe(204);
    expect((await send(url, made.secret.replace("B", "C"))).status).toBe(401);
    child.kill("SIGINT");

    const { code, stdout, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toContain("2 webhooks, 1 refused\n");
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { id: "dlv_1", attempt: 1, verdict: "verified", status: 204, events: [{ id: "e-1" }] },
      { id: "dlv_1", attempt: 2, verdict: "refused", why: "no right signature v1" },
    ]);
    expect(api.requests.map(({ method, path }) => [method, path])).toEqual([
      ["POST", "/subscriptions"],
      ["DELETE", `/subscriptions/${ID}`],
    ]);
    expect(sent()).toEqual({
      name: "npm run listen",
      sink: { type: "webhook", url: `${url}/`, format: "binary" },
      filter: { exact: { type: "a" } },
      batch: 2,
    });
  });

  it("listen that cannot make its subscription ends, and says how to start the stack", async () => {
    const detail = "/sink/url: is no https URL";
    api.answer(() => ({ status: 422, body: { code: "bad_sink", detail } }));

    expect(await listen("--create", ...api.flags).ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/\/sink\/url: is no https URL.*npm start -- --allow-http-sinks/),
    });
  });

  it("listen that cannot delete its subscription says how to", async () => {
    api.answer(({ method }) =>
      method === "DELETE"
        ? { status: 503, body: { code: "x", detail: "Later." } }
        : { status: 201, body: { ...made, publicKey } },
    );
    const { child, output, ended } = listen("--create", ...api.flags);
    await eventually(
      () => output.stderr,
      (text) => text.includes("Subscription"),
    );
    child.kill("SIGTERM");

    expect(await ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`Delete it: npm run subscriptions -- delete ${ID}`),
    });
  });

  it("listen --count ends after so many webhooks, verified by the secret of the variable", async () => {
    const { output, ended } = startScript("listen", ["--port", "0", "--count", "2", "--fail", "1"], {
      WEBHOOK_SECRET: SECRET,
    });
    const url = await urlOf(output);

    expect([(await send(url, SECRET)).status, (await send(url, SECRET)).status]).toEqual([500, 204]);
    expect(await ended).toMatchObject({ code: 0, stderr: expect.stringContaining("2 webhooks\n") });
  });

  it("listen without a key shows webhooks unchecked, and says so", async () => {
    const { output, ended } = listen("--port", "0", "--count", "1");
    const url = await urlOf(output);
    await send(url, SECRET);

    expect(await ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"verdict":"unchecked"'),
      stderr: expect.stringContaining("Nothing is verified"),
    });
  });

  it.each([
    [["--secret", "whsec_x"], "The secret is whsec_ and the base64 of 24 to 64 bytes"],
    [["--public-key", "x"], "--public-key takes whpk_"],
    [["--type", "a"], "--type belongs to a subscription. Add --create, or leave it out."],
    [["--create", "--secret", "x"], "has its own keys"],
    [["--create", "--data-dir", "/nowhere"], "Start the runtime with `npm start`"],
    [["--status", "100"], "--status takes an HTTP status from 200 to 599"],
    [["--port", "x"], "--port takes a number from 0 to 65535"],
  ])("listen %j exits with 2 and the reason", async (words, why) => {
    expect(await listen(...words).ended).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(why) });
  });
});
