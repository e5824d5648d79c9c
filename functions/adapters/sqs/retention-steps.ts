import type { SQSClient } from "@aws-sdk/client-sqs";
import type { RetentionSteps } from "../../core/retention-work.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendMessages } from "./send-messages.ts";

/** The queue of the steps of retention. A message says nothing: the database knows what is to be done. */
export function createRetentionSteps(options: { client: SQSClient; queueUrl: string; logger: Logger }): RetentionSteps {
  const { client, ...queue } = options;
  return {
    async send(delaySeconds, deadline) {
      const message = { body: "{}", group: "retention", delaySeconds };
      const [outcome] = await sendMessages(client, { ...queue, messages: [message], deadline });
      return outcome === "enqueued";
    },
  };
}
