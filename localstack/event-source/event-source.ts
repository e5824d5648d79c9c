import { setTimeout as delay } from "node:timers/promises";
import type { Invoke, InvokeResult } from "../lambda/invoke.ts";
import type { EventSourceModel } from "../template/model.ts";
import { onAbort, unlessAborted } from "../on-abort.ts";
import { backoffMilliseconds } from "./backoff.ts";
import { type Batch, createBatch } from "./batch.ts";
import { createCollector } from "./collector.ts";
import { decideOutcome } from "./outcome.ts";
import { createQueueClient } from "./queue-client.ts";
import { toRecord } from "./record.ts";

export type EventSourceOptions = {
  mapping: EventSourceModel;
  queueUrl: string;
  endpoint: string;
  region: string;
  invoke: Invoke;
  log?: (line: string) => void;
  /** The most batches at once where the mapping sets no `maximumConcurrency`. */
  pollers?: number;
};

export type EventSource = {
  /**
   * Ends the poll, makes messages visible that no function has received, and waits for the running batches. Once
   * `giveUp` fires, it waits no longer and makes the messages of the running batches visible too.
   */
  stop: (giveUp?: AbortSignal) => Promise<void>;
};

/** A response of SQS may be under way for a few milliseconds; aborting the poll sooner would leave its messages in flight. */
const HANG_UP_AFTER_MILLISECONDS = 100;

/** The result of an abandoned invocation: its messages become visible, like those of a throttled one. */
const NO_ANSWER: InvokeResult = { kind: "throttle" };

/** Lambda starts with five concurrent batches: docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const DEFAULT_POLLERS = 5;

/**
 * Lambda's event source mapping for one queue: receives messages in batches, invokes the function with each, and
 * deletes the processed ones. It never ends by itself: an unreachable queue or a failing function is tried again.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
export function startEventSource(options: EventSourceOptions): EventSource {
  const { mapping, queueUrl, endpoint, region, invoke, log = () => undefined } = options;
  const { queueArn, batchSize, windowSeconds, reportBatchItemFailures } = mapping;
  const queue = createQueueClient(queueUrl, endpoint);
  const stop = new AbortController();
  const stopping = stop.signal;
  const hangUp = new AbortController();
  const giveUp = new AbortController();
  const newBatch = () => createBatch(batchSize, (message) => toRecord(message, { queueArn, region }));
  const collector = createCollector({ queue, newBatch, windowSeconds, stopping, hangUp: hangUp.signal, log });
  const most = mapping.maximumConcurrency ?? options.pollers ?? DEFAULT_POLLERS;
  const running = new Set<Promise<void>>();

  const deliver = async (batch: Batch): Promise<void> => {
    const ids = batch.messages.map(({ MessageId: id = "" }) => id);
    const outcome = decideOutcome(await invokeUnthrottled(batch), ids, reportBatchItemFailures);
    if (outcome.kind === "retry-invoke") return;
    if (outcome.reason !== undefined) log(`${ids.length} messages will be tried again: ${outcome.reason}`);
    const deleted = new Set(outcome.deleted);
    const left = await queue.remove(
      batch.messages.filter(({ MessageId: id = "" }) => deleted.has(id)),
      stopping,
    );
    if (left > 0) log(`${left} processed messages could not be deleted and will be delivered again`);
  };

  /** A throttled batch is tried again until its messages are about to become visible to others. */
  const invokeUnthrottled = async (batch: Batch): Promise<InvokeResult> => {
    let visibility: number | undefined;
    for (let failures = 1; ; failures += 1) {
      const invocation = invoke(batch.payload()).catch(
        (error: unknown): InvokeResult => ({ kind: "crash", detail: String(error) }),
      );
      const result = await unlessAborted(invocation, giveUp.signal, NO_ANSWER);
      if (result.kind !== "throttle") return result;
      if (stopping.aborted) break;
      visibility ??= await queue.visibilityMilliseconds().catch(() => undefined);
      const pause = backoffMilliseconds(failures);
      if (visibility !== undefined && Date.now() + pause >= (batch.startedAt ?? 0) + visibility) {
        log(`${batch.messages.length} messages are released: no capacity before their visibility timeout`);
        return result;
      }
      await delay(pause, undefined, { signal: stopping }).catch(() => undefined);
    }
    await queue.release(batch.messages);
    return { kind: "throttle" };
  };

  const poll = async (): Promise<void> => {
    while (!stopping.aborted) {
      const batch = await collector.next();
      if (batch === undefined) return;
      const delivery = deliver(batch).finally(() => running.delete(delivery));
      running.add(delivery);
      // Receive no more than can be invoked: a waiting message uses up its visibility timeout.
      if (running.size >= most) await Promise.race(running);
    }
  };
  const polling = poll();

  return {
    stop: async (signal) => {
      stop.abort();
      if (signal !== undefined) onAbort(signal, () => giveUp.abort());
      const timer = setTimeout(() => hangUp.abort(), HANG_UP_AFTER_MILLISECONDS);
      await polling;
      clearTimeout(timer);
      await Promise.all(running);
      queue.close();
    },
  };
}
