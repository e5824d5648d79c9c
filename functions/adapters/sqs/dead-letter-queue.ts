import type { SQSClient } from "@aws-sdk/client-sqs";
import type { DeadLetter, DeadLetterQueue } from "../../core/ports.ts";
import { DEAD_LETTER_PATIENCE_MS } from "../../core/limits.ts";
import type { Logger } from "../lambda/logger.ts";
import { fitAttributes, sendToSqs } from "./send-messages.ts";

/** The database's words may be long; the beginning says it. */
const DETAIL_MAX_CHARACTERS = 1_000;

/** Dead letters as SQS messages: the body can be sent to the queue again, the attributes say why it stands here. */
export function createSqsDeadLetterQueue(options: {
  client: SQSClient;
  queueUrl: string;
  logger: Logger;
}): DeadLetterQueue {
  const { client, queueUrl, logger } = options;
  return {
    send: (letters, deadline) =>
      sendToSqs(client, {
        queueUrl,
        messages: letters.map((letter) => ({
          body: letter.body,
          // As in the queue they came from: one tenant's letters do not delay the others' when all are moved back.
          ...(isGroupId(letter.tenant) && { group: letter.tenant }),
          attributes: toAttributes(letter),
        })),
        deadline,
        patienceMs: DEAD_LETTER_PATIENCE_MS,
        logger,
      }),
  };
}

/**
 * A tenant that SQS takes for a group; what an unreadable message calls its tenant may be anything.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (MessageGroupId)
 */
function isGroupId(tenant: string | undefined): tenant is string {
  return tenant !== undefined && /^[!-~]{1,128}$/.test(tenant);
}

/**
 * SQS allows ten attributes and no empty value; what is unknown is left out. Beside a body that fills the message the
 * last ones have to go, so what a replay goes by comes first.
 */
function toAttributes(letter: DeadLetter): Record<string, string> {
  const attributes = {
    reason: letter.reason,
    replays: String(letter.replays),
    attempts: String(letter.attempts),
    sqlState: letter.sqlState,
    tenant: letter.tenant,
    type: letter.type,
    source: letter.source,
    eventId: letter.id,
    receivedAt: letter.receivedAt,
    detail: letter.detail.slice(0, DETAIL_MAX_CHARACTERS),
  };
  const known = Object.entries(attributes)
    .filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== "")
    .map(([name, value]) => [name, value.toWellFormed().replaceAll(NOT_IN_SQS, "\uFFFD")]);
  return fitAttributes(letter.body, Object.fromEntries(known) as Record<string, string>);
}

/** Control characters but tab, line feed and carriage return, and the two noncharacters SQS refuses. */
const NOT_IN_SQS = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
