import type { SQSRecord } from "aws-lambda";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createObservability } from "../../../functions/adapters/lambda/observability.ts";
import { sqsBatchHandler } from "../../../functions/adapters/lambda/sqs-batch-handler.ts";
import type { BatchResult, QueueMessage } from "../../../functions/core/batch.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import {
  CONFLICTS_MAX_NAMED,
  CONSUME_TIMEOUT_SECONDS,
  MAX_RECEIVE_COUNT,
  QUEUE_VISIBILITY_SECONDS,
  RETURNED_MAX_TURNS,
} from "../../../functions/core/limits.ts";
import { contextOf, record, SENT_AT } from "./sqs-records.ts";

beforeEach(() => void vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "true"));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const outage = () => new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "gone" });
const ids = (messages: readonly QueueMessage[]) => messages.map(({ messageId }) => messageId);

/** These numbers, then zeros. */
const drawing = (numbers: number[]) => () => numbers.shift() ?? 0;

type Rule = (messages: QueueMessage[]) => Partial<Omit<BatchResult, "failed">> & { failed?: string[] };

/** The chain with a rule and ports that write down what they are asked, in order. */
function chain(
  options: {
    rule?: Rule;
    unconfirmed?: string[];
    broken?: "postpone" | "renew" | "acknowledge";
    random?: () => number;
  } = {},
) {
  const asked = {
    rule: [] as string[][],
    deadlines: [] as number[],
    /** The seconds each was last hidden for. */
    hidden: {} as Record<string, number>,
    renewed: [] as string[],
    acknowledged: [] as string[],
    steps: [] as string[],
  };
  const port = (name: "postpone" | "renew" | "acknowledge") => {
    if (options.broken === name) throw new Error(`${name} is broken`);
  };
  const named = (receiptHandle: string) => receiptHandle.replace("receipt of ", "");
  const observability = createObservability("consume", {
    STAGE: "test",
    METRICS_NAMESPACE: "Sluice",
    LOG_LEVEL: "ERROR",
  });
  const addMetric = vi.spyOn(observability.metrics, "addMetric").mockReturnValue();
  const logged = vi.spyOn(observability.logger, "info");
  const handler = sqsBatchHandler({
    rule: async (messages, deadline) => {
      asked.rule.push(ids(messages));
      asked.deadlines.push(deadline);
      asked.steps.push(`rule ${ids(messages).join()}`);
      const { failed = [], ...result } = options.rule?.(messages) ?? {};
      const again = messages.filter(({ messageId }) => failed.includes(messageId));
      return { failure: undefined, metrics: {}, ...result, failed: again };
    },
    postpone: async (messages) => {
      port("postpone");
      for (const { receiptHandle, seconds } of messages) asked.hidden[named(receiptHandle)] = seconds;
      if (messages.length > 0) asked.steps.push(`hide ${messages.map((m) => named(m.receiptHandle)).join()}`);
    },
    renew: async (messages) => {
      port("renew");
      const confirmed = messages.filter(({ messageId }) => !options.unconfirmed?.includes(messageId));
      for (const { messageId, seconds } of confirmed) asked.renewed.push(`${messageId} ${seconds}`);
      return new Set(ids(confirmed));
    },
    acknowledge: async (messages) => {
      port("acknowledge");
      const done = messages.map(({ receiptHandle }) => named(receiptHandle));
      asked.acknowledged.push(...done);
      asked.steps.push(`acknowledge ${done.join()}`);
      return true;
    },
    backoffSeconds: (attempts) => attempts * 10,
    visibilitySeconds: QUEUE_VISIBILITY_SECONDS,
    random: options.random ?? (() => 0.5),
    observability,
  });
  const invoke = async (records: SQSRecord[], seconds = CONSUME_TIMEOUT_SECONDS) => {
    const answer = await handler({ Records: records }, contextOf(seconds));
    return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  return { ...asked, invoke, metrics: () => Object.fromEntries(addMetric.mock.calls.map((c) => [c[0], c[2]])), logged };
}

describe("a message that failed", () => {
  const failing: Rule = () => ({ failed: ["m1"], failure: outage() });

  it("comes back by its visibility in the first four attempts, with backoff", async () => {
    const consumer = chain({ rule: failing });

    expect(await consumer.invoke([record("m1", { receiveCount: 4 })])).toEqual(["m1"]);

    expect(consumer).toMatchObject({ hidden: { m1: 40 }, renewed: [] });
  });

  it("goes back as a new one from the fifth attempt on, and is done with", async () => {
    const consumer = chain({ rule: failing });

    expect(await consumer.invoke([record("m1", { receiveCount: 5 })])).toEqual([]);

    expect(consumer.renewed).toEqual(["m1 50"]);
  });

  it("goes back as a new one each time when it is a copy, whose earlier attempts count", async () => {
    const consumer = chain({ rule: failing });

    expect(await consumer.invoke([record("m1", { receiveCount: 1, attributes: { failures: "5" } })])).toEqual([]);

    expect(consumer).toMatchObject({ hidden: {}, renewed: ["m1 60"] });
  });

  it("is postponed when SQS did not confirm its copy", async () => {
    const consumer = chain({ rule: failing, unconfirmed: ["m1"] });

    expect(await consumer.invoke([record("m1", { receiveCount: 7 })])).toEqual(["m1"]);

    expect(consumer).toMatchObject({ hidden: { m1: 70 }, renewed: [] });
  });

  it("is told by the age of the oldest, which is 0 when none failed", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: SENT_AT + 60_000 });
    const consumer = chain({ rule: failing });
    const old = { failures: "9", sentAt: String(SENT_AT - 3_540_000) };

    await consumer.invoke([record("m2"), record("m1", { attributes: old })]);
    expect(consumer.metrics()).toMatchObject({ OldestFailedAgeSeconds: 3_600, MessagesFailed: 1 });

    await consumer.invoke([record("m2")]);
    expect(consumer.metrics()).toMatchObject({ OldestFailedAgeSeconds: 0, MessagesFailed: 0 });
  });
});

