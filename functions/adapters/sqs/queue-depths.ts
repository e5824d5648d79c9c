import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { QUEUES, type QueueDepth, type QueueDepths, type QueueName } from "../../core/queue-depths.ts";

/** Reads the depths of queues from SQS. */
export function createQueueDepths({
  client,
  urls,
}: {
  client: SQSClient;
  urls: Readonly<Record<QueueName, string>>;
}): QueueDepths {
  const depthOf = async (name: QueueName, abortSignal: AbortSignal): Promise<[QueueName, QueueDepth]> => {
    const command = new GetQueueAttributesCommand({ QueueUrl: urls[name], AttributeNames: ATTRIBUTES });
    const { Attributes: counts = {} } = await client.send(command, { abortSignal });
    return [
      name,
      {
        visible: Number(counts.ApproximateNumberOfMessages),
        inFlight: Number(counts.ApproximateNumberOfMessagesNotVisible),
        delayed: Number(counts.ApproximateNumberOfMessagesDelayed),
      },
    ];
  };
  return {
    async read(deadline) {
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), Math.max(deadline - Date.now(), 1));
      try {
        const depths = await Promise.all(QUEUES.map((name) => depthOf(name, stop.signal)));
        return Object.fromEntries(depths) as Record<QueueName, QueueDepth>;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

const ATTRIBUTES = [
  "ApproximateNumberOfMessages" as const,
  "ApproximateNumberOfMessagesNotVisible" as const,
  "ApproximateNumberOfMessagesDelayed" as const,
];
