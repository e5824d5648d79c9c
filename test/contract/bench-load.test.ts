import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { startBareServer } from "../../bench/pipeline/bare-server.ts";
import { type Exchange, startFront } from "../../bench/pipeline/front.ts";
import { measureClients } from "../../bench/pipeline/measure.ts";
import { allAccepted, runLoad } from "../../bench/pipeline/run-load.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const load = { connections: 4, perRequest: 2, eventBytes: 512, source: "bench" };

describe("the load generator", () => {
  it("the load generator posts the events of each request and reports answers by status and errors by code", async () => {
    const bodies: string[] = [];
    const url = await startServer((request, response) => {
      void request.toArray().then((chunks) => {
        const count = bodies.push(Buffer.concat(chunks as Buffer[]).toString("utf8"));
        if (count === 3) return request.socket.destroy();
        response.statusCode = count === 5 ? 503 : 202;
        return response.end();
      });
    });

    const report = await runLoad({ ...load, url, apiKey: "K", connections: 1, requests: 6 });

    expect(report).toMatchObject({ requests: 6, answers: { 202: 4, 503: 1 }, errors: { ECONNRESET: 1 } });
    expect(report.acceptedAt.map((at) => at !== null)).toStrictEqual([true, true, false, true, false, true]);
    expect(bodies.map((body) => (JSON.parse(body) as unknown[]).length)).toStrictEqual([2, 2, 2, 2, 2, 2]);
    expect(() => allAccepted(report)).toThrow('"503":1');
  });

  it("the load generator counts latencies from due times, so a stall shows in all delayed requests", async () => {
    let count = 0;
    const url = await startServer((request, response) => {
      request.resume();
      count += 1;
      setTimeout(() => response.writeHead(202).end(), count === 10 ? STALL_MS : 0);
    });

    const report = await runLoad({ ...load, url, apiKey: "K", connections: 1, requests: 60, requestsPerSecond: 100 });

    // Requests are due every 10 ms. The ones due in the first half of the stall wait for at least half of it.
    const waited = report.latenciesMs.filter((milliseconds) => milliseconds >= STALL_MS / 2);
    expect(waited.length).toBeGreaterThanOrEqual(STALL_MS / 2 / 10 - 2);
  });

  it("the load generator keeps the given number of connections", async () => {
    const ports = new Set<number | undefined>();
    const url = await startServer((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume();
      response.writeHead(202).end();
    });

    const { requests, answers } = await measureClients({ url, apiKey: "K" }, { connections: 5, seconds: 0.5 });

    expect(answers).toStrictEqual({ 202: requests });
    expect(ports.size).toBe(5);
  });

  it("the load generator gets the answers of the baseline server", async () => {
    const server = await startBareServer();
    cleanups.push(() => server.stop());

    const { answers, errors, latencyMs } = await measureClients(
      { url: server.url, apiKey: "K" },
      { connections: 10, seconds: 0.5 },
    );

    expect(Object.keys(answers)).toStrictEqual(["202"]);
    expect(errors).toStrictEqual({});
    expect(latencyMs.p95).toBeGreaterThan(0);
  });
});

const STALL_MS = 400;

describe("the counting proxy", () => {
  it("the counting proxy passes calls unchanged, reports each, and replaces renamed bytes", async () => {
    const behind = await startServer((request, response) => {
      void request.toArray().then((chunks) => {
        response.writeHead(201, { "x-seen": String(request.headers["x-amz-target"]) });
        return response.end(`${request.url} ${Buffer.concat(chunks as Buffer[]).toString("utf8")}`);
      });
    });
    const exchanges: Exchange[] = [];
    const front = await startFront(behind, {
      onExchange: (exchange) => exchanges.push(exchange),
      rename: (request) => Buffer.from(request.toString("latin1").replace("front", "behind it"), "latin1"),
    });
    cleanups.push(() => front.stop());

    const answer = await fetch(`${front.url}/path`, {
      method: "POST",
      headers: { "x-amz-target": "a" },
      body: "front ü",
    });

    expect(answer.status).toBe(201);
    expect(answer.headers.get("x-seen")).toBe("a");
    expect(await answer.text()).toBe("/path behind it ü");
    expect(exchanges.map(({ request, response }) => [String(request), String(response)])).toStrictEqual([
      ["behind it ü", "/path behind it ü"],
    ]);
  });

  it("the counting proxy ends its call to the target when its client hangs up", async () => {
    const hungUp = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const behind = await startServer((_, response) => {
      response.once("close", () => hungUp.resolve());
      arrived.resolve();
    });
    const front = await startFront(behind, { onExchange: () => undefined });
    cleanups.push(() => front.stop());
    const hangUp = new AbortController();
    const call = fetch(front.url, { method: "POST", body: "x", signal: hangUp.signal }).catch(() => "aborted");
    await arrived.promise;

    hangUp.abort();

    expect(await call).toBe("aborted");
    await expect(hungUp.promise).resolves.toBeUndefined();
  });
});
