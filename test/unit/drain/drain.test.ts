import { describe, expect, it } from "vitest";
import { createDrain } from "../../../functions/drain/drain.ts";
import type { DeadLetterStore } from "../../../functions/core/dead-letter-table.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { ReceivedMessages } from "../../../functions/core/ports.ts";
import { DEAD_LETTER_REQUEUE_AGE_MS } from "../../../functions/core/queue-limits.ts";
import { copyAttributes, type ReceivedDeadLetter } from "../../../functions/core/queue-message.ts";
import { memoryDeadLetterTable } from "../../support/memory-dead-letters.ts";
import { body, dead, NOW } from "./support.ts";

const refusal = () => new DatabaseError({ disposition: "dead-letter", reason: "not_storable", detail: "no" });

/** Drain with a queue that notes what is done with messages. */
function setUp({ chunk = 2_000, wrap = (store: DeadLetterStore) => store, takesCopies = true, now = () => NOW } = {}) {
  const table = memoryDeadLetterTable({ chunk });
  const delayed: string[] = [];
  const requeued: string[] = [];
  const queue: ReceivedMessages<ReceivedDeadLetter> = {
    delete: async () => true,
    async changeVisibility(messages) {
      delayed.push(...messages.map(({ receiptHandle }) => receiptHandle));
    },
    async requeue(messages) {
      if (!takesCopies) return new Set();
      requeued.push(...messages.map(({ messageId }) => messageId));
      return new Set(requeued);
    },
  };
  const drain = createDrain({ store: wrap(table.store), queue, clock: () => new Date(now()), random: () => 0.5 });
  return {
    table,
    delayed,
    requeued,
    async drain(...messages: ReceivedDeadLetter[]) {
      const { remaining, ...outcome } = await drain(messages, NOW + 60_000);
      return { ...outcome, remaining: remaining.map(({ messageId }) => messageId) };
    },
  };
}

const message = (messageId: string, ids: string[], changes: Partial<ReceivedDeadLetter> = {}) =>
  dead(body(ids.map((id) => ({ id }))), { reason: "not_storable" }, { messageId, ...changes });

