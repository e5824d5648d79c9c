import type { SQSRecord } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createObservability } from "../../functions/adapters/lambda/observability.ts";
import { toReceivedDeadLetter } from "../../functions/adapters/lambda/received-message.ts";
import { batchHandler } from "../../functions/adapters/lambda/sqs-batch-handler.ts";
import type { DeadLetterStore } from "../../functions/core/dead-letter-table.ts";
import { DRAIN_BATCH_MESSAGES, DRAIN_TIMEOUT_SECONDS } from "../../functions/core/function-limits.ts";
import { DEAD_LETTER_RETENTION_DAYS, DEAD_LETTER_VISIBILITY_SECONDS } from "../../functions/core/queue-limits.ts";
import { createDrain } from "../../functions/drain/drain.ts";
import { memoryDeadLetterTable } from "../support/memory-dead-letters.ts";
import { memoryReceivedDeadLetters } from "../support/memory-received-messages.ts";
import { simulateQueue } from "../support/simulated-queue.ts";
import { contextOf } from "../support/sqs-records.ts";
import { body, NOW } from "../unit/drain/support.ts";

/** Virtual time. */
const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => void vi.useRealTimers());

/** The real handler of drain over a simulated dead-letter queue and a table in memory. */
function start({
  killAt = () => false,
  losesDeletions = false,
}: {
  killAt?: (place: string) => boolean;
  losesDeletions?: boolean;
} = {}) {
  const random = seeded(7);
  const queue = simulateQueue(random, {
    retentionDays: DEAD_LETTER_RETENTION_DAYS,
    visibilitySeconds: DEAD_LETTER_VISIBILITY_SECONDS,
    maxReceiveCount: Number.POSITIVE_INFINITY,
  });
  const table = memoryDeadLetterTable();
  let kill: () => void = () => undefined;
  const reach = (place: string): Promise<void> => {
    if (!killAt(place)) return Promise.resolve();
    kill();
    return new Promise(() => undefined);
  };
  const store: DeadLetterStore = {
    ...table.store,
    async record(deadLetters, deadline) {
      await reach("beforeRecord");
      const outcome = await table.store.record(deadLetters, deadline);
      await reach("afterRecord");
      return outcome;
    },
  };
  const messages = memoryReceivedDeadLetters(
    losesDeletions ? { ...queue, delete: (receipt) => void (random() < 0.5 && queue.delete(receipt)) } : queue,
  );
  const rule = createDrain({
    store,
    queue: {
      ...messages,
      async requeue(...given) {
        const requeued = await messages.requeue(...given);
        await reach("afterRequeue");
        return requeued;
      },
    },
    clock: () => new Date(),
    random,
  });
  const observability = {
    ...createObservability("drain", { STAGE: "test", METRICS_NAMESPACE: "Sluice", LOG_LEVEL: "ERROR" as const }),
    metrics: { addMetric() {}, take: () => undefined, publish() {} },
  };
  const handler = batchHandler({ rule, read: toReceivedDeadLetter, observability });

  async function invoke(records: SQSRecord[]): Promise<void> {
    const killed = new Promise<"killed">((resolve) => {
      kill = () => resolve("killed");
    });
    const answered = handler({ Records: records }, contextOf(DRAIN_TIMEOUT_SECONDS)).catch(() => "failed" as const);
    const answer = await Promise.race([answered, killed]);
    if (typeof answer === "string" || killAt("beforeAnswer")) return;
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { messageId, receiptHandle } of records) if (!failed.has(messageId)) queue.delete(receiptHandle);
  }

  return {
    queue,
    table,
    /** Polls until a moment, or until the queue is empty. */
    async run(untilMs: number, everyMs: number): Promise<void> {
      while (Date.now() < NOW + untilMs && queue.size() > 0) {
        const records = queue.receive(DRAIN_BATCH_MESSAGES);
        if (records.length > 0) await invoke(records);
        vi.setSystemTime(Date.now() + everyMs);
      }
    },
  };
}

