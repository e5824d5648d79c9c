import type { EventQueue } from "../../core/ports.ts";
import type { Logger } from "../lambda/logger.ts";
import { type SendBatch, sendInBatches } from "./send-in-batches.ts";

/** The same queue for ingest, which calls it in each request and needs no other call of SQS. */
export function createSignedEventQueue(queueUrl: string, sendBatch: SendBatch, logger: Logger): EventQueue {
  return { send: (messages, deadline) => sendInBatches(sendBatch, { queueUrl, messages, deadline, logger }) };
}
