import type { SQSRecord } from "aws-lambda";
import {
  MAX_RECEIVE_COUNT,
  QUEUE_RETENTION_DAYS,
  QUEUE_VISIBILITY_SECONDS,
} from "../../functions/core/queue-limits.ts";
import { record } from "./sqs-records.ts";

type Held = {
  messageId: string;
  body: string;
  group: string;
  attributes: Record<string, string>;
  sentAt: number;
  visibleAt: number;
  receiveCount: number;
  receiptHandle: string;
};

type NewMessage = {
  body: string;
  group?: string;
  attributes?: Record<string, string>;
  delaySeconds?: number;
};

/**
 * A standard queue with its redrive policy, as the stack makes it, in memory and on the clock of `Date`. Each rule names
 * where AWS says it; URLs are below https://docs.aws.amazon.com/AWSSimpleQueueService/latest/.
 */
export function simulateQueue(
  random: () => number,
  {
    retentionDays = QUEUE_RETENTION_DAYS,
    visibilitySeconds = QUEUE_VISIBILITY_SECONDS,
    maxReceiveCount = MAX_RECEIVE_COUNT,
  }: { retentionDays?: number; visibilitySeconds?: number; maxReceiveCount?: number } = {},
) {
  const held = new Map<string, Held>();
  const deadLetters: Held[] = [];
  const expired: Held[] = [];
  let made = 0;

  /** Retention counts from the send (SQSDeveloperGuide/sqs-basic-architecture.html): then SQS deletes the message without a trace. */
  const expire = () => {
    for (const message of held.values()) {
      if (Date.now() - message.sentAt < retentionDays * 86_400_000) continue;
      held.delete(message.messageId);
      expired.push(message);
    }
  };

  return {
    deadLetters,
    expired,
    size: () => held.size,

    /** Hidden for `delaySeconds`, at most 15 minutes: SQSDeveloperGuide/sqs-message-timers.html */
    send({ body, group = "default", attributes = {}, delaySeconds = 0 }: NewMessage): void {
      if (!(Number.isInteger(delaySeconds) && delaySeconds >= 0 && delaySeconds <= 900)) {
        throw new Error(`SQS takes no delay of ${delaySeconds} s`);
      }
      const messageId = `m${(made += 1)}`;
      const sentAt = Date.now();
      const visibleAt = sentAt + delaySeconds * 1_000;
      held.set(messageId, {
        messageId,
        body,
        group,
        attributes,
        sentAt,
        visibleAt,
        receiveCount: 0,
        receiptHandle: "",
      });
    },

    /**
     * Visible messages in no order, hidden from then on (SQSDeveloperGuide/sqs-visibility-timeout.html). One that was
     * received `maxReceiveCount` times goes to the dead-letter queue instead (SQSDeveloperGuide/sqs-dead-letter-queues.html).
     */
    receive(maximum: number): SQSRecord[] {
      expire();
      const visible = [...held.values()].filter(({ visibleAt }) => visibleAt <= Date.now());
      const records: SQSRecord[] = [];
      for (const message of shuffle(visible, random)) {
        if (records.length === maximum) break;
        if (message.receiveCount === maxReceiveCount) {
          held.delete(message.messageId);
          deadLetters.push(message);
          continue;
        }
        message.receiveCount += 1;
        message.receiptHandle = `${message.messageId}/${message.receiveCount}`;
        message.visibleAt = Date.now() + visibilitySeconds * 1_000;
        records.push(record(message.messageId, message));
      }
      return records;
    },

    /** An older receipt is taken and does nothing: APIReference/API_DeleteMessage.html */
    delete(receiptHandle: string): void {
      const messageId = receiptHandle.split("/")[0] ?? "";
      if (held.get(messageId)?.receiptHandle === receiptHandle) held.delete(messageId);
    },

    /** Counts from now: APIReference/API_ChangeMessageVisibility.html */
    changeVisibility(receiptHandle: string, seconds: number): void {
      const message = held.get(receiptHandle.split("/")[0] ?? "");
      if (message?.receiptHandle === receiptHandle) message.visibleAt = Date.now() + seconds * 1_000;
    },
  };
}

export type SimulatedQueue = ReturnType<typeof simulateQueue>;

function shuffle<T>(items: T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
