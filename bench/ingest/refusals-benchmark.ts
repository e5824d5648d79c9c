import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { makeEvent } from "../events.ts";
import { quantiles } from "../quantiles.ts";
import { measureAlternately, ratios } from "../rounds.ts";
import { KEY } from "./bench-key.ts";
import { startProcess, startServer, STUBS } from "./measure.ts";

/** B24. */
export const refusalsBenchmark: Benchmark = {
  name: "refusals",
  title: "Gathering refusals",
  about:
    "The ingest function as it is bundled for Lambda, with queues that answer after 5 ms; against the same without the gatherer of " +
    "refusals. Requests of 10 events of 400 B, of which 1 % have a field under another name, so that one request in ten sends " +
    "refusals, up to ten a second. Two connections; the figure is the 99th percentile of a round.",
  run: measureRefusals,
};

const EVENTS = 10;
const EVENT_BYTES = 400;
const REQUESTS = 100;
const CONNECTIONS = 2;
const ROUND_MS = 4_000;
const QUICK_ROUND_MS = 1_500;
const GATHERED = "ingest";
const UNGATHERED = "without the gatherer";

async function measureRefusals({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const alias = { ...STUBS, "@aws-sdk/client-sqs": "./bench/ingest/stub-slow-sqs.ts" };
  buildHandler("ingest", folder, { ...DEPLOYED, alias });
  const ungathered = join(folder, "ungathered");
  buildHandler("ingest", ungathered, { ...DEPLOYED, alias, entry: "bench/ingest/ungathered-handler.ts" });
  const children = [folder, ungathered].map((code) =>
    startProcess(undefined, ["server.ts", "ours", join(code, "index.js")]),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const [ours, other] = await Promise.all(children.map(startServer));
    const p99Of = (port: number | undefined) => async () => {
      const latencies = await load({ port, agent, milliseconds: quick ? QUICK_ROUND_MS : ROUND_MS });
      return quantiles(latencies).p99;
    };
    log(`${EVENTS} events of ${EVENT_BYTES} B, 1 % refused`);
    const contenders = [
      { name: GATHERED, round: p99Of(ours?.port) },
      { name: UNGATHERED, round: p99Of(other?.port) },
    ];
    // The ratio is close to its bound, so run more rounds.
    const series = await measureAlternately(
      `${EVENTS} events of ${EVENT_BYTES} B, 1 % refused`,
      "ms (p99)",
      contenders,
      {
        rounds: quick ? rounds : 2 * rounds,
        warmUps: 2,
      },
    );
    const check = {
      id: "B24",
      what: "p99 of a request, 1 % of events refused",
      against: UNGATHERED,
      ratios: ratios(series, GATHERED, UNGATHERED),
      floor: { atMost: 1.02 },
    };
    return { series: [series], checks: [check], notes: [] };
  } finally {
    agent.destroy();
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The bodies of the requests: in every tenth one event has a field under another name. */
const bodies = Array.from({ length: REQUESTS }, (_, number) => {
  const events = Array.from({ length: EVENTS }, (__, at) => {
    // Every fourth event is an order.
    const event = makeEvent(4 * (number * EVENTS + at), EVENT_BYTES);
    if (number % 10 !== 0 || at !== 0) return event;
    const { customerId, ...data } = event.data as Record<string, unknown>;
    return { ...event, data: { ...data, customerID: customerId } };
  });
  return Buffer.from(JSON.stringify(events));
});

/** The milliseconds of each request that was begun within a time, on some connections at once. */
async function load(run: { port: number | undefined; agent: Agent; milliseconds: number }): Promise<number[]> {
  const latencies: number[] = [];
  const until = performance.now() + run.milliseconds;
  let next = 0;
  const connection = async () => {
    while (performance.now() < until) {
      const number = next++ % REQUESTS;
      const started = performance.now();
      const status = await post(run, bodies[number] ?? Buffer.alloc(0));
      latencies.push(performance.now() - started);
      const expected = number % 10 === 0 ? 207 : 202;
      if (status !== expected) throw new Error(`A request was answered with ${status}, and not with ${expected}.`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return latencies;
}

async function post({ port, agent }: { port: number | undefined; agent: Agent }, body: Buffer): Promise<number> {
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${KEY}`,
    "user-agent": "bench/1",
    "content-length": body.length,
  };
  const sent = request({ port, host: "127.0.0.1", method: "POST", path: "/events", headers, agent }).end(body);
  const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  await response.resume().toArray();
  return response.statusCode ?? 0;
}
