import { describe, expect, it } from "vitest";
import type { EventQueue } from "../../../functions/core/ports.ts";
import { soon } from "../database.ts";

type QueueUnderTest = {
  queue: EventQueue;
  /** The bodies of all messages in the queue, sorted. */
  bodies: () => Promise<string[]>;
  /** From now on the queue refuses every message with this body. */
  refuse: (body: string) => void;
  /** From now on the queue is unavailable. */
  outage: () => void;
};

const message = (body: string) => ({ body, group: "default" });

/** The contract of every event queue; `open` gives one that is empty and healthy. */
export function describeEventQueue(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(`an event queue ${name}`, () => {
    it("enqueues messages and returns an outcome for each", async () => {
      const { queue, bodies } = await open();

      const outcomes = await queue.send(["c", "a", "b"].map(message), soon());

      expect(outcomes).toEqual(["enqueued", "enqueued", "enqueued"]);
      expect(await bodies()).toEqual(["a", "b", "c"]);
    });

    it("returns no outcome for no messages", async () => {
      const { queue } = await open();

      expect(await queue.send([], soon())).toEqual([]);
    });

    it("returns the outcomes in the order of more messages than one call takes", async () => {
      const { queue, bodies, refuse } = await open();
      refuse("m17");
      const all = Array.from({ length: 25 }, (_, index) => `m${index}`);

      const outcomes = await queue.send(all.map(message), soon());

      expect(outcomes.flatMap((outcome, index) => (outcome === "failed" ? [index] : []))).toEqual([17]);
      expect(await bodies()).toEqual(all.filter((body) => body !== "m17").toSorted());
    });

    it("reports every message as failed in an outage, and does not throw", async () => {
      const { queue, bodies, outage } = await open();
      outage();

      expect(await queue.send(["a", "b"].map(message), Date.now() + 500)).toEqual(["failed", "failed"]);
      expect(await bodies()).toEqual([]);
    });
  });
}