describe("a rule that throws", () => {
  const throwing: Rule = () => {
    throw new TypeError("a bug");
  };

  it("fails the invocation, and its messages are postponed, never renewed", async () => {
    const consumer = chain({ rule: throwing });

    await expect(consumer.invoke([record("m1"), record("m2", { attributes: { failures: "2" } })])).rejects.toThrow(
      "a bug",
    );

    expect(consumer).toMatchObject({ hidden: { m1: 10, m2: 30 }, renewed: [], acknowledged: [] });
  });

  it("leaves messages hidden for the visibility timeout from the fifth attempt on", async () => {
    const consumer = chain({ rule: throwing });

    const copy = record("m2", { attributes: { failures: "4" } });
    await expect(consumer.invoke([record("m1", { receiveCount: 5 }), copy])).rejects.toThrow("a bug");

    expect(consumer).toMatchObject({ hidden: { m1: QUEUE_VISIBILITY_SECONDS }, renewed: [] });
    expect(consumer.hidden).not.toHaveProperty("m2");
  });

  it("on one turn fails the invocation, but the others are done and gone, or failed as ever", async () => {
    const rule: Rule = (messages) => {
      if (ids(messages).includes("m2")) throw new TypeError("a bug");
      return { failed: ["m3"] };
    };
    const consumer = chain({ rule, random: () => 0.25 });
    const returned = ["m2", "m3", "m4"].map((id) => record(id, { receiveCount: 2, attributes: { failures: "9" } }));

    await expect(consumer.invoke([record("m1"), ...returned])).rejects.toThrow("a bug");

    expect(consumer).toMatchObject({ renewed: ["m3 110"], acknowledged: ["m1", "m4"] });
  });
});

