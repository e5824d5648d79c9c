import type { SQSRecord } from "aws-lambda";
import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createObservability } from "../../../functions/adapters/lambda/observability.ts";
import { sqsBatchHandler } from "../../../functions/adapters/lambda/sqs-batch-handler.ts";
import { backoffSeconds } from "../../../functions/core/backoff.ts";
import { createConsume } from "../../../functions/consume/consume.ts";
import type { StoreResult } from "../../../functions/consume/store-messages.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import { CONFLICTS_MAX_NAMED, ISOLATION_MAX_GROUPS } from "../../../functions/consume/limits.ts";
import { CONSUME_TIMEOUT_SECONDS } from "../../../functions/core/function-limits.ts";
import { MAX_RECEIVE_COUNT, QUEUE_VISIBILITY_SECONDS } from "../../../functions/core/queue-limits.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { memoryReceivedMessages } from "../../support/memory-received-messages.ts";
import { simulateQueue } from "../../support/simulated-queue.ts";
import { contextOf, record, SENT_AT } from "../../support/sqs-records.ts";

afterEach(() => void vi.useRealTimers());

const outage = () => new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "down" });
const ids = (messages: readonly ReceivedMessage[]) => messages.map(({ messageId }) => messageId);

/** The backoff of an attempt, drawn from the middle. */
const backoff = (attempt: number) => backoffSeconds(attempt, 0.5);

/** Draws these numbers, then zeros. */
const drawing = (numbers: number[]) => () => numbers.shift() ?? 0;

type Storing = (messages: ReceivedMessage[]) => Partial<Omit<StoreResult, "failed">> & { failed?: string[] };