describe("drain", () => {
  it("records a dead letter for each event, and leaves no message in the queue", async () => {
    const { drain, table, delayed } = setUp();

    const outcome = await drain(message("m1", ["a"]), message("m2", ["b", "c"]), dead("x", {}, { messageId: "m3" }));

    expect(outcome).toMatchObject({
      remaining: [],
      level: "info",
      fields: { failedMessages: 0, requeuedMessages: 0 },
      metrics: { DeadLettersRecorded: 4, OpenDeadLetters: 4, MessagesFailed: 0, OldestFailedAgeSeconds: 0 },
    });
    expect(table.rows().map(({ eventId }) => eventId)).toEqual(["a", "b", "c", null]);
    expect(delayed).toEqual([]);
  });

  it("fails every message where the open dead letters cannot be counted, so that they are reported when it comes again", async () => {
    let isDown = true;
    const wrap = (store: DeadLetterStore) => ({
      ...store,
      countOpen: (deadline: number) =>
        isDown
          ? Promise.reject(new DatabaseError({ disposition: "retry", reason: "database_unreachable", detail: "" }))
          : store.countOpen(deadline),
    });
    const { drain, table } = setUp({ wrap });

    const failed = await drain(message("m1", ["a"]), message("m2", ["b"]));
    isDown = false;
    const again = await drain(message("m1", ["a"]), message("m2", ["b"]));

    expect(failed).toMatchObject({ remaining: ["m1", "m2"], metrics: { DeadLettersRecorded: 2, MessagesFailed: 2 } });
    expect(failed.metrics.OpenDeadLetters).toBeUndefined();
    expect(again).toMatchObject({ remaining: [], metrics: { DeadLettersRecorded: 0, OpenDeadLetters: 2 } });
    expect(table.rows()).toHaveLength(2);
  });

  it("records nothing for a second delivery, and reports the open ones: the first may have been killed before it did", async () => {
    const { drain } = setUp();
    await drain(message("m1", ["a"]));

    const { metrics, remaining } = await drain(message("m1", ["a"]));

    expect(remaining).toEqual([]);
    expect(metrics).toMatchObject({ DeadLettersRecorded: 0, OpenDeadLetters: 1 });
  });

  it("keeps every message in an outage, each with a backoff, and asks the database once", async () => {
    let calls = 0;
    const { drain, table, delayed } = setUp({
      chunk: 1,
      wrap: (store) => ({
        ...store,
        record: (...given) => {
          calls += 1;
          return store.record(...given);
        },
      }),
    });
    table.setDown(true);

    const outcome = await drain(message("m1", ["a"]), message("m2", ["b"], { sentAt: NOW - 90_000 }));

    expect(outcome).toMatchObject({
      remaining: ["m1", "m2"],
      level: "warn",
      fields: { failedMessages: 2, reason: "database_unavailable", disposition: "retry" },
      metrics: { MessagesFailed: 2, OldestFailedAgeSeconds: 90 },
    });
    expect(delayed).toEqual(["receipt of m1", "receipt of m2"]);
    expect(calls).toBe(1);
  });

  it("keeps a message of which one dead letter is not recorded, and no other", async () => {
    const { drain, table } = setUp({
      wrap: (store) => ({
        ...store,
        record: async (deadLetters, deadline) => {
          if (deadLetters.some(({ eventId }) => eventId === "bad")) throw refusal();
          return store.record(deadLetters, deadline);
        },
      }),
    });

    const outcome = await drain(message("m1", ["a", "bad", "b"]), message("m2", ["c"]), message("m3", ["d"]));

    expect(outcome).toMatchObject({ remaining: ["m1"], level: "warn", fields: { reason: "not_storable" } });
    expect(table.rows().map(({ eventId }) => eventId)).toEqual(["a", "b", "c", "d"]);
  });

  it("requeues a message of half the queue's retention first, and records the others", async () => {
    const { drain, requeued, table } = setUp();
    const old = { sentAt: NOW - DEAD_LETTER_REQUEUE_AGE_MS };

    const outcome = await drain(message("old", ["a"], old), message("young", ["b"], { sentAt: old.sentAt + 1 }));

    expect(requeued).toEqual(["old"]);
    expect(outcome).toMatchObject({
      remaining: [],
      fields: { requeuedMessages: 1 },
      metrics: { DeadLettersRecorded: 1 },
    });
    expect(table.rows().map(({ eventId }) => eventId)).toEqual(["b"]);
  });

  it("records an old message that the queue does not take as a copy", async () => {
    const { drain, table } = setUp({ takesCopies: false });

    expect(await drain(message("old", ["a"], { sentAt: 0 }))).toMatchObject({ remaining: [] });
    expect(table.rows()).toHaveLength(1);
  });

  it("reports an error that is none of the database, and keeps the messages", async () => {
    const error = new Error("ours");
    const { drain, delayed } = setUp({ wrap: (store) => ({ ...store, record: () => Promise.reject(error) }) });

    expect(await drain(message("m1", ["a"]))).toMatchObject({ error, remaining: ["m1"] });
    expect(delayed).toEqual(["receipt of m1"]);
  });

  it("begins no chunk without the time to finish it", async () => {
    let at = NOW;
    const { drain, table } = setUp({
      chunk: 1,
      now: () => at,
      wrap: (store) => ({
        ...store,
        record: (...given) => {
          at += 56_000;
          return store.record(...given);
        },
      }),
    });

    expect((await drain(message("m1", ["a"]), message("m2", ["b"]))).remaining).toEqual(["m2"]);
    expect(table.rows()).toHaveLength(1);
  });
});

describe("the copy of a dead letter", () => {
  it("has all attributes of the first one and its message, also where it is copied again", () => {
    const attributes = { detail: "d", reason: "r", sqlState: "22P05", replays: "1" };

    const once = copyAttributes(dead("x", attributes, { messageId: "m1" }));
    const twice = copyAttributes(dead("x", once, { messageId: "m2" }));

    expect(once).toEqual({ ...attributes, firstMessageId: "m1" });
    expect(twice).toEqual(once);
    expect(Object.keys(once).slice(0, 3)).toEqual(["reason", "replays", "firstMessageId"]);
  });

  it("has ten attributes where the first one has ten, because SQS takes no more, and those name its row", () => {
    const others = {
      attempts: "1",
      sqlState: "22P05",
      tenant: "t",
      type: "t",
      source: "/s",
      eventId: "e",
      detail: "d",
    };
    const attributes = { reason: "r", replays: "1", deadLetterId: `dl_${"7".repeat(32)}`, ...others };

    expect(copyAttributes(dead("x", attributes))).toEqual(attributes);
  });
});
