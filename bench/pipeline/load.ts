import { Agent, request as httpRequest } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createEventMaker } from "./events.ts";
import type { LoadReport } from "./run-load.ts";

/**
 * Posts events over keep-alive connections from its own process, and writes a report as JSON to stdout:
 *
 *     node bench/pipeline/load.ts --url http://127.0.0.1:4800 --connections 100 --per-request 1 --event-bytes 1024 \
 *       --source bench --seconds 10 --requests-per-second 500
 *
 * The key that it sends is in the environment variable SLUICE_API_KEY.
 *
 * With a rate it is an open model: requests are due at fixed times, independent of earlier ones. A latency counts from the
 * due time of its request, so a stall shows in all requests that it delayed. Without a rate each connection sends its next
 * request on each answer.
 */
const { values } = parseArgs({
  options: {
    url: { type: "string" },
    connections: { type: "string" },
    "per-request": { type: "string" },
    "event-bytes": { type: "string" },
    source: { type: "string" },
    seconds: { type: "string" },
    requests: { type: "string" },
    "requests-per-second": { type: "string" },
  },
});
const perRequest = Number(values["per-request"]);
const connections = Number(values.connections);
const rate = values["requests-per-second"] === undefined ? undefined : Number(values["requests-per-second"]);
const seconds = Number(values.seconds ?? Number.POSITIVE_INFINITY);
const most = Number(values.requests ?? (rate === undefined ? Number.POSITIVE_INFINITY : Math.round(seconds * rate)));

const makeEvent = createEventMaker(Number(values["event-bytes"]), values.source ?? "bench");
const target = new URL(`${values.url}/events`);
const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: "fifo" });
const latencies: number[] = [];
const acceptedAt: (number | null)[] = [];
const answers: Record<string, number> = {};
const errors: Record<string, number> = {};
let responseBytes = 0;
let next = 0;
/** More than API Gateway's own 29 s. */
const ANSWER_MS = 35_000;

const started = performance.now();
await Promise.all(Array.from({ length: connections }, connection));
const finished = performance.now();
agent.destroy();
const report: LoadReport = {
  requests: latencies.length,
  answers,
  errors,
  startedAt: performance.timeOrigin + started,
  finishedAt: performance.timeOrigin + finished,
  latenciesMs: latencies.map(rounded),
  acceptedAt: Array.from(acceptedAt, (at) => at ?? null),
  responseBytes,
};
process.stdout.write(JSON.stringify(report));

async function connection(): Promise<void> {
  for (let index = next++; index < most; index = next++) {
    let due = performance.now();
    if (rate !== undefined) {
      due = started + (1_000 * index) / rate;
      const early = due - performance.now();
      if (early > 0) await delay(early);
    } else if (due - started >= 1_000 * seconds) return;
    await post(index, due);
  }
}

async function post(index: number, due: number): Promise<void> {
  const events = Array.from({ length: perRequest }, (_, place) => makeEvent(index, place));
  const body = perRequest === 1 ? events.join("") : `[${events.join(",")}]`;
  try {
    const status = await exchange(body);
    answers[status] = (answers[status] ?? 0) + 1;
    if (status === 202) acceptedAt[index] = rounded(performance.timeOrigin + performance.now());
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    errors[code] = (errors[code] ?? 0) + 1;
  }
  latencies.push(performance.now() - due);
}

function exchange(body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    authorization: `Bearer ${process.env["SLUICE_API_KEY"]}`,
  };
  const sent = httpRequest(target, { method: "POST", agent, headers, timeout: ANSWER_MS }, (response) => {
    for (const text of response.rawHeaders) responseBytes += text.length + ": ".length;
    response.on("data", (chunk: Buffer) => {
      responseBytes += chunk.length;
    });
    response.on("end", () => resolve(response.statusCode ?? 0));
    response.on("error", reject);
  });
  sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer in time"), { code: "TIMEOUT" })));
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}
