import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { atOnce, callBatch, tens } from "../sqs-calls.ts";
import { type DeadLetter, toDeadLetter } from "./dead-letter.ts";
import { counted } from "./render.ts";

export type LetterQueue = { client: SQSClient; url: string };

/** Letters read are hidden this long: enough to read a full queue, and short if the command is killed. */
export const HIDDEN_SECONDS = 300;

/** A long poll asks all of SQS's servers; the shortest one is a second. */
const POLL_SECONDS = 1;

/** Calls at once: ten letters a call, so this is what makes a full queue quick. */
const CONNECTIONS = 8;

export type ReadOptions = {
  signal: AbortSignal;
  /** Letters a call, at most ten. */
  pageSize?: number;
  connections?: number;
  /** Awaited before each call. */
  pace?: () => Promise<void>;
};

/**
 * Receives letters page by page, over several connections, until each of them finds nothing more; letters stay in the
 * queue, hidden. A letter whose hiding ran out comes again. Answers how many calls had to be made again: the letters of an
 * answer that was lost are hidden, and nobody has them.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
async function receivePages(
  { client, url }: LetterQueue,
  onPage: (letters: DeadLetter[]) => Promise<void> | void,
  { signal, pageSize = 10, connections = CONNECTIONS, pace = () => Promise.resolve() }: ReadOptions,
): Promise<number> {
  let lost = 0;
  const receive = async () => {
    const {
      Messages: messages = [],
      $metadata: { attempts = 1 },
    } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: pageSize,
        WaitTimeSeconds: POLL_SECONDS,
        VisibilityTimeout: HIDDEN_SECONDS,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
      }),
    );
    lost += attempts - 1;
    return messages.map(toDeadLetter);
  };
  const failed = new AbortController();
  await atOnce(connections, Array.from({ length: connections }), async () => {
    try {
      for (;;) {
        await pace();
        if (signal.aborted || failed.signal.aborted) return;
        // A poll under way is waited for, also after Ctrl-C: its letters would be hidden and nobody would have them.
        const page = await receive();
        if (page.length === 0) return;
        await onPage(page);
      }
    } catch (error) {
      failed.abort();
      throw error;
    }
  });
  return lost;
}

export type Reading = {
  /** As receivePages answers. */
  lost: number;
  /** About how many letters somebody else hid to the end. */
  missed: number;
};

/** Rounds that find nothing while somebody else hides letters; each is a long poll. */
const EMPTY_ROUNDS = 3;

/**
 * Receives as receivePages does, and again while SQS counts more letters than the reader holds: another reader may have
 * let go of some. `held` says how many letters this reader hides.
 */
export async function receiveAll(
  queue: LetterQueue,
  onPage: (letters: DeadLetter[]) => Promise<void> | void,
  { held, ...options }: ReadOptions & { held: () => number },
): Promise<Reading> {
  let lost = 0;
  for (let emptyRounds = 0; ; ) {
    let found = 0;
    const onCountedPage = (letters: DeadLetter[]) => {
      found += letters.length;
      return onPage(letters);
    };
    lost += await receivePages(queue, onCountedPage, options);
    if (options.signal.aborted) return { lost, missed: 0 };
    const { visible, hidden } = await countLetters(queue);
    const missed = Math.max(0, hidden - held());
    emptyRounds = found === 0 ? emptyRounds + 1 : 0;
    // SQS may count as visible what is not any more: that it hands out nothing says more.
    if (missed === 0 && (visible === 0 || found === 0)) return { lost, missed };
    if (emptyRounds === EMPTY_ROUNDS) return { lost, missed };
  }
}

/** What to say of letters that somebody else hid to the end, and what to run once they are visible. */
export function missedNote(missed: number, command = "this"): string {
  return `About ${counted(missed, "letter")} more stayed hidden, by another reader or by one that was killed; run ${command} again in ${HIDDEN_MINUTES} minutes\n`;
}

/** What to say of answers that were lost. */
export function lostNote(lost: number): string {
  return `${counted(lost, "call")} had to be made again; letters of an answer that was lost show again within ${HIDDEN_MINUTES} minutes, so run this again then\n`;
}

/**
 * Shows every letter once and lets others see all of them again at the end, however that comes.
 * @throws Error of a call that failed
 */
export async function lookAtLetters(
  queue: LetterQueue,
  see: (letter: DeadLetter) => void,
  signal: AbortSignal,
): Promise<Reading> {
  const handles = new Map<string, string>();
  try {
    return await receiveAll(
      queue,
      (letters) => {
        for (const letter of letters) {
          const isNew = !handles.has(letter.messageId);
          handles.set(letter.messageId, letter.receiptHandle);
          if (isNew) see(letter);
        }
      },
      { signal, held: () => handles.size },
    );
  } finally {
    await release(queue, handles.values());
  }
}

/** Lets others see letters again, by their receipt handles; a letter that is visible already is no error. */
export async function release({ client, url }: LetterQueue, handles: Iterable<string>): Promise<void> {
  await atOnce(CONNECTIONS, tens([...handles]), async (batch) => {
    await callBatch(batch, (entries) =>
      client.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: url,
          Entries: entries.map(({ Id, item }) => ({ Id, ReceiptHandle: item, VisibilityTimeout: 0 })),
        }),
      ),
    );
  });
}

/** Deletes letters by their receipt handles; answers the handles that SQS refused, each with its words. */
export async function remove({ client, url }: LetterQueue, handles: string[]): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  await atOnce(CONNECTIONS, tens(handles), async (batch) => {
    const failed = await callBatch(batch, (entries) =>
      client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: url,
          Entries: entries.map(({ Id, item }) => ({ Id, ReceiptHandle: item })),
        }),
      ),
    );
    for (const [handle, why] of failed) failures.set(handle, why);
  });
  return failures;
}

/** The name of a queue that does not depend on how its URL is spelt. @throws Error when there is no such queue */
export async function queueArn({ client, url }: LetterQueue): Promise<string | undefined> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] });
  return (await client.send(command)).Attributes?.QueueArn;
}

export type LetterCounts = { visible: number; hidden: number };

/** About how many letters there are, and how many of them are hidden by somebody; SQS counts approximately. */
export async function countLetters({ client, url }: LetterQueue): Promise<LetterCounts> {
  const { Attributes: counts } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }),
  );
  return {
    visible: Number(counts?.ApproximateNumberOfMessages ?? 0),
    hidden: Number(counts?.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}

/** What a reader has to know before it reads: which letters it will not see. */
export function unseenNote({ visible, hidden }: LetterCounts): string {
  const other = `About ${counted(hidden, "letter")} more, hidden by another reader; they show again within ${HIDDEN_MINUTES} minutes\n`;
  const tooMany = `About ${visible} letters, of which SQS hands out ${MAX_IN_FLIGHT} at once; this reads no more\n`;
  return (hidden > 0 ? other : "") + (visible > MAX_IN_FLIGHT ? tooMany : "");
}

const HIDDEN_MINUTES = HIDDEN_SECONDS / 60;

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_IN_FLIGHT = 120_000;
