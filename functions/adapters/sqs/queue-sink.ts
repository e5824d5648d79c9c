import { type SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { messageAttributes } from "../../core/message-attributes.ts";
import { structuredContent } from "../../core/notice-content.ts";
import type { Notifier } from "../../core/notifier.ts";
import { toSdkOutcome } from "../../core/sdk-outcome.ts";
import { escapeForSqs } from "../../core/sqs-text.ts";
import { withinTime } from "../../core/within-time.ts";

/**
 * Sends events to queues of SQS: the CloudEvent as body, its type, source and id as attributes.
 * @param options.client makes the client when a queue is first sent to
 * @param options.queueUrls the queues that this installation may send to
 */
export function createQueueNotifier(options: {
  client: () => SQSClient;
  queueUrls: readonly string[];
}): Notifier<"sqs"> {
  const allowed = new Set(options.queueUrls);
  const refuse = (url: string) => (allowed.has(url) ? undefined : NOT_ALLOWED);
  let client: SQSClient | undefined;
  return {
    async notify(notice, deadline) {
      const { queueUrl } = notice.sink;
      const refused = refuse(queueUrl);
      if (refused !== undefined) return { kind: "later", error: refused };
      const fifo = { MessageGroupId: notice.subscription.id, MessageDeduplicationId: notice.id };
      const command = new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: escapeForSqs(String(structuredContent(notice).body)),
        MessageAttributes: messageAttributes(notice),
        ...(queueUrl.endsWith(".fifo") && fifo),
      });
      try {
        client ??= options.client();
        const sqs = client;
        await withinTime(notice.subscription.timeoutMs, deadline, (abortSignal) => sqs.send(command, { abortSignal }));
        return { kind: "delivered" };
      } catch (cause) {
        return toSdkOutcome("SQS", cause);
      }
    },
    check: ({ queueUrl }) => Promise.resolve(refuse(queueUrl)),
  };
}

const NOT_ALLOWED =
  "The queue is none that this installation sends to. Add its ARN to notifyQueues in the settings, and deploy.";
