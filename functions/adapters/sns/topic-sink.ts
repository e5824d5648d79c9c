import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { messageAttributes } from "../../core/message-attributes.ts";
import { structuredContent } from "../../core/notice-content.ts";
import type { Notifier } from "../../core/notifier.ts";
import { toSdkOutcome } from "../../core/sdk-outcome.ts";
import { escapeForSqs } from "../../core/sqs-text.ts";
import { withinTime } from "../../core/within-time.ts";

/**
 * Publishes events to topics of SNS: the CloudEvent as message, its type, source and id as attributes. The client is made when
 * a topic is first sent to.
 * @param options.topicArns the topics that this installation may publish to
 */
export function createTopicNotifier(options: { topicArns: readonly string[] }): Notifier<"sns"> {
  const allowed = new Set(options.topicArns);
  const refuse = (arn: string) => (allowed.has(arn) ? undefined : NOT_ALLOWED);
  let client: SNSClient | undefined;
  return {
    async notify(notice, deadline) {
      const { topicArn } = notice.sink;
      const refused = refuse(topicArn);
      if (refused !== undefined) return { kind: "later", error: refused };
      const fifo = { MessageGroupId: notice.subscription.id, MessageDeduplicationId: notice.id };
      try {
        const sns = (client ??= createSns());
        const command = new PublishCommand({
          TopicArn: topicArn,
          Message: escapeForSqs(String(structuredContent(notice).body)),
          MessageAttributes: messageAttributes(notice),
          ...(topicArn.endsWith(".fifo") && fifo),
        });
        await withinTime(notice.subscription.timeoutMs, deadline, (abortSignal) => sns.send(command, { abortSignal }));
        return { kind: "delivered" };
      } catch (cause) {
        return toSdkOutcome("SNS", cause);
      }
    },
    check: ({ topicArn }) => Promise.resolve(refuse(topicArn)),
  };
}

const NOT_ALLOWED =
  "The topic is none that this installation publishes to. Add its ARN to notifyTopics in the settings, and deploy.";

/** A publish takes milliseconds within a region. */
const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_ATTEMPTS = 2;

function createSns(): SNSClient {
  return new SNSClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without it the SDK logs a warning and waits on.
      throwOnRequestTimeout: true,
    },
  });
}
