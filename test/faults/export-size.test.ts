import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { createGunzip } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { schemas } from "../../functions/core/answer.ts";
import { forEachConcurrently } from "../../functions/core/for-each-concurrently.ts";
import { eventually } from "../support/eventually.ts";
import { sized } from "./support/fault-case.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";

type Export = ReturnType<typeof schemas.Export.parse>;

/** A million in a full run: `npm run test:faults -- test/faults/export-size.test.ts`. */
const COUNT = sized(20_000, 1_000_000);
const PER_REQUEST = 1_000;
/** A full run sends a million events twice and exports them three times: half an hour. */
const WHOLE_MS = sized(280_000, 3_600_000);
const PATIENCE_MS = sized(200_000, 800_000);

let stack: FaultStack;
let source: string;
let copy: string;
beforeAll(async () => {
  stack = await startFaultStack({ exportTimeoutSeconds: 25, visibilitySeconds: 40, maxReceiveCount: 30 });
  source = stack.addresses.apiKey;
  const { key } = (await (
    await call(stack.addresses.installationKey, "/keys", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ tenant: "copy", role: "admin" }),
    })
  ).json()) as { key: string };
  copy = key;
});
afterAll(() => stack?.remove());

const call = (
  key: string,
  path: string,
  { headers, ...init }: Omit<RequestInit, "headers"> & { headers?: Record<string, string> } = {},
) =>
  fetch(`${stack.addresses.url}${path}`, {
    ...init,
    headers: { ...headers, authorization: `Bearer ${key}` },
  });

async function post(key: string, lines: string[]): Promise<void> {
  const headers = { "content-type": "application/x-ndjson" };
  for (;;) {
    const { status, headers: answer } = await call(key, "/events", { method: "POST", headers, body: lines.join("\n") });
    if (status === 202) return;
    if (status !== 429 && status < 500) throw new Error(`The events were answered with ${status}.`);
    await new Promise((resolve) => setTimeout(resolve, 1_000 * Number(answer.get("retry-after") ?? 1)));
  }
}

const eventOf = (at: number): string =>
  `{"specversion":"1.0","id":"e-${at}","type":"com.example.t${at % 7}","source":"/size","data":{"at":${at},"big":9007199254740993${at},"text":"${createHash("md5").update(String(at)).digest("base64")}"}}`;

const storedOf = async (tenant: string): Promise<number> =>
  Number((await stack.ask<{ count: string }>("select count(*) from events where tenant = $1", [tenant]))[0]?.count);

const whenStored = (tenant: string) =>
  eventually(
    () => storedOf(tenant),
    (count) => count === COUNT,
    PATIENCE_MS,
  );

/** Exports all events of a key; of the function's steps every third ends by a kill where `isKilled`. */
async function exportAll(key: string, isKilled: boolean): Promise<{ finished: Export; kills: number }> {
  let kills = 0;
  const places = ["afterUpload", "afterCommit", "beforeCommit"];
  stack.failpoints.order(({ functionName, point, count }) => {
    if (!isKilled || functionName !== "export" || point !== places[kills % 3] || count % 3 !== 2) return "go";
    kills += 1;
    return "kill";
  });
  const headers = { "content-type": "application/json" };
  const started = (await (await call(key, "/exports", { method: "POST", headers, body: "{}" })).json()) as Export;
  const finished = await eventually(
    async () => (await (await call(key, `/exports/${started.id}`)).json()) as Export,
    ({ state }) => state !== "queued" && state !== "running",
    PATIENCE_MS,
  );
  stack.failpoints.order();
  const { state, reason, detail } = finished;
  expect({ state, reason, detail }).toEqual({ state: "done" });
  return { finished, kills };
}

async function* linesOf({ files = [] }: Export): AsyncGenerator<string> {
  for (const { url } of files) {
    const { body } = await fetch(url);
    const text = Readable.fromWeb(body as ReadableStream).pipe(createGunzip());
    yield* createInterface({ input: text });
  }
}

/** The hash of each event by its id, without what Sluice has added to it. */
async function hashesOf(finished: Export): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for await (const line of linesOf(finished)) {
    const id = /"id":"([^"]+)"/.exec(line)?.[1] ?? "";
    if (hashes.has(id)) throw new Error(`${id} is there twice.`);
    hashes.set(id, createHash("sha256").update(withoutAdded(line)).digest("base64"));
  }
  return hashes;
}

const withoutAdded = (line: string): string =>
  line.replace(/,"tenant":"[^"]*"/, "").replace(/,"receivedat":"[^"]*"/, "");

async function* batchesOf(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const line of lines) {
    if (batch.push(line) < PER_REQUEST) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function* eventLines(): Generator<string> {
  for (let at = 0; at < COUNT; at++) yield eventOf(at);
}

describe("an export of many events", () => {
  it(
    "rows are those of the manifest and of the database, and equal after they were sent again to an empty tenant, also when steps are killed",
    async () => {
      await forEachConcurrently(batchesOf(eventLines()), 4, (lines) => post(source, lines));
      await whenStored("default");

      const startedAt = performance.now();
      const { finished } = await exportAll(source, false);
      const seconds = (performance.now() - startedAt) / 1_000;
      const manifest = (await (await fetch(finished.manifest?.url ?? "")).json()) as { rows: number; bytes: number };
      const first = await hashesOf(finished);
      expect([finished.rows, manifest.rows, first.size, await storedOf("default")]).toEqual(Array(4).fill(COUNT));

      const killed = await exportAll(source, true);
      expect(await hashesOf(killed.finished)).toEqual(first);
      expect(killed.kills).toBeGreaterThan(0);

      const sent = (async function* () {
        for await (const line of linesOf(finished)) yield withoutAdded(line);
      })();
      await forEachConcurrently(batchesOf(sent), 4, (lines) => post(copy, lines));
      await whenStored("copy");
      const second = await hashesOf((await exportAll(copy, false)).finished);
      expect(second).toEqual(first);

      process.stdout.write(
        `${COUNT} events: ${seconds.toFixed(1)} s, ${Math.round(COUNT / seconds)} events/s, ${finished.parts} parts, ${manifest.bytes} bytes; killed ${killed.kills} times: equal\n`,
      );
    },
    WHOLE_MS,
  );
});
