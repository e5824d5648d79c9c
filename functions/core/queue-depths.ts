/** The queues whose depth is shown. */
export const QUEUES = ["events", "deadLetters", "wakeUps", "status"] as const;

export type QueueName = (typeof QUEUES)[number];

/** Messages of a queue, as SQS last counted them: its counts may be a minute old. */
export type QueueDepth = {
  /** Messages that can be received. */
  visible: number;
  /** Messages that a function has received and not deleted. */
  inFlight: number;
  /** Messages that can be received later. */
  delayed: number;
};

export type QueueDepths = {
  /** @throws Error where SQS does not answer for each of them */
  read(deadline: number): Promise<Record<QueueName, QueueDepth>>;
};
