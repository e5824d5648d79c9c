import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { schemas } from "../../functions/core/answer.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";

type Export = ReturnType<typeof schemas.Export.parse>;

const COUNT = 3_500;
const PATIENCE_MS = 280_000;

let stack: FaultStack;
/** Every event, by GET /events/{id}'s own text at the first export. */
let expected: string[];
beforeAll(async () => {
  // With so short a time each step writes one page of 1,000 events, and a message of a killed step comes again in seconds.
  stack = await startFaultStack({ exportTimeoutSeconds: 6, visibilitySeconds: 14, maxReceiveCount: 30 });
  for (let at = 0; at < COUNT; at += 500) {
    const events = Array.from({ length: 500 }, (_, index) => ({
      id: `e-${at + index}`,
      type: "com.example.exported",
      source: "/faults/export",
      data: {
        at: at + index,
        text: createHash("sha512")
          .update(String(at + index))
          .digest("base64"),
      },
    }));
    const { status } = await call("/events", { method: "POST", body: JSON.stringify(events) });
    if (status !== 202) throw new Error(`The events were answered with ${status}.`);
  }
  await eventually(
    async () => (await stack.ask<{ count: string }>("select count(*) from events"))[0]?.count,
    (count) => Number(count) === COUNT,
    PATIENCE_MS,
  );
  expected = await linesOf(await finish(await start()));
});
afterAll(() => stack?.remove());

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${stack.addresses.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${stack.addresses.apiKey}`, "content-type": "application/json" },
  });

async function start(): Promise<Export> {
  const response = await call("/exports", { method: "POST", body: "{}" });
  expect(response.status).toBe(202);
  return (await response.json()) as Export;
}

const read = async ({ id }: Export) => (await (await call(`/exports/${id}`)).json()) as Export;

const finish = (started: Export): Promise<Export> =>
  eventually(
    () => read(started),
    ({ state }) => state !== "queued" && state !== "running",
    PATIENCE_MS,
  );

/** The lines of all files, which are what the manifest says. */
async function linesOf({ state, files = [], manifest, rows }: Export): Promise<string[]> {
  expect(state).toBe("done");
  const listed = (await (await fetch(manifest?.url ?? "")).json()) as { rows: number; parts: { sha256: string }[] };
  const texts = await Promise.all(
    files.map(async ({ url }, at) => {
      const file = Buffer.from(await (await fetch(url)).arrayBuffer());
      expect(createHash("sha256").update(file).digest("hex")).toBe(listed.parts[at]?.sha256);
      return gunzipSync(file).toString("utf8");
    }),
  );
  const lines = texts.join("").split("\n").slice(0, -1);
  expect([lines.length, listed.rows]).toEqual([rows, rows]);
  return lines;
}

describe("an export that is killed", () => {
  it("an export has every event once, in files of several steps", () => {
    expect(new Set(expected).size).toBe(COUNT);
    expect(stack.failpoints.hits.filter(({ point }) => point === "afterUpload").length).toBeGreaterThan(3);
  });

  const points = ["afterUpload", "beforeCommit", "afterCommit", "beforeSend", "afterSend", "beforeAnswer"];
  it.each(points)("an export whose function is killed at %s has the same lines", async (point) => {
    const started = await start();
    let killed = 0;
    stack.failpoints.order((hit) => {
      if (hit.functionName !== "export" || hit.point !== point || hit.count !== 2) return "go";
      killed += 1;
      return "kill";
    });

    const finished = await finish(started).finally(() => stack.failpoints.order());

    expect(await linesOf(finished)).toEqual(expected);
    expect(killed).toBe(1);
  });

  it("an export goes on after an outage of the database, and after a restart of the whole stack", async () => {
    const started = await start();
    stack.dataApiFaults.set([{ kind: "error", error: "DatabaseUnavailableException" }]);
    await eventually(() => stack.lines.some((line) => line.includes('"outcome":"retried"')), Boolean, PATIENCE_MS);
    stack.dataApiFaults.clear();
    await stack.restart();

    expect(await linesOf(await finish(started))).toEqual(expected);
  });
});
