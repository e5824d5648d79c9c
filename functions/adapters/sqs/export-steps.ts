import type { SQSClient } from "@aws-sdk/client-sqs";
import type { ExportSteps } from "../../core/export-job.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendMessages } from "./send-messages.ts";

/** The queue of export steps. Its message group is the tenant, so that one tenant's exports do not delay the others'. */
export function createExportSteps(options: { client: SQSClient; queueUrl: string; logger: Logger }): ExportSteps {
  const { client, ...queue } = options;
  return {
    async send(step, delaySeconds, deadline) {
      const message = { body: JSON.stringify(step), group: step.tenant, delaySeconds };
      const [outcome] = await sendMessages(client, { ...queue, messages: [message], deadline });
      return outcome === "enqueued";
    },
  };
}
