import type { SQSClient } from "@aws-sdk/client-sqs";
import { RENEW_GROUPS_IN_FLIGHT, SQS_CALL_MS } from "../../core/limits.ts";
import { inFlight } from "../../core/map-concurrently.ts";
import type { Logger } from "../lambda/logger.ts";
import type { ReceivedMessage } from "../../core/batch.ts";
import type { Acknowledge } from "../../core/ports.ts";
import { inBatches } from "./batch-calls.ts";
import { toCopy } from "../lambda/received-message.ts";
import { sendToSqs } from "./send-messages.ts";

type Waiting = ReceivedMessage & { seconds: number };

/**
 * Sends messages to their queue again as new ones, to come after the given seconds, and removes the old. Answers the
 * ids of those whose copy SQS confirmed; the others stand in the queue as before. Never throws.
 */
export type Renew = (messages: Waiting[], deadline: number) => Promise<Set<string>>;

/**
 * Copies messages and deletes each original at once, so that getting rid of it does not hang on the function's answer.
 * Ten go ahead: where SQS takes copies but deletes no originals, an invocation leaves ten messages too many and not a
 * thousand. The others follow some at a time, and none is begun without the time of one call: what is not renewed waits in
 * the queue, but a copy whose confirmation came too late would be one too many.
 */
export function createSqsRenew(options: {
  client: SQSClient;
  queueUrl: string;
  logger: Logger;
  acknowledge: Acknowledge;
}): Renew {
  const { client, queueUrl, logger, acknowledge } = options;
  return async (messages, deadline) => {
    const renewed = new Set<string>();
    const renewSome = async (some: Waiting[]): Promise<boolean> => {
      const copies = some.map((message) => ({ ...toCopy(message), delaySeconds: message.seconds }));
      const outcomes = await sendToSqs(client, { queueUrl, messages: copies, deadline, logger });
      const copied = some.filter((_, index) => outcomes[index] === "stored");
      for (const { messageId } of copied) renewed.add(messageId);
      return copied.length > 0 && (await acknowledge(copied, deadline));
    };
    const [first = [], ...rest] = inBatches(messages);
    if (!(await renewSome(first))) return renewed;
    await inFlight(rest, RENEW_GROUPS_IN_FLIGHT, async (some) => {
      if (Date.now() + SQS_CALL_MS <= deadline) await renewSome(some);
    });
    return renewed;
  };
}
