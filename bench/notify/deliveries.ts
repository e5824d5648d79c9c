import { setTimeout as delay } from "node:timers/promises";
import { sendAll, sendAtRate, type Sent } from "../pipeline/measure.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { type Quantiles, quantiles } from "../../cli/quantiles.ts";
import { untilStored } from "../pipeline/until-stored.ts";
import type { Received, Receiver } from "./receiver.ts";
import { setStates } from "./subscriptions.ts";

/** `sinks`: the subscriptions whose webhooks are waited for; each event goes to all of them. */
export type Deliveries = { pipeline: Pipeline; receiver: Receiver; sinks: ReadonlySet<string> };

/** The size of the events, as in the other benchmarks of the whole stack. */
const EVENT_BYTES = 1_024;

/**
 * Posts events as fast as they are accepted, and waits until each has come to each sink.
 * @returns deliveries per second from the first webhook to the last, while events are still accepted and stored; and from the first
 *   request, with the time of the batch window before the first webhook
 */
export async function deliverAll(
  deliveries: Deliveries,
  { events, perRequest }: { events: number; perRequest: number },
): Promise<{ perSecond: number; fromRequest: number; received: Received }> {
  const { pipeline, receiver } = deliveries;
  await receiver.take();
  const sent = await sendAll(pipeline, { events, perRequest, eventBytes: EVENT_BYTES });
  const received = await takeAll(deliveries, sent);
  const { receipts } = received;
  const last = Math.max(...receipts.map(([, , at]) => at));
  return {
    perSecond: ratePerSecond(received),
    fromRequest: (1_000 * receipts.length) / (last - sent.report.startedAt),
    received,
  };
}

/**
 * Stores events while all subscriptions are disabled, then enables these and wakes a worker, and waits until each event has come to each
 * sink and all results are written.
 * @returns deliveries per second from the first webhook to the last. Within that events are claimed, sent and settled; they were matched before
 */
export async function deliverBacklog(
  deliveries: Deliveries,
  { events, perRequest }: { events: number; perRequest: number },
): Promise<{ perSecond: number; received: Received }> {
  const { pipeline, receiver } = deliveries;
  await receiver.take();
  await setStates(pipeline, "disabled");
  const sent = await sendAll(pipeline, { events, perRequest, eventBytes: EVENT_BYTES });
  await untilStored(pipeline, sent.source, sent.events);
  await setStates(pipeline, "active");
  await pipeline.sendStep("Wakes");
  const received = await takeAll(deliveries, sent);
  while ((await pipeline.ask("select from deliveries where state = 'pending' limit 1")).length > 0)
    await delay(POLL_MS);
  return { perSecond: ratePerSecond(received), received };
}

/** From the first to the last. */
function ratePerSecond({ receipts }: Received): number {
  const times = receipts.map(([, , at]) => at);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  return (1_000 * (times.length - 1)) / (last - first);
}

/**
 * Posts events at a constant rate, and waits until each has come to each sink.
 * @returns milliseconds from the row of an event to its webhook. The row is written some milliseconds before its commit.
 */
export async function deliverAtRate(
  deliveries: Deliveries,
  { eventsPerSecond, seconds, perRequest }: { eventsPerSecond: number; seconds: number; perRequest: number },
): Promise<Quantiles> {
  const { pipeline, receiver } = deliveries;
  await receiver.take();
  const sent = await sendAtRate(pipeline, { eventsPerSecond, seconds, perRequest, eventBytes: EVENT_BYTES });
  const { receipts } = await takeAll(deliveries, sent);
  const rows = await pipeline.ask(
    `select id, (extract(epoch from stored_at) * 1000)::float as stored from ${pipeline.table} where source = $1`,
    [sent.source],
  );
  const storedAt = new Map(rows.map(({ id, stored }) => [String(id), Number(stored)]));
  return quantiles(receipts.map(([, event, at]) => at - (storedAt.get(event) ?? Number.NaN)));
}

/** @throws Error unless each event comes to each sink, once; and after half a minute without a webhook */
async function takeAll({ receiver, sinks }: Deliveries, { events }: Sent): Promise<Received> {
  const wanted = events * sinks.size;
  let before = -1;
  for (let lastProgress = Date.now(); ; await delay(POLL_MS)) {
    const count = await receiver.count();
    if (count > before) lastProgress = Date.now();
    before = count;
    if (count >= wanted) break;
    if (Date.now() - lastProgress > STALLED_MS) throw new Error(`Only ${count} of ${wanted} webhooks came.`);
  }
  const received = await receiver.take();
  const { length } = received.receipts;
  const different = new Set(received.receipts.map(([sink, event]) => `${sink} ${event}`)).size;
  if (length !== wanted || different !== wanted)
    throw new Error(`Of ${wanted} deliveries ${different} came, by ${length} webhooks.`);
  return received;
}

const POLL_MS = 50;
const STALLED_MS = 30_000;
