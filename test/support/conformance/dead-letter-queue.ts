import { describe, expect, it } from "vitest";
import type { DeadLetter, DeadLetterQueue } from "../../../functions/core/ports.ts";
import { soon } from "../database.ts";

type QueueUnderTest = {
  queue: DeadLetterQueue;
  /** Body and reason of each dead letter in the queue, sorted by body. */
  deadLetters: () => Promise<{ body: string; reason: string }[]>;
  /** From now on the queue refuses every dead letter with this body. */
  refuse: (body: string) => void;
  /** From now on the queue is unavailable. */
  outage: () => void;
};

const deadLetter = (body: string, reason = "not_storable"): DeadLetter => ({
  body,
  reason,
  sqlState: "22P05",
  detail: "ERROR: no",
  tenant: "default",
  type: "t",
  source: "/s",
  id: body,
  receivedAt: "2026-11-21T09:30:00.000Z",
  attempts: 1,
  replays: 0,
  deadLetterId: undefined,
});

/** The contract of every dead-letter queue; `open` gives one that is empty and healthy. */
export function describeDeadLetterQueue(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(`a dead-letter queue ${name}`, () => {
    it("enqueues dead letters with their reasons and returns an outcome for each", async () => {
      const { queue, deadLetters } = await open();

      const outcomes = await queue.send([deadLetter("b"), deadLetter("a", "unreadable_message")], soon());

      expect(outcomes).toEqual(["enqueued", "enqueued"]);
      expect(await deadLetters()).toEqual([
        { body: "a", reason: "unreadable_message" },
        { body: "b", reason: "not_storable" },
      ]);
    });

    it("reports a refused dead letter as failed and enqueues its neighbours", async () => {
      const { queue, deadLetters, refuse } = await open();
      refuse("b");

      const outcomes = await queue.send(
        ["a", "b", "c"].map((body) => deadLetter(body)),
        soon(),
      );

      expect(outcomes).toEqual(["enqueued", "failed", "enqueued"]);
      expect((await deadLetters()).map(({ body }) => body)).toEqual(["a", "c"]);
    });

    it("reports every dead letter as failed in an outage, and does not throw", async () => {
      const { queue, deadLetters, outage } = await open();
      outage();

      expect(await queue.send([deadLetter("a")], Date.now() + 500)).toEqual(["failed"]);
      expect(await deadLetters()).toEqual([]);
    });
  });
}
