import { SQSClient } from "@aws-sdk/client-sqs";
import type { EventQueue } from "../../core/ports.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendToSqs } from "./send-messages.ts";

/** The queue of accepted events. Reads its endpoint and region from the environment as every SDK client does. */
export function createSqsEventQueue({ queueUrl, logger }: { queueUrl: string; logger: Logger }): EventQueue {
  const client = new SQSClient();
  return { send: (messages, deadline) => sendToSqs(client, { queueUrl, messages, deadline, logger }) };
}