/** The consumer with a faked store and a queue in memory, whose calls are recorded in order. */
function createConsumer(
  options: {
    storing?: Storing;
    unconfirmed?: string[];
    broken?: "changeVisibility" | "requeue" | "delete";
    random?: () => number;
  } = {},
) {
  const calls = {
    groups: [] as string[][],
    deadlines: [] as number[],
    /** The last visibility timeout of each message, in seconds. */
    visibility: {} as Record<string, number>,
    requeued: [] as string[],
    deleted: [] as string[],
    steps: [] as string[],
  };
  const port = (name: "changeVisibility" | "requeue" | "delete") => {
    if (options.broken === name) throw new Error(`${name} is broken`);
  };
  const queue = memoryReceivedMessages(simulateQueue(Math.random), {
    refuse: ({ messageId }) => options.unconfirmed?.includes(messageId) ?? false,
  });
  const named = (receiptHandle: string) => receiptHandle.replace("receipt of ", "");
  const observability = createObservability("consume", {
    STAGE: "test",
    METRICS_NAMESPACE: "Sluice",
    LOG_LEVEL: "ERROR",
  });
  const addMetric = vi.spyOn(observability.metrics, "addMetric").mockReturnValue();
  vi.spyOn(observability.logger, "isWritten").mockReturnValue(true);
  const logged = vi.spyOn(observability.logger, "write").mockReturnValue();
  const rule = createConsume({
    storeMessages: async (messages, deadline) => {
      calls.groups.push(ids(messages));
      calls.deadlines.push(deadline);
      calls.steps.push(`store ${ids(messages).join()}`);
      const { failed = [], ...result } = options.storing?.(messages) ?? {};
      return {
        failure: undefined,
        conflicts: [],
        metrics: {},
        ...result,
        failed: messages.filter(({ messageId }) => failed.includes(messageId)),
      };
    },
    queue: {
      async changeVisibility(messages, deadline) {
        port("changeVisibility");
        await queue.changeVisibility(messages, deadline);
        for (const { receiptHandle, seconds } of messages) calls.visibility[named(receiptHandle)] = seconds;
        if (messages.length > 0) calls.steps.push(`delay ${messages.map((m) => named(m.receiptHandle)).join()}`);
      },
      async requeue(messages, deadline) {
        port("requeue");
        const requeued = await queue.requeue(messages, deadline);
        const confirmed = messages.filter(({ messageId }) => requeued.has(messageId));
        calls.requeued.push(...confirmed.map(({ messageId, seconds }) => `${messageId} ${seconds}`));
        return requeued;
      },
      async delete(messages, deadline) {
        port("delete");
        const names = messages.map(({ receiptHandle }) => named(receiptHandle));
        calls.deleted.push(...names);
        calls.steps.push(`delete ${names.join()}`);
        return queue.delete(messages, deadline);
      },
    },
    clock: () => new Date(),
    visibilitySeconds: QUEUE_VISIBILITY_SECONDS,
    random: options.random ?? (() => 0.5),
  });
  const handler = sqsBatchHandler({ rule, observability });
  const invoke = async (records: SQSRecord[], seconds = CONSUME_TIMEOUT_SECONDS) => {
    const response = await handler({ Records: records }, contextOf(seconds));
    return response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  return { ...calls, invoke, metrics: () => Object.fromEntries(addMetric.mock.calls.map((c) => [c[0], c[2]])), logged };
}

describe("a failed message", () => {
  const failing: Storing = () => ({ failed: ["m1"], failure: outage() });

  it("a failed message is delivered again after its backoff by its visibility timeout in the first four attempts", async () => {
    const consumer = createConsumer({ storing: failing });

    expect(await consumer.invoke([record("m1", { receiveCount: 4 })])).toEqual(["m1"]);

    expect(consumer).toMatchObject({ visibility: { m1: backoff(4) }, requeued: [] });
  });

  it("a failed message is requeued from the fifth attempt on, and the old message is done", async () => {
    const consumer = createConsumer({ storing: failing });

    expect(await consumer.invoke([record("m1", { receiveCount: 5 })])).toEqual([]);

    expect(consumer.requeued).toEqual([`m1 ${backoff(5)}`]);
  });

  it("a failed message is requeued each time when it is a copy, because the attempts before the copy count", async () => {
    const consumer = createConsumer({ storing: failing });

    expect(await consumer.invoke([record("m1", { receiveCount: 1, attributes: { earlierAttempts: "5" } })])).toEqual(
      [],
    );

    expect(consumer).toMatchObject({ visibility: {}, requeued: [`m1 ${backoff(6)}`] });
  });

  it("a failed message stays in the queue with a backoff when SQS did not confirm its copy", async () => {
    const consumer = createConsumer({ storing: failing, unconfirmed: ["m1"] });

    expect(await consumer.invoke([record("m1", { receiveCount: 7 })])).toEqual(["m1"]);

    expect(consumer).toMatchObject({ visibility: { m1: backoff(7) }, requeued: [] });
  });

  it("the failed messages are reported by the age of the oldest, which is 0 when none failed", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: SENT_AT + 60_000 });
    const consumer = createConsumer({ storing: failing });
    const old = { earlierAttempts: "9", firstSentAt: String(SENT_AT - 3_540_000) };

    await consumer.invoke([record("m2"), record("m1", { attributes: old })]);
    expect(consumer.metrics()).toMatchObject({ OldestFailedAgeSeconds: 3_600, MessagesFailed: 1 });

    await consumer.invoke([record("m2")]);
    expect(consumer.metrics()).toMatchObject({ OldestFailedAgeSeconds: 0, MessagesFailed: 0 });
  });
});

describe("the lag of a batch", () => {
  it.each([
    ["stored", {}],
    ["failed", { failed: ["m1"], failure: outage() }],
  ])("the lag of a batch is the age of its oldest event, also where that is %s", async (_, stored) => {
    vi.useFakeTimers({ toFake: ["Date"], now: SENT_AT + 1_500 });
    const consumer = createConsumer({ storing: () => stored });
    const copy = record("m1", { attributes: { earlierAttempts: "5", firstSentAt: String(SENT_AT - 60_000) } });

    await consumer.invoke([record("m2"), copy]);
    expect(consumer.metrics()).toMatchObject({ StoreLagSeconds: 61.5 });

    await consumer.invoke([record("m2")]);
    expect(consumer.metrics()).toMatchObject({ StoreLagSeconds: 1.5 });
  });
});

