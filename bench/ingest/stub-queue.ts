import { setTimeout as delay } from "node:timers/promises";
import type { SendBatch } from "../../functions/adapters/sqs/send-in-batches.ts";

/** A queue that confirms every message at once. */
export const confirmAll: SendBatch = ({ Entries }) =>
  Promise.resolve({ Successful: Entries.map(({ Id }) => ({ Id })) });

/** The time of a call: SQS answers in tens of milliseconds (https://aws.amazon.com/sqs/faqs/), so this is a fast one. */
const ANSWER_MS = 10;

/** A queue that confirms every message after the time of a call. */
export const confirmSlowly: SendBatch = async (input, options) => {
  await delay(ANSWER_MS);
  return confirmAll(input, options);
};
