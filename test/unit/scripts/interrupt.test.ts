import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type FakeApi, startFakeApi } from "../../support/fake-api.ts";
import { startScript } from "../../support/run-script.ts";

let api: FakeApi;
beforeAll(async () => {
  api = await startFakeApi();
});
afterAll(() => api.stop());

const AT = "2026-11-29T12:00:00.000Z";
const replay = {
  id: "rpl_1",
  tenant: "default",
  state: "running",
  planned: 3,
  taken: 0,
  sent: 0,
  stored: 0,
  deadLettered: 0,
  progressAt: AT,
  keyId: "k",
  createdAt: AT,
};
const exportJob = {
  id: "exp_1",
  state: "running",
  format: "ndjson",
  keyId: "k",
  createdAt: AT,
  progressAt: AT,
  rows: 0,
  scanned: 0,
  bytes: 0,
  parts: 0,
};
const redelivery = {
  id: "rdl_1",
  subscriptionId: "sub_1",
  state: "running",
  planned: 3,
  taken: 0,
  delivered: 0,
  failed: 0,
  request: {},
  keyId: "k",
  createdAt: AT,
};

describe("Ctrl-C while the API starts a job", () => {
  it.each([
    ["export", ["--out", "files"], exportJob, "npm run export -- --resume exp_1 --out "],
    ["replay", ["--type", "a"], { ...replay, action: "replay" }, "npm run replay -- --watch rpl_1 "],
    [
      "dead-letters",
      ["discard", "--type", "a", "--note", "n"],
      { ...replay, action: "discard" },
      "npm run replay -- --cancel rpl_1 ",
    ],
    ["subscriptions", ["retry", "sub_1"], redelivery, "npm run subscriptions -- retries sub_1 --watch rdl_1 "],
  ])("leaves the job of %s %j running, and says how to go on", async (script, options, job, again) => {
    const stopping = Promise.withResolvers<void>();
    api.answer(async ({ method }) => {
      if (method === "POST") await stopping.promise;
      return { status: method === "POST" ? 202 : 200, body: job };
    });
    const { child, output, ended } = startScript(script, [...options, ...api.flags], { SLUICE_API_KEY: "" });
    await eventually(() => api.requests.length, Boolean);

    child.kill("SIGINT");
    await Promise.race([eventually(() => output.stderr.includes("Stopping"), Boolean), ended]);
    stopping.resolve();

    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining(again)]);
  });
});