describe("messages that came back", () => {
  it("are taken after the new ones, one by one, what is done gone before the next is begun", async () => {
    const consumer = chain({ rule: () => ({ failed: ["m2"] }) });

    await consumer.invoke([
      record("m3", { receiveCount: 2 }),
      record("m1"),
      record("m2"),
      record("m4", { receiveCount: 9 }),
    ]);

    expect(consumer.steps).toEqual([
      "hide m3,m4",
      "rule m1,m2",
      "acknowledge m1",
      "rule m3",
      "acknowledge m3",
      "rule m4",
      "acknowledge m4",
      "hide m2",
    ]);
  });

  it("are hidden for times apart before any is begun, so that they come back one by one if the function dies", async () => {
    const consumer = chain({
      rule: () => ({ failed: [] }),
      random: drawing([0, 0.25, 0.999]),
    });

    await consumer.invoke(["m1", "m2", "m3"].map((id) => record(id, { receiveCount: 2 })));

    expect(consumer.steps[0]).toBe("hide m1,m2,m3");
    expect(consumer.hidden).toEqual({ m1: 185, m2: 278, m3: 555 });
    expect(Math.min(...Object.values(consumer.hidden))).toBeGreaterThan(CONSUME_TIMEOUT_SECONDS);
  });

  it("are taken in at most ten turns, however many they are", async () => {
    const consumer = chain();
    const many = Array.from({ length: 999 }, (_, i) => record(`m${i}`, { receiveCount: 2 }));

    expect(await consumer.invoke(many)).toEqual([]);

    expect(consumer.rule).toHaveLength(RETURNED_MAX_TURNS);
    expect(consumer.rule.flat().toSorted()).toEqual(many.map(({ messageId }) => messageId).toSorted());
  });

  it("come in random order", async () => {
    const consumer = chain({ random: drawing([0, 0, 0, 0.9, 0.1, 0.5]) });

    await consumer.invoke(["m1", "m2", "m3"].map((id) => record(id, { receiveCount: 2 })));

    expect(consumer.rule).toEqual([["m2"], ["m3"], ["m1"]]);
  });

  it("go before the new ones in some batches, so that new culprits do not keep them from being begun", async () => {
    const consumer = chain({ random: drawing([0, 0, 0.9]) });

    await consumer.invoke([record("m1"), record("m2", { receiveCount: 2 })]);

    expect(consumer.rule).toEqual([["m2"], ["m1"]]);
  });

  it("or are renewed copies stay out of the turn of the new ones, and fail none of it", async () => {
    const rule: Rule = (messages) => {
      const failed = ids(messages).filter((id) => id === "m2");
      return { failed, failure: failed.length > 0 ? outage() : undefined };
    };
    const consumer = chain({ rule, random: drawing([0, 0.9]) });

    expect(await consumer.invoke([record("m1"), record("m2", { attributes: { failures: "4" } })])).toEqual([]);

    expect(consumer).toMatchObject({ rule: [["m2"], ["m1"]], renewed: ["m2 50"], acknowledged: ["m1"] });
  });

  it("are not begun while nothing can be stored, and fail", async () => {
    const consumer = chain({
      rule: (messages) => ({ failed: ids(messages), failure: outage() }),
      random: drawing([0.5, 0.5, 0.1, 0.2, 0.1]),
    });

    const failed = await consumer.invoke([
      record("m1"),
      record("m2", { receiveCount: 3 }),
      record("m3", { receiveCount: 9 }),
    ]);

    expect(consumer.rule).toEqual([["m1"]]);
    expect(failed).toEqual(["m1", "m2"]);
    expect(consumer).toMatchObject({ hidden: { m1: 10, m2: 30 }, renewed: ["m3 90"], acknowledged: [] });
  });

  it("are not begun without the time to finish them, and fail", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: SENT_AT });
    const consumer = chain({
      rule: () => {
        vi.setSystemTime(Date.now() + 51_000);
        return {};
      },
    });

    expect(await consumer.invoke([record("m1"), record("m2", { receiveCount: 2 })])).toEqual(["m2"]);

    expect(consumer.rule).toEqual([["m1"]]);
  });

  it("are handed to the rule once where SQS handed them out twice, and answered by the later receipt", async () => {
    const consumer = chain({ rule: () => ({ failed: ["m1"] }) });

    const twice = [
      record("m1", { receiptHandle: "receipt of early" }),
      record("m1", { receiptHandle: "receipt of late" }),
    ];

    expect(await consumer.invoke(twice)).toEqual(["m1"]);
    expect(consumer).toMatchObject({ rule: [["m1"]], hidden: { late: 10 } });
  });
});

