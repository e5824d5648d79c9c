import type { ReceivedMessages } from "../../functions/core/ports.ts";
import {
  copyAttributes,
  type MessageAttributes,
  type ReceivedDeadLetter,
  type ReceivedMessage,
  requeueAttributes,
} from "../../functions/core/queue-message.ts";
import type { SimulatedQueue } from "./simulated-queue.ts";

type Received = { messageId: string; body: string; receiptHandle: string; group: string | undefined };

type Options<Message> = {
  /** Selects the messages whose copy the queue does not take. */
  refuse?: (message: Message) => boolean;
  /** Whether the queue is unavailable. */
  isDown?: () => boolean;
};

/** The messages that were received from a simulated queue, with the contract of the real ones. */
export function memoryReceivedMessages(
  queue: SimulatedQueue,
  options: Options<ReceivedMessage> = {},
): ReceivedMessages {
  return memoryMessages(queue, requeueAttributes, options);
}

/** The same for those of a simulated dead-letter queue. */
export function memoryReceivedDeadLetters(
  queue: SimulatedQueue,
  options: Options<ReceivedDeadLetter> = {},
): ReceivedMessages<ReceivedDeadLetter> {
  return memoryMessages(queue, copyAttributes, options);
}

function memoryMessages<Message extends Received>(
  queue: SimulatedQueue,
  attributesOf: (message: Message) => MessageAttributes,
  { refuse = () => false, isDown = () => false }: Options<Message>,
): ReceivedMessages<Message> {
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
        const attributes = attributesOf(message);
        queue.send({ body, ...(group !== undefined && { group }), attributes, delaySeconds: seconds });
        queue.delete(message.receiptHandle);
      }
      return new Set(copied.map(({ messageId }) => messageId));
    },
  };
}
