import type { SQSClient } from "@aws-sdk/client-sqs";
import type { ErasureSteps } from "../../core/erasure-job.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendMessages } from "./send-messages.ts";

/** The queue of the steps of retain, for those of erasures. The message group is the job, so that one job does not delay the others. */
export function createErasureSteps(options: { client: SQSClient; queueUrl: string; logger: Logger }): ErasureSteps {
  const { client, ...queue } = options;
  return {
    async send(step, delaySeconds, deadline) {
      const message = { body: JSON.stringify(step), group: step.erasure, delaySeconds };
      const [outcome] = await sendMessages(client, { ...queue, messages: [message], deadline });
      return outcome === "enqueued";
    },
  };
}