describe("the log line", () => {
  it("adds up the turns, and names the events that conflict, the first twenty of them", async () => {
    const rule: Rule = (messages) => ({
      metrics: { EventsStored: messages.length },
      conflicts: messages.map(({ messageId }) => ({ tenant: "t", source: "/s", id: messageId })),
    });
    const consumer = chain({ rule });
    const records = Array.from({ length: 30 }, (_, i) => record(`m${i}`, { receiveCount: i < 5 ? 1 : 2 }));

    await consumer.invoke(records);

    const named = Array.from({ length: CONFLICTS_MAX_NAMED }, () => ({
      tenant: "t",
      source: "/s",
      eventId: expect.any(String),
    }));
    expect(consumer.logged).toHaveBeenCalledExactlyOnceWith(
      "batch",
      expect.objectContaining({ messages: 30, failedMessages: 0, EventsStored: 30, conflicts: named }),
    );
    expect(consumer.metrics()).toMatchObject({ EventsStored: 30 });
  });

  it("has no list of conflicts where there are none", async () => {
    const consumer = chain();

    await consumer.invoke([record("m1")]);

    expect(consumer.logged.mock.calls[0]?.[1]).not.toHaveProperty("conflicts");
  });
});

describe("the deadline of the rule", () => {
  // A timer of 0.8 ms is refused: once, three of four batches of a function with a short timeout failed so.
  it("is a whole millisecond and leaves time for what follows, whatever remains", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 8_000, max: 900_000 }), async (remaining) => {
        vi.useFakeTimers({ now: SENT_AT, toFake: ["Date"] });
        const consumer = chain();

        await consumer.invoke([record("m1")], remaining / 1_000);

        const [deadline = Number.NaN] = consumer.deadlines;
        expect(Number.isSafeInteger(deadline)).toBe(true);
        expect(deadline).toBeLessThan(SENT_AT + remaining);
      }),
    );
  });
});

describe("the answer", () => {
  it.each(["postpone", "renew", "acknowledge"] as const)("is an error when %s is broken", async (broken) => {
    const consumer = chain({ broken, rule: () => ({ failed: ["m1"] }) });

    await expect(consumer.invoke([record("m1", { receiveCount: 5 }), record("m2")])).rejects.toThrow("is broken");
  });

  it("never takes a message for done that is not, whatever happens", async () => {
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
        const consumer = chain({
          rule: (messages) => {
            const some = (outcome: string) => ids(messages).filter((id) => of(outcome).includes(id));
            if (some("throws").length > 0) {
              for (const id of ids(messages)) broken.add(id);
              throw new TypeError("a bug");
            }
            const away = some("outage");
            const failed = away.length > 0 ? ids(messages) : some("fails");
            for (const id of ids(messages)) if (!failed.includes(id)) done.add(id);
            return { failed, failure: away.length > 0 ? outage() : undefined };
          },
          unconfirmed: fates.flatMap(({ isConfirmed }, i) => (isConfirmed ? [] : [`m${i}`])),
        });
        const records = fates.map(({ receiveCount, failures }, i) =>
          record(`m${i}`, { receiveCount, attributes: { failures: String(failures) } }),
        );

        const failed = await consumer.invoke(records).catch(() => undefined);

        const renewed = consumer.renewed.map((text) => text.split(" ")[0] ?? "");
        const all = records.map(({ messageId }) => messageId).toSorted();
        expect([...new Set(consumer.acknowledged)].every((id) => done.has(id))).toBe(true);
        expect(renewed.some((id) => done.has(id) || broken.has(id))).toBe(false);
        // An answer sorts every message into one of three; an error leaves all to SQS but those that are gone by right.
        if (failed === undefined) expect(broken.size).toBeGreaterThan(0);
        else expect([...failed, ...renewed, ...done].toSorted()).toEqual(all);
      }),
      { numRuns: 300 },
    );
  });
});