describe("storing that throws", () => {
  const throwing: Storing = () => {
    throw new TypeError("a bug");
  };

  it("storing that throws fails the invocation, and its messages are delivered again with backoff and never requeued", async () => {
    const consumer = createConsumer({ storing: throwing });

    await expect(
      consumer.invoke([record("m1"), record("m2", { attributes: { earlierAttempts: "2" } })]),
    ).rejects.toThrow("a bug");

    expect(consumer).toMatchObject({ visibility: { m1: backoff(1), m2: backoff(3) }, requeued: [], deleted: [] });
  });

  it("storing that throws leaves messages to the queue's visibility timeout from the fifth attempt on", async () => {
    const consumer = createConsumer({ storing: throwing });

    const copy = record("m2", { attributes: { earlierAttempts: "4" } });
    await expect(consumer.invoke([record("m1", { receiveCount: 5 }), copy])).rejects.toThrow("a bug");

    expect(consumer).toMatchObject({ visibility: { m1: QUEUE_VISIBILITY_SECONDS }, requeued: [] });
    expect(consumer.visibility).not.toHaveProperty("m2");
  });

  it("storing that throws in one isolation group fails the invocation, while the other groups are deleted or fail as usual", async () => {
    const storing: Storing = (messages) => {
      if (ids(messages).includes("m2")) throw new TypeError("a bug");
      return { failed: ["m3"] };
    };
    const consumer = createConsumer({ storing, random: () => 0.25 });
    const redelivered = ["m2", "m3", "m4"].map((id) =>
      record(id, { receiveCount: 2, attributes: { earlierAttempts: "9" } }),
    );

    await expect(consumer.invoke([record("m1"), ...redelivered])).rejects.toThrow("a bug");

    expect(consumer).toMatchObject({ requeued: [`m3 ${backoffSeconds(11, 0.25)}`], deleted: ["m1", "m4"] });
  });
});

