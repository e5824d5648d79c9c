import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { SendOutcome } from "../../core/ports.ts";
import { sendInBatches, type SendOptions } from "./send-in-batches.ts";

/** Sends messages by the SDK's client, whose other calls a function needs too. */
export function sendMessages(client: SQSClient, options: SendOptions): Promise<SendOutcome[]> {
  return sendInBatches((input, signal) => client.send(new SendMessageBatchCommand(input), signal), options);
}
