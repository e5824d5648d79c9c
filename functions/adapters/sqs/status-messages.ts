import type { SQSClient } from "@aws-sdk/client-sqs";
import type { StatusMessages } from "../../core/status-message.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendMessages } from "./send-messages.ts";

/** The queue of the function `status`. */
export function createStatusMessages(options: { client: SQSClient; queueUrl: string; logger: Logger }): StatusMessages {
  const { client, ...queue } = options;
  return {
    async send(message, delaySeconds, deadline) {
      const outgoing = { body: JSON.stringify(message), delaySeconds };
      const [outcome] = await sendMessages(client, { ...queue, messages: [outgoing], deadline });
      return outcome === "enqueued";
    },
  };
}
