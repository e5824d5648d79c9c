import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildHandler, DEPLOYED } from "../../lib/bundle.ts";
import type { Benchmark, BenchOptions, BenchReport } from "../benchmark.ts";
import { makeEvent } from "../events.ts";
import { quantiles } from "../../cli/quantiles.ts";
import { ratios } from "../rounds.ts";
import { KEY } from "./bench-key.ts";
import { startProcess, startServer, STUBS } from "./measure.ts";

/** B24. */
export const refusalsBenchmark: Benchmark = {
  name: "refusals",
  title: "Gathering refusals",
  about:
    "The ingest function as it is bundled for Lambda, with queues that answer after 10 ms; against the same without the gatherer of " +
    "refusals. Requests of 10 events of 400 B, of which 1 % have a field under another name, so that one request in ten sends " +
    "refusals, up to ten a second. Two connections, each of which sends every request to both; the figure is the 99th percentile of a round.",
  run: measureRefusals,
};

const EVENTS = 10;
const EVENT_BYTES = 400;
const REQUESTS = 100;
const CONNECTIONS = 2;
const ROUND_MS = 8_000;
const QUICK_ROUND_MS = 3_000;
const CONTENDERS = ["ingest", "without the gatherer"] as const;

async function measureRefusals({ rounds, quick, log }: BenchOptions): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  buildHandler("ingest", folder, { ...DEPLOYED, alias: STUBS, entry: "bench/ingest/slow-handler.ts" });
  const ungathered = join(folder, "ungathered");
  buildHandler("ingest", ungathered, { ...DEPLOYED, alias: STUBS, entry: "bench/ingest/ungathered-handler.ts" });
  const children = [folder, ungathered].map((code) =>
    startProcess(undefined, ["server.ts", "function", join(code, "index.js")]),
  );
  try {
    const servers = await Promise.all(children.map(startServer));
    const shape = `${EVENTS} events of ${EVENT_BYTES} B, 1 % refused`;
    log(shape);
    const contenders = CONTENDERS.map((name) => ({ name, figures: [] as number[] }));
    for (let round = 0; round <= rounds; round++) {
      const latencies = await load(
        servers.map(({ port }) => port),
        quick ? QUICK_ROUND_MS : ROUND_MS,
      );
      // The first round is not counted: the code of the servers is not compiled yet.
      if (round > 0)
        for (const [at, each] of contenders.entries()) each.figures.push(quantiles(latencies[at] ?? []).p99);
    }
    const series = { shape, unit: "ms (p99)", contenders };
    const check = {
      id: "B24",
      what: "p99 of a request, 1 % of events refused",
      against: CONTENDERS[1],
      ratios: ratios(series, ...CONTENDERS),
      floor: { atMost: 1.02 },
    };
    return { series: [series], checks: [check], notes: [] };
  } finally {
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

/** The milliseconds of each request to each server. A connection sends every request to one server after the other, so that other work on the machine slows both. */
async function load(ports: readonly number[], milliseconds: number): Promise<number[][]> {
  const latencies = ports.map((): number[] => []);
  const agent = new Agent({ keepAlive: true });
  const until = performance.now() + milliseconds;
  let next = 0;
  const connection = async () => {
    while (performance.now() < until) {
      const number = next++ % REQUESTS;
      const first = Math.random() < 0.5 ? 0 : 1;
      for (const at of [first, 1 - first]) {
        const started = performance.now();
        const status = await post({ port: ports[at], agent }, bodies[number] ?? Buffer.alloc(0));
        latencies[at]?.push(performance.now() - started);
        const expected = number % 10 === 0 ? 207 : 202;
        if (status !== expected) throw new Error(`A request was answered with ${status}, and not with ${expected}.`);
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  agent.destroy();
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
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  await response.resume().toArray();
  return response.statusCode ?? 0;
}
