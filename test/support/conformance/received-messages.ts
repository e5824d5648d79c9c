import { describe, expect, it } from "vitest";
import type { ReceivedMessages } from "../../../functions/core/ports.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { soon } from "../database.ts";

type QueueUnderTest = {
  receivedMessages: ReceivedMessages;
  /** Sends a message of each body, in the group `tenant-a`, and receives them, in any order. */
  received: (...bodies: string[]) => Promise<ReceivedMessage[]>;
  /** All visible messages. They stay hidden for minutes after it. */
  receive: () => Promise<ReceivedMessage[]>;
  /** Messages in the queue, whether visible, hidden or delayed. */
  depth: () => Promise<number>;
  /** From now on the queue takes no copy with this body. */
  refuse: (body: string) => void;
  /** From now on the queue is unavailable. */
  outage: () => void;
};

const idsOf = (messages: readonly ReceivedMessage[]) => new Set(messages.map(({ messageId }) => messageId));
const bodiesOf = (messages: readonly ReceivedMessage[]) => messages.map(({ body }) => body).toSorted();
const after = (seconds: number, messages: readonly ReceivedMessage[]) =>
  messages.map((message) => ({ ...message, seconds }));

/** Below every visibility timeout here, and far longer than a test takes. */
const LONG_SECONDS = 500;

/** The contract of received messages; `open` gives an empty and healthy queue. */
export function describeReceivedMessages(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(`received messages ${name}`, () => {
    it("deleted messages leave the queue, and may be deleted again", async () => {
      const { receivedMessages, received, depth } = await open();
      const messages = await received("a", "b", "c");

      expect(await receivedMessages.delete(messages.slice(0, 1), soon())).toBe(true);
      expect(await depth()).toBe(2);

      expect(await receivedMessages.delete(messages, soon())).toBe(true);
      expect(await depth()).toBe(0);
    });

    it("a message is delivered again once its visibility timeout is over, which counts, and not before", async () => {
      const { receivedMessages, received, receive } = await open();
      const [now, later] = [await received("now"), await received("later")];

      await receivedMessages.changeVisibility([...after(0, now), ...after(LONG_SECONDS, later)], soon());

      expect(await receive()).toEqual([{ ...now[0], receiptHandle: expect.any(String), receiveCount: 2, attempts: 2 }]);
    });

    it("a requeued message is replaced by a copy of the same body, group and age with a new receive count", async () => {
      const { receivedMessages, received, receive, depth } = await open();
      const deadLetterId = `dl_${"7".repeat(32)}`;
      const original = (await received("a")).map((message) => ({ ...message, attempts: 7, replays: 2, deadLetterId }));

      expect(await receivedMessages.requeue(after(0, original), soon())).toEqual(idsOf(original));

      expect(await depth()).toBe(1);
      const copies = await receive();
      expect(copies).toMatchObject([
        {
          body: "a",
          group: "tenant-a",
          receiveCount: 1,
          attempts: 8,
          replays: 2,
          deadLetterId,
          firstSentAt: original[0]?.firstSentAt,
        },
      ]);
      expect(idsOf(copies)).not.toEqual(idsOf(original));
    });

    it("a requeued message is not delivered before its time", async () => {
      const { receivedMessages, received, receive, depth } = await open();
      const messages = await received("a");

      await receivedMessages.requeue(after(LONG_SECONDS, messages), soon());

      expect(await receive()).toEqual([]);
      expect(await depth()).toBe(1);
    });

    it("a message whose copy the queue refuses stays in the queue as it was, and only the others count as requeued", async () => {
      const { receivedMessages, received, receive, depth, refuse } = await open();
      const messages = await received("a", "refused", "b");
      refuse("refused");

      const requeued = await receivedMessages.requeue(after(0, messages), soon());

      expect(requeued).toEqual(idsOf(messages.filter(({ body }) => body !== "refused")));
      expect(await depth()).toBe(3);
      expect(bodiesOf(await receive())).toEqual(["a", "b"]);
    });

    it("messages stay as they were in an outage of the queue, and nothing throws", async () => {
      const { receivedMessages, received, receive, depth, outage } = await open();
      const messages = await received("a", "b");
      outage();

      expect(await receivedMessages.delete(messages, Date.now() + 500)).toBe(false);
      await receivedMessages.changeVisibility(after(0, messages), Date.now() + 500);
      expect(await receivedMessages.requeue(after(0, messages), Date.now() + 500)).toEqual(new Set());

      expect(await depth()).toBe(2);
      expect(await receive()).toEqual([]);
    });

    it("no messages are done at once", async () => {
      const { receivedMessages, depth } = await open();

      expect(await receivedMessages.delete([], soon())).toBe(true);
      await receivedMessages.changeVisibility([], soon());
      expect(await receivedMessages.requeue([], soon())).toEqual(new Set());

      expect(await depth()).toBe(0);
    });
  });
}
