import { SQSClient } from "@aws-sdk/client-sqs";
import type { EventQueue } from "../../core/ports.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendMessages } from "./send-messages.ts";

/** The queue of accepted events. Its client reads endpoint and region from the environment, as every SDK client does. */
export function createEventQueue({
  queueUrl,
  logger,
  client = new SQSClient(),
}: {
  queueUrl: string;
  logger: Logger;
  /** @default one of its own */
  client?: SQSClient;
}): EventQueue {
  return { send: (messages, deadline) => sendMessages(client, { queueUrl, messages, deadline, logger }) };
}