/** Dead letters of the consumer, a message of two events that SQS moved, and texts of anybody. */
function sendAll({ queue }: ReturnType<typeof start>): string[] {
  const facts = { reason: "not_storable", sqlState: "22P05", tenant: "acme", attempts: "1", replays: "0" };
  for (let i = 0; i < 20; i++)
    queue.send({ body: body([{ id: `refused-${i}` }]), attributes: { ...facts, detail: `no ${i}` } });
  queue.send({ body: body([{ id: "moved-1" }, { id: "moved-2" }]), attributes: { earlierAttempts: "12" } });
  queue.send({ body: "no envelope" });
  queue.send({ body: "no envelope" });
  const row = { deadLetterId: `dl_${"7".repeat(32)}`, replays: "2" };
  const all = { type: "com.example.order", source: "/shop", eventId: "replayed", detail: "no" };
  queue.send({ body: body([{ id: "replayed" }]), attributes: { ...facts, ...all, ...row } });
  const refused = Array.from({ length: 20 }, (_, i) => `refused-${i}`);
  return [...refused, "moved-1", "moved-2", "null", "null", "replayed"].toSorted();
}

const recorded = ({ table }: ReturnType<typeof start>) =>
  table
    .rows()
    .map(({ eventId }) => String(eventId))
    .toSorted();

describe("an outage of the database of twenty days", () => {
  it.each([false, true])(
    "an outage of twenty days, longer than SQS keeps a dead letter, loses none and doubles none (half of the deletions are lost: %s)",
    async (losesDeletions) => {
      const simulation = start({ losesDeletions });
      const sent = sendAll(simulation);
      simulation.table.setDown(true);

      await simulation.run(20 * DAY_MS, 5 * MINUTE_MS);
      expect(simulation.queue.expired).toEqual([]);
      expect(recorded(simulation)).toEqual([]);
      simulation.table.setDown(false);
      await simulation.run(40 * DAY_MS, 5 * MINUTE_MS);

      expect(recorded(simulation)).toEqual(sent);
      expect(simulation.queue.expired).toEqual([]);
      expect(simulation.queue.size()).toBe(0);
      const first = simulation.table.rows().find(({ eventId }) => eventId === "refused-3");
      expect(first).toMatchObject({ reason: "not_storable", sqlState: "22P05", message: "no 3", attempts: 1 });
      const again = simulation.table.rows().find(({ eventId }) => eventId === "replayed");
      expect(again).toMatchObject({ id: `dl_${"7".repeat(32)}`, replays: 2, message: "no" });
    },
  );
});

describe("drain that is killed", () => {
  it.each(["beforeRecord", "afterRecord", "beforeAnswer"])(
    "drain that is killed %s each time for fifteen days loses no dead letter and doubles none",
    async (place) => {
      let isDeadly = true;
      const simulation = start({ killAt: (reached) => isDeadly && reached === place });
      const sent = sendAll(simulation);

      await simulation.run(15 * DAY_MS, 10 * MINUTE_MS);
      expect(simulation.queue.expired).toEqual([]);
      expect(simulation.queue.size()).toBeGreaterThan(0);
      isDeadly = false;
      await simulation.run(30 * DAY_MS, MINUTE_MS);

      expect(recorded(simulation)).toEqual(sent);
      expect(simulation.queue.size()).toBe(0);
    },
  );

  it("drain that is killed after it has requeued messages loses none and doubles none", async () => {
    let kills = 0;
    const simulation = start({ killAt: (reached) => reached === "afterRequeue" && (kills += 1) < 4 });
    const sent = sendAll(simulation);
    simulation.table.setDown(true);
    await simulation.run(10 * DAY_MS, 10 * MINUTE_MS);
    simulation.table.setDown(false);

    await simulation.run(30 * DAY_MS, MINUTE_MS);

    expect(kills).toBeGreaterThan(0);
    expect(recorded(simulation)).toEqual(sent);
    expect(simulation.queue.expired).toEqual([]);
  });
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
