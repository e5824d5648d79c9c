import { setTimeout as delay } from "node:timers/promises";

export { SendMessageBatchCommand } from "./stub-sqs.ts";

/** The time of a call: SQS answers in tens of milliseconds (https://aws.amazon.com/sqs/faqs/), so this is a fast one. */
const ANSWER_MS = 10;

/** Replaces `@aws-sdk/client-sqs` with a queue that confirms every message after the time of a call. */
export class SQSClient {
  async send({ input }: { input: { Entries: { Id: string }[] } }): Promise<{ Successful: { Id: string }[] }> {
    await delay(ANSWER_MS);
    return { Successful: input.Entries.map(({ Id }) => ({ Id })) };
  }
}
