import type { SQSClient } from "@aws-sdk/client-sqs";
import { DEAD_LETTER_GIVE_UP_MS } from "../../core/queue-limits.ts";
import { toMessageBody } from "../../core/message-text.ts";
import type { DeadLetter, DeadLetterQueue } from "../../core/ports.ts";
import { deadLetterAttributes, fitAttributes, isGroupId, type OutgoingMessage } from "../../core/queue-message.ts";
import type { Logger } from "../lambda/logger.ts";
import { sendMessages } from "./send-messages.ts";

/** Dead letters as messages of SQS: the body can be sent to the event queue again, the attributes say why it is here. */
export function createDeadLetterQueue(options: {
  client: SQSClient;
  queueUrl: string;
  logger: Logger;
}): DeadLetterQueue {
  const { client, ...queue } = options;
  return {
    send: (deadLetters, deadline) =>
      sendMessages(client, {
        ...queue,
        messages: deadLetters.map(toMessage),
        deadline,
        giveUpMs: DEAD_LETTER_GIVE_UP_MS,
      }),
  };
}

/** The message keeps its group, so that one tenant's dead letters do not delay the others when SQS moves them back. */
function toMessage({ body: text, ...facts }: DeadLetter): OutgoingMessage {
  const body = toMessageBody(text);
  return {
    body,
    ...(isGroupId(facts.tenant) && { group: facts.tenant }),
    attributes: fitAttributes(body, deadLetterAttributes(facts)),
  };
}
