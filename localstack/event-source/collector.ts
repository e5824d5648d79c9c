import type { Message } from "@aws-sdk/client-sqs";
import { setTimeout as delay } from "node:timers/promises";
import { backoffMilliseconds } from "./backoff.ts";
import type { Batch } from "./batch.ts";
import type { QueueClient } from "./queue-client.ts";

/** SQS's longest poll; a stop aborts it. */
const LONG_POLL_SECONDS = 20;
const PAUSE_MILLISECONDS = 50;
const MILLISECONDS_PER_SECOND = 1000;

export type Collector = {
  /** The next closed batch; undefined once `stopping` fires, with all collected messages made visible again. */
  next: () => Promise<Batch | undefined>;
};

/**
 * Fills one batch at a time. A batch closes when it is full, when its window since the first message is over, or when the
 * next message would make the payload too large; that message opens the next batch. A window of 0 closes the batch after
 * one receive. While SQS cannot be reached the collector waits; a batch that has messages by then is closed.
 */
export function createCollector(options: {
  queue: Pick<QueueClient, "receive" | "release">;
  newBatch: () => Batch;
  windowSeconds: number;
  /** No receive starts once this fires … */
  stopping: AbortSignal;
  /** … and a running receive is aborted once this fires. */
  hangUp: AbortSignal;
  log: (line: string) => void;
}): Collector {
  const { queue, newBatch, stopping, hangUp, log } = options;
  const windowMilliseconds = options.windowSeconds * MILLISECONDS_PER_SECOND;
  let carried: Message[] = [];

  /** Returns whether the batch has room for more. */
  const fill = (batch: Batch, messages: Message[]): boolean => {
    const left = messages.findIndex((message) => !batch.add(message, Date.now()));
    carried = left === -1 ? [] : messages.slice(left);
    return carried.length === 0 && !batch.isFull();
  };

  const collect = async (batch: Batch): Promise<void> => {
    let open = fill(batch, carried);
    while (open && !stopping.aborted) {
      const remaining = batch.startedAt === undefined ? Infinity : batch.startedAt + windowMilliseconds - Date.now();
      if (remaining <= 0) return;
      // A poll waits whole seconds, so in the last second of the window short polls alternate with short pauses.
      const seconds = Math.min(Math.floor(remaining / MILLISECONDS_PER_SECOND), LONG_POLL_SECONDS);
      const messages = await queue.receive(batch.room(), seconds, hangUp);
      open = fill(batch, messages);
      if (messages.length === 0 && seconds === 0) {
        await delay(Math.min(remaining, PAUSE_MILLISECONDS), undefined, { signal: stopping });
      }
    }
  };

  return {
    next: async () => {
      for (let failures = 0; ; ) {
        const batch = newBatch();
        try {
          await collect(batch);
          // A stop ends the collecting without a further receive.
          if (failures > 0 && !stopping.aborted) log("SQS answers again");
          failures = 0;
        } catch (error) {
          failures += 1;
          if (failures === 1 && !stopping.aborted) log(`SQS does not answer (${String(error)}); trying again`);
        }
        if (stopping.aborted) {
          await queue.release([...batch.messages, ...carried]);
          return undefined;
        }
        if (batch.messages.length > 0) return batch;
        if (failures > 0) {
          await delay(backoffMilliseconds(failures), undefined, { signal: stopping }).catch(() => undefined);
        }
      }
    },
  };
}
