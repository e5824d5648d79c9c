import { setTimeout as delay } from "node:timers/promises";
import {
  CancelMessageMoveTaskCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { startProgress } from "../../cli/progress.ts";

/** SQS accepts no higher rate. @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html */
export const MOVE_MAX_PER_SECOND = 500;

export type MoveResult = {
  status: "COMPLETED" | "CANCELLED" | "FAILED";
  moved: number;
  toMove: number;
  reason: string;
};

type MoveOptions = {
  /** Queue URLs. */
  from: string;
  to: string;
  /** Messages a second; undefined leaves it to SQS. */
  rate: number | undefined;
  /** Cancels the task. */
  signal: AbortSignal;
  report: (line: string) => void;
};

type Task = ListMessageMoveTasksResultEntry;

/**
 * Has SQS move all messages of one queue to another and follows that task to its end. A task that runs already is
 * reported and followed instead. The signal cancels the task; messages that were not moved yet stay.
 * @throws Error of a call that failed
 */
export async function moveAll(client: SQSClient, { from, to, rate, signal, report }: MoveOptions): Promise<MoveResult> {
  const [SourceArn, DestinationArn] = await Promise.all([arnOf(client, from), arnOf(client, to)]);
  const newest = async (): Promise<Task | undefined> =>
    (await client.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }))).Results?.[0];

  const before = await newest();
  if (before !== undefined && isActive(before)) {
    report(
      `A move task that was started at ${timeOf(before)} to ${before.DestinationArn} runs already; Ctrl-C cancels it`,
    );
    const after = (before.StartedTimestamp ?? 1) - 1;
    return follow(client, newest, { after, handle: before.TaskHandle, signal, report });
  }
  // Without a destination SQS moves a message to its source queue, which it does not know for messages of the consumer.
  const { TaskHandle: handle } = await client.send(
    new StartMessageMoveTaskCommand({ SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond: rate }),
  );
  return follow(client, newest, { after: before?.StartedTimestamp ?? 0, handle, signal, report });
}

const POLL_MS = 500;

/** A new task may be listed late, but not later than this. */
const LISTED_WITHIN_MS = 60_000;

type Following = {
  /** The task began after this moment, ms since the epoch; earlier tasks may be listed for a while. */
  after: number;
  handle: string | undefined;
  signal: AbortSignal;
  report: (line: string) => void;
};

async function follow(
  client: SQSClient,
  newest: () => Promise<Task | undefined>,
  { after, handle, signal, report }: Following,
): Promise<MoveResult> {
  const progress = startProgress(0, "dead letters");
  const deadline = Date.now() + LISTED_WITHIN_MS;
  let cancelled = false;
  let shown: number | undefined;
  try {
    for (;;) {
      const task = await newest();
      const current = task !== undefined && (task.StartedTimestamp ?? 0) > after ? task : undefined;
      if (current === undefined && (shown !== undefined || Date.now() > deadline))
        throw new Error(
          "SQS does not list the move task any more. See the remaining dead letters with `npm run dead-letters -- group`.",
        );
      if (current !== undefined) {
        const { ApproximateNumberOfMessagesMoved: moved = 0, ApproximateNumberOfMessagesToMove: toMove = 0 } = current;
        progress.setTotal(toMove);
        progress.advance(moved - (shown ?? 0));
        shown = moved;
        if (!isActive(current)) return toResult(current);
      }
      if (signal.aborted && !cancelled) {
        cancelled = true;
        // The task may have just ended; the next listing has its result.
        await client
          .send(new CancelMessageMoveTaskCommand({ TaskHandle: handle }))
          .catch((error: Error) => report(`The task was not cancelled: ${error.message}`));
      }
      await delay(POLL_MS, undefined, cancelled ? {} : { signal }).catch(() => undefined);
    }
  } finally {
    progress.stop();
  }
}

function toResult(task: Task): MoveResult {
  return {
    status: task.Status as MoveResult["status"],
    moved: task.ApproximateNumberOfMessagesMoved ?? 0,
    toMove: task.ApproximateNumberOfMessagesToMove ?? 0,
    reason: task.FailureReason ?? "",
  };
}

function isActive({ Status: status }: Task): boolean {
  return status === "RUNNING" || status === "CANCELLING";
}

function timeOf({ StartedTimestamp: started = 0 }: Task): string {
  return new Date(started).toISOString();
}

async function arnOf(client: SQSClient, QueueUrl: string): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] });
  return (await client.send(command)).Attributes?.QueueArn ?? "";
}
