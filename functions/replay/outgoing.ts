import { packEvents } from "../core/envelope.ts";
import {
  deadLetterAttributes,
  fitAttributes,
  isGroupId,
  type MessageAttributes,
  type OutgoingMessage,
  replayAttributes,
} from "../core/queue-message.ts";
import { stringifyForQueue } from "../core/sqs-text.ts";
import type { DeadLetterMessage } from "./dead-letter-message.ts";

/** The message verbatim, to be replayed. */
export function wholeMessage(message: DeadLetterMessage): OutgoingMessage {
  return outgoing(message, message.body, replayAttributes(message.replays + 1, message.deadLetterId));
}

/** Some events of a message, corrected or not, to be replayed; more than one message if they outgrew it. */
export function someEvents(message: DeadLetterMessage, events: unknown[]): OutgoingMessage[] {
  return pack(message, events, replayAttributes(message.replays + 1, message.deadLetterId));
}

/** The events of a message that stay in the dead-letter queue, as a new message with the same facts. */
export function remainder(message: DeadLetterMessage, events: unknown[]): OutgoingMessage[] {
  // Type, source and id are those of a single event.
  const facts = { ...message, type: undefined, source: undefined, id: undefined };
  return pack(message, events, deadLetterAttributes(facts));
}

/** Packs events, in order, into envelopes like the message's, as few as hold them. */
function pack(message: DeadLetterMessage, events: unknown[], attributes: MessageAttributes): OutgoingMessage[] {
  const { events: _, ...head } = message.envelope ?? {};
  return packEvents(events, head, stringifyForQueue).map(({ body }) => outgoing(message, body, attributes));
}

function outgoing({ tenant }: DeadLetterMessage, body: string, attributes: MessageAttributes): OutgoingMessage {
  return { body, ...(isGroupId(tenant) && { group: tenant }), attributes: fitAttributes(body, attributes) };
}