describe("redelivered messages", () => {
  it("redelivered messages are stored after first deliveries, group by group, and each group is deleted before the next begins", async () => {
    const consumer = createConsumer({ storing: () => ({ failed: ["m2"] }) });

    await consumer.invoke([
      record("m3", { receiveCount: 2 }),
      record("m1"),
      record("m2"),
      record("m4", { receiveCount: 9 }),
    ]);

    expect(consumer.steps).toEqual([
      "delay m3,m4",
      "store m1,m2",
      "delete m1",
      "store m3",
      "delete m3",
      "store m4",
      "delete m4",
      "delay m2",
    ]);
  });

  it("redelivered messages get visibility timeouts apart from each other first, so that they come back apart if the function ends", async () => {
    const consumer = createConsumer({
      storing: () => ({ failed: [] }),
      random: drawing([0, 0.25, 0.999]),
    });

    await consumer.invoke(["m1", "m2", "m3"].map((id) => record(id, { receiveCount: 2 })));

    expect(consumer.steps[0]).toBe("delay m1,m2,m3");
    expect(consumer.visibility).toEqual({ m1: 185, m2: 278, m3: 555 });
    expect(Math.min(...Object.values(consumer.visibility))).toBeGreaterThan(CONSUME_TIMEOUT_SECONDS);
  });

  it("redelivered messages form at most ten isolation groups, however many they are", async () => {
    const consumer = createConsumer();
    const many = Array.from({ length: 999 }, (_, i) => record(`m${i}`, { receiveCount: 2 }));

    expect(await consumer.invoke(many)).toEqual([]);

    expect(consumer.groups).toHaveLength(ISOLATION_MAX_GROUPS);
    expect(consumer.groups.flat().toSorted()).toEqual(many.map(({ messageId }) => messageId).toSorted());
  });

  it("redelivered messages form groups in random order", async () => {
    const consumer = createConsumer({ random: drawing([0, 0, 0, 0.9, 0.1, 0.5]) });

    await consumer.invoke(["m1", "m2", "m3"].map((id) => record(id, { receiveCount: 2 })));

    expect(consumer.groups).toEqual([["m2"], ["m3"], ["m1"]]);
  });

  it("redelivered messages go before first deliveries in some batches, so that new poison messages do not keep them waiting", async () => {
    const consumer = createConsumer({ random: drawing([0, 0, 0.9]) });

    await consumer.invoke([record("m1"), record("m2", { receiveCount: 2 })]);

    expect(consumer.groups).toEqual([["m2"], ["m1"]]);
  });

  it("redelivered messages that are requeued copies stay out of the group of first deliveries, and fail none of it", async () => {
    const storing: Storing = (messages) => {
      const failed = ids(messages).filter((id) => id === "m2");
      return { failed, failure: failed.length > 0 ? outage() : undefined };
    };
    const consumer = createConsumer({ storing, random: drawing([0, 0.9]) });

    expect(await consumer.invoke([record("m1"), record("m2", { attributes: { earlierAttempts: "4" } })])).toEqual([]);

    expect(consumer).toMatchObject({
      groups: [["m2"], ["m1"]],
      requeued: [`m2 ${backoffSeconds(5, 0)}`],
      deleted: ["m1"],
    });
  });

  it("redelivered messages are not begun in an outage, and fail", async () => {
    const consumer = createConsumer({
      storing: (messages) => ({ failed: ids(messages), failure: outage() }),
      random: drawing([0.5, 0.5, 0.1, 0.2, 0.1]),
    });

    const failed = await consumer.invoke([
      record("m1"),
      record("m2", { receiveCount: 3 }),
      record("m3", { receiveCount: 9 }),
    ]);

    expect(consumer.groups).toEqual([["m1"]]);
    expect(failed).toEqual(["m1", "m2"]);
    expect(consumer).toMatchObject({
      visibility: { m1: backoffSeconds(1, 0), m2: backoffSeconds(3, 0) },
      requeued: [`m3 ${backoffSeconds(9, 0)}`],
      deleted: [],
    });
  });

  it("redelivered messages are not begun without the time for a chunk, and fail", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: SENT_AT });
    const consumer = createConsumer({
      storing: () => {
        vi.setSystemTime(Date.now() + 51_000);
        return {};
      },
    });

    expect(await consumer.invoke([record("m1"), record("m2", { receiveCount: 2 })])).toEqual(["m2"]);

    expect(consumer.groups).toEqual([["m1"]]);
  });

  it("messages that SQS delivered twice in a batch are stored once, and changed by the later receipt", async () => {
    const consumer = createConsumer({ storing: () => ({ failed: ["m1"] }) });

    const twice = [
      record("m1", { receiptHandle: "receipt of early" }),
      record("m1", { receiptHandle: "receipt of late" }),
    ];

    expect(await consumer.invoke(twice)).toEqual(["m1"]);
    expect(consumer).toMatchObject({ groups: [["m1"]], visibility: { late: backoff(1) } });
  });
});

describe("the log line of a batch", () => {
  it("the log line of a batch adds up the isolation groups, and names the first twenty events that conflict", async () => {
    const storing: Storing = (messages) => ({
      metrics: { EventsStored: messages.length },
      conflicts: messages.map(({ messageId }) => ({ tenant: "t", source: "/s", id: messageId })),
    });
    const consumer = createConsumer({ storing });
    const records = Array.from({ length: 30 }, (_, i) => record(`m${i}`, { receiveCount: i < 5 ? 1 : 2 }));

    await consumer.invoke(records);

    const named = Array.from({ length: CONFLICTS_MAX_NAMED }, () => ({
      tenant: "t",
      source: "/s",
      eventId: expect.any(String),
    }));
    expect(consumer.logged).toHaveBeenCalledExactlyOnceWith(
      "info",
      "batch",
      expect.objectContaining({ messages: 30, failedMessages: 0, conflicts: named }),
      undefined,
    );
    expect(consumer.metrics()).toMatchObject({ EventsStored: 30 });
  });

  it.each([
    ["stop", "wait"],
    ["wait", "stop"],
    ["stop", "retry"],
    ["retry", "stop"],
  ] as const)(
    "the log line of a batch counts a stop of one isolation group, whatever the others report (%s, then %s)",
    async (first, second) => {
      const reason = (disposition: "stop" | "wait" | "retry") =>
        new DatabaseError({ disposition, reason: disposition, detail: "" });
      const consumer = createConsumer({
        storing: (messages) => ({
          failed: ids(messages),
          failure: reason(ids(messages).includes("m2") ? first : second),
        }),
        random: drawing([0, 0, 0.9]),
      });

      await consumer.invoke([record("m1"), record("m2", { receiveCount: 2 })]);

      expect(consumer.groups).toEqual([["m2"], ["m1"]]);
      expect(consumer.metrics()).toMatchObject({ ConsumerStopped: 1 });
    },
  );

  it("the log line of a batch has no list of conflicts where there are none", async () => {
    const consumer = createConsumer();

    await consumer.invoke([record("m1")]);

    expect(consumer.logged.mock.calls[0]?.[2]).not.toHaveProperty("conflicts");
  });
});

