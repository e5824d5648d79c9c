import type { ReceivedMessages } from "../../functions/core/ports.ts";
import { type ReceivedMessage, requeueAttributes } from "../../functions/core/queue-message.ts";
import type { SimulatedQueue } from "./simulated-queue.ts";

type Options = {
  /** Selects the messages whose copy the queue does not take. */
  refuse?: (message: ReceivedMessage) => boolean;
  /** Whether the queue is unavailable. */
  isDown?: () => boolean;
};

/** The messages that were received from a simulated queue, with the contract of the real ones. */
export function memoryReceivedMessages(
  queue: SimulatedQueue,
  { refuse = () => false, isDown = () => false }: Options = {},
): ReceivedMessages {
  return {
    async delete(messages) {
      if (isDown()) return false;
      for (const { receiptHandle } of messages) queue.delete(receiptHandle);
      return true;
    },
    async changeVisibility(messages) {
      if (isDown()) return;
      for (const { receiptHandle, seconds } of messages) queue.changeVisibility(receiptHandle, seconds);
    },
    async requeue(messages) {
      const copied = isDown() ? [] : messages.filter((message) => !refuse(message));
      for (const message of copied) {
        const { body, group, seconds } = message;
        queue.send({ body, group, attributes: requeueAttributes(message), delaySeconds: seconds });
        queue.delete(message.receiptHandle);
      }
      return new Set(copied.map(({ messageId }) => messageId));
    },
  };
}
