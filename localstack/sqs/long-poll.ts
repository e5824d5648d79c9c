import type { Body, Handler, Request } from "./fauxqs.ts";

const MILLISECONDS_PER_SECOND = 1000;

type Received = { Messages?: { MessageAttributes?: unknown; MD5OfMessageAttributes?: unknown }[] };

/**
 * Wraps fauxqs's `ReceiveMessage`, so that it behaves as on SQS:
 * - A poll whose client has disconnected receives no messages. fauxqs would receive for a closed connection, and the
 *   messages would be in flight for a whole visibility timeout although no consumer has them.
 * - A poll that loses a message to another poll goes on waiting, instead of returning empty at once.
 * - Message attributes are left out unless they are asked for, so that a caller that forgets to ask notices it here.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
export function longPoll(handler: Handler): Handler {
  return async (body, store, request) => {
    const queue = typeof body["QueueUrl"] === "string" ? store.getQueue(body["QueueUrl"]) : undefined;
    const seconds = Number(body["WaitTimeSeconds"] ?? queue?.attributes["ReceiveMessageWaitTimeSeconds"] ?? 0);
    if (queue === undefined || !(seconds > 0 && seconds <= 20))
      return visible(body, await handler(body, store, request));

    const deadline = Date.now() + seconds * MILLISECONDS_PER_SECOND;
    const once = { ...body, WaitTimeSeconds: 0 };
    for (;;) {
      if (hasDisconnected(request)) return {};
      const received = (await handler(once, store, request)) as Received;
      const remaining = deadline - Date.now();
      if (received.Messages !== undefined || remaining <= 0) return visible(body, received);
      await queue.waitForMessages(remaining / MILLISECONDS_PER_SECOND);
    }
  };
}

/** A client that disconnects ends its side first; the socket is destroyed only when the response has been written. */
function hasDisconnected({ raw: { socket } }: Request): boolean {
  return socket.destroyed || socket.readableEnded;
}

function visible(body: Body, answer: unknown): unknown {
  const { Messages: messages } = answer as Received;
  if (messages === undefined || (body["MessageAttributeNames"] as unknown[] | undefined)?.length) return answer;
  for (const message of messages) {
    delete message.MessageAttributes;
    delete message.MD5OfMessageAttributes;
  }
  return answer;
}
