import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Wakes } from "../../core/wakes.ts";
import { failpoint } from "../lambda/failpoint.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendMessages } from "./send-messages.ts";

/** The queue of the wake-ups for workers. */
export function createWakes(options: { client: SQSClient; queueUrl: string; logger: Logger }): Wakes {
  const { client, ...queue } = options;
  return {
    async send(wake, delaySeconds, deadline) {
      FAILPOINT: await failpoint("beforeWake");
      const message = { body: JSON.stringify(wake), delaySeconds };
      const [outcome] = await sendMessages(client, { ...queue, messages: [message], deadline });
      FAILPOINT: await failpoint("afterWake");
      return outcome === "enqueued";
    },
  };
}
