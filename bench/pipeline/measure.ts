import { randomBytes } from "node:crypto";
import { type Quantiles, quantiles } from "../../cli/quantiles.ts";
import type { Pipeline } from "./pipeline.ts";
import { probeReadable } from "./probe.ts";
import { allAccepted, type LoadReport, runLoad } from "./run-load.ts";
import { untilStored, writtenAfter } from "./until-stored.ts";

/** Enough to keep ingest busy, and few enough that the generator is not the bottleneck. */
const CONNECTIONS = 8;

/** More than any rate here needs, because an open model must not wait for a free connection. */
const OPEN_CONNECTIONS = 64;

export type Throughput = { eventsPerSecond: number; seconds: number; ingestSeconds: number };

/**
 * Sends events into empty tables as fast as they are accepted, and measures until the last one is stored.
 * @returns events per second from the first request to the last row
 * @throws Error unless every request is answered 202 and every event stored once
 */
export async function measureThroughput(
  pipeline: Pipeline,
  { events, perRequest, eventBytes }: { events: number; perRequest: number; eventBytes: number },
): Promise<Throughput> {
  await pipeline.reset();
  const { source, report, events: sent } = await sendAll(pipeline, { events, perRequest, eventBytes });
  const last = await untilStored(pipeline, source, sent);
  const seconds = (last - report.startedAt) / 1_000;
  const ingestSeconds = (report.finishedAt - report.startedAt) / 1_000;
  return { eventsPerSecond: sent / seconds, seconds, ingestSeconds };
}

export type Readable = {
  /** Of the probes: from a request's 202 until its event can be read. */
  acceptedToReadableMs: Quantiles;
  /** Of all events: from a request's 202 until its rows were written. Their commit follows. */
  acceptedToWrittenMs: Quantiles;
  /** From the due time of a request to its answer. */
  answerMs: Quantiles;
  events: number;
  probes: number;
};

/**
 * Sends events at a constant rate, independent of the answers. Measures how long after its 202 each event was written and,
 * with probes among them, how long until an event could be read.
 * @throws Error unless every request is answered 202 and every event stored once
 */
export async function measureReadable(
  pipeline: Pipeline,
  options: {
    eventsPerSecond: number;
    seconds: number;
    perRequest?: number;
    eventBytes?: number;
    /** Leaves the tables as they are. @default they are emptied first */
    keepRows?: boolean;
  },
): Promise<Readable> {
  const { eventsPerSecond, seconds, perRequest = 100, eventBytes = 1024, keepRows = false } = options;
  if (!keepRows) await pipeline.reset();
  const { sent, probes } = await probeAtRate(pipeline, { eventsPerSecond, seconds, perRequest, eventBytes });
  const { source, report, events } = sent;
  await untilStored(pipeline, source, events);
  return {
    acceptedToReadableMs: quantiles(probes),
    acceptedToWrittenMs: quantiles(await writtenAfter(pipeline, source, report)),
    answerMs: quantiles(report.latenciesMs),
    events,
    probes: probes.length,
  };
}

/**
 * Sends events at a constant rate with probes among them.
 * @returns of each probe the milliseconds from its 202 until its event could be read @throws Error unless every request is answered 202
 */
export async function probeAtRate(
  pipeline: Pipeline,
  options: { eventsPerSecond: number; seconds: number; perRequest: number; eventBytes: number },
): Promise<{ sent: Sent; probes: number[] }> {
  const sending = sendAtRate(pipeline, options);
  const done = { source: newSource(), eventBytes: options.eventBytes, done: sending };
  const [sent, probes] = await Promise.all([sending, probeReadable(pipeline, done)]);
  return { sent, probes };
}

export type Sent = { source: string; report: LoadReport; events: number };

/** Posts events as fast as they are accepted. @throws Error unless every request is answered 202 */
export async function sendAll(
  { url, apiKey }: Pick<Pipeline, "url" | "apiKey">,
  { events, perRequest, eventBytes }: { events: number; perRequest: number; eventBytes: number },
): Promise<Sent> {
  const source = newSource();
  const requests = Math.ceil(events / perRequest);
  const report = await runLoad({ url, apiKey, connections: CONNECTIONS, perRequest, eventBytes, source, requests });
  allAccepted(report);
  return { source, report, events: requests * perRequest };
}

/** Posts events at a constant rate. @throws Error unless every request is answered 202 */
export async function sendAtRate(
  { url, apiKey }: Pick<Pipeline, "url" | "apiKey">,
  { eventsPerSecond, ...options }: { eventsPerSecond: number; seconds: number; perRequest: number; eventBytes: number },
): Promise<Sent> {
  const source = newSource();
  const requestsPerSecond = eventsPerSecond / options.perRequest;
  const report = await runLoad({ url, apiKey, connections: OPEN_CONNECTIONS, source, requestsPerSecond, ...options });
  allAccepted(report);
  return { source, report, events: report.requests * options.perRequest };
}

export type Clients = {
  requests: number;
  requestsPerSecond: number;
  answers: Record<string, number>;
  errors: Record<string, number>;
  latencyMs: Quantiles;
};

/** Posts one event per request over keep-alive connections, each as fast as it gets its answers. */
export async function measureClients(
  { url, apiKey }: Pick<Pipeline, "url" | "apiKey">,
  { connections, seconds, eventBytes = 1024 }: { connections: number; seconds: number; eventBytes?: number },
): Promise<Clients> {
  const report = await runLoad({ url, apiKey, connections, perRequest: 1, eventBytes, source: newSource(), seconds });
  const { requests, answers, errors, startedAt, finishedAt, latenciesMs } = report;
  return {
    requests,
    requestsPerSecond: (1_000 * requests) / (finishedAt - startedAt),
    answers,
    errors,
    latencyMs: quantiles(latenciesMs),
  };
}

/** Makes a source of constant length, so that all events have the same size. */
function newSource(): string {
  return `https://bench.example.com/${randomBytes(4).toString("hex")}`;
}
