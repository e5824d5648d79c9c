import type { SQSClient } from "@aws-sdk/client-sqs";
import type { ReplaySteps } from "../../core/replay-job.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendMessages } from "./send-messages.ts";

/** The queue of replay steps. Its message group is the job, so that one job does not delay the others. */
export function createReplaySteps(options: { client: SQSClient; queueUrl: string; logger: Logger }): ReplaySteps {
  const { client, ...queue } = options;
  return {
    async send(step, delaySeconds, deadline) {
      const message = { body: JSON.stringify(step), group: step.id, delaySeconds };
      const [outcome] = await sendMessages(client, { ...queue, messages: [message], deadline });
      return outcome === "enqueued";
    },
  };
}
