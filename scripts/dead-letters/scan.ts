import { type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { forEachConcurrently } from "../../functions/core/for-each-concurrently.ts";
import type { MessageAttributes } from "../../functions/core/queue-message.ts";
import { type DeadLetterMessage, toDeadLetterMessage } from "../../functions/replay/dead-letter-message.ts";
import { CONNECTIONS, countMessages, makeVisible, type Queue } from "./queue.ts";

/** Long enough to read a full queue, and short if the command is killed. */
export const VISIBILITY_TIMEOUT_SECONDS = 300;

/** A long poll asks all of SQS's servers; the shortest is a second. */
const POLL_SECONDS = 1;

/** Empty rounds before a reader gives up on messages that another reader hides; each is a long poll. */
const EMPTY_ROUNDS = 3;

export type ScanResult = {
  /** Calls that had to be repeated: SQS hides the messages of a lost answer, and no reader has them. */
  lost: number;
  /** About how many messages another reader hid to the end. */
  missed: number;
};

export type ReadOptions = {
  signal: AbortSignal;
  /** Messages a call, at most ten. */
  pageSize?: number;
  connections?: number;
  /** Awaited before each call. */
  pace?: () => Promise<void>;
};

/**
 * Passes every message to `onMessage` once. All messages are visible again at the end, also after an error.
 * @throws Error of a call that failed
 */
export async function scanDeadLetters(
  queue: Queue,
  onMessage: (message: DeadLetterMessage) => void,
  signal: AbortSignal,
): Promise<ScanResult> {
  const handles = new Map<string, string>();
  try {
    return await receiveAll(
      queue,
      (messages) => {
        for (const message of messages) {
          const isNew = !handles.has(message.messageId);
          handles.set(message.messageId, message.receiptHandle);
          if (isNew) onMessage(message);
        }
      },
      { signal, held: () => handles.size },
    );
  } finally {
    await makeVisible(queue, handles.values());
  }
}

/**
 * Receives all messages, in rounds while SQS counts more messages than this reader holds, because another reader may
 * release some. `held` returns how many messages this reader hides. A message whose visibility timeout ends comes again.
 */
export async function receiveAll(
  queue: Queue,
  onPage: (messages: DeadLetterMessage[]) => Promise<void> | void,
  { held, ...options }: ReadOptions & { held: () => number },
): Promise<ScanResult> {
  let lost = 0;
  for (let emptyRounds = 0; ; ) {
    let found = 0;
    const onCountedPage = (messages: DeadLetterMessage[]) => {
      found += messages.length;
      return onPage(messages);
    };
    lost += await receiveRound(queue, onCountedPage, options);
    if (options.signal.aborted) return { lost, missed: 0 };
    const { visible, hidden } = await countMessages(queue);
    const missed = Math.max(0, hidden - held());
    emptyRounds = found === 0 ? emptyRounds + 1 : 0;
    // The count of visible messages may be stale; an empty round is the better evidence.
    if (missed === 0 && (visible === 0 || found === 0)) return { lost, missed };
    if (emptyRounds === EMPTY_ROUNDS) return { lost, missed };
  }
}

/**
 * Receives messages page by page over several connections, until each of them gets an empty page. Returns how many calls
 * were repeated.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
async function receiveRound(
  { client, url }: Queue,
  onPage: (messages: DeadLetterMessage[]) => Promise<void> | void,
  { signal, pageSize = 10, connections = CONNECTIONS, pace = () => Promise.resolve() }: ReadOptions,
): Promise<number> {
  let repeated = 0;
  const receive = async () => {
    const {
      Messages: messages = [],
      $metadata: { attempts = 1 },
    } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: pageSize,
        WaitTimeSeconds: POLL_SECONDS,
        VisibilityTimeout: VISIBILITY_TIMEOUT_SECONDS,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
      }),
    );
    repeated += attempts - 1;
    return messages.map(fromSqs);
  };
  const errors: unknown[] = [];
  await forEachConcurrently(Array.from({ length: connections }), connections, async () => {
    try {
      for (;;) {
        await pace();
        if (signal.aborted || errors.length > 0) return;
        // A running poll is awaited even after Ctrl-C; otherwise its messages would be hidden and no reader would have them.
        const page = await receive();
        if (page.length === 0) return;
        await onPage(page);
      }
    } catch (error) {
      // Thrown below, once the other connections have ended: a page under way would otherwise stay hidden.
      errors.push(error);
    }
  });
  if (errors.length > 0) throw errors[0];
  return repeated;
}

function fromSqs(message: Message): DeadLetterMessage {
  const { MessageId = "", ReceiptHandle = "", Body = "", Attributes = {}, MessageAttributes = {} } = message;
  return toDeadLetterMessage({
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue: value }]) => [name, value]),
    ) as MessageAttributes,
    sentAt: Number(Attributes.SentTimestamp ?? 0),
    receiveCount: Number(Attributes.ApproximateReceiveCount ?? 0),
  });
}