describe("the deadline of storing", () => {
  // A timer of 0.8 ms is refused: once, three of four batches of a function with a short timeout failed for that.
  it("the deadline of storing is a whole millisecond and leaves time for what follows, whatever remains", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 8_000, max: 900_000 }), async (remaining) => {
        vi.useFakeTimers({ now: SENT_AT, toFake: ["Date"] });
        const consumer = createConsumer();

        await consumer.invoke([record("m1")], remaining / 1_000);

        const [deadline = Number.NaN] = consumer.deadlines;
        expect(Number.isSafeInteger(deadline)).toBe(true);
        expect(deadline).toBeLessThan(SENT_AT + remaining);
      }),
    );
  });
});

describe("the partial batch response", () => {
  it.each(["changeVisibility", "requeue", "delete"] as const)(
    "the partial batch response is an error when %s throws",
    async (broken) => {
      const consumer = createConsumer({ broken, storing: () => ({ failed: ["m1"] }) });

      await expect(consumer.invoke([record("m1", { receiveCount: 5 }), record("m2")])).rejects.toThrow("is broken");
    },
  );

  it("the partial batch response never counts a message as done that is not, whatever happens", async () => {
    const fate = fc.record({
      receiveCount: fc.integer({ min: 1, max: MAX_RECEIVE_COUNT }),
      failures: fc.nat(20),
      outcome: fc.constantFrom("done", "done", "done", "fails", "throws", "outage"),
      isConfirmed: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 40 }), async (fates) => {
        const of = (wanted: string) => fates.flatMap(({ outcome }, i) => (outcome === wanted ? [`m${i}`] : []));
        const done = new Set<string>();
        const broken = new Set<string>();
        const consumer = createConsumer({
          storing: (messages) => {
            const some = (outcome: string) => ids(messages).filter((id) => of(outcome).includes(id));
            if (some("throws").length > 0) {
              for (const id of ids(messages)) broken.add(id);
              throw new TypeError("a bug");
            }
            const down = some("outage");
            const failed = down.length > 0 ? ids(messages) : some("fails");
            for (const id of ids(messages)) if (!failed.includes(id)) done.add(id);
            return { failed, failure: down.length > 0 ? outage() : undefined };
          },
          unconfirmed: fates.flatMap(({ isConfirmed }, i) => (isConfirmed ? [] : [`m${i}`])),
        });
        const records = fates.map(({ receiveCount, failures }, i) =>
          record(`m${i}`, { receiveCount, attributes: { earlierAttempts: String(failures) } }),
        );

        const failed = await consumer.invoke(records).catch(() => undefined);

        const requeued = consumer.requeued.map((text) => text.split(" ")[0] ?? "");
        const all = records.map(({ messageId }) => messageId).toSorted();
        expect([...new Set(consumer.deleted)].every((id) => done.has(id))).toBe(true);
        expect(requeued.some((id) => done.has(id) || broken.has(id))).toBe(false);
        // A response sorts every message into one of three; an error leaves all to SQS except those that were deleted.
        if (failed === undefined) expect(broken.size).toBeGreaterThan(0);
        else expect([...failed, ...requeued, ...done].toSorted()).toEqual(all);
      }),
      { numRuns: 300 },
    );
  });
});
