import { randomUUID } from "node:crypto";
import type { Body, Fauxqs, Handler, Queue, Store } from "./fauxqs.ts";

type Status = "RUNNING" | "COMPLETED" | "CANCELLING" | "CANCELLED" | "FAILED";

type Task = {
  handle: string;
  status: Status;
  source: Queue;
  destinationArn: string | undefined;
  perSecond: number | undefined;
  startedAt: number;
  toMove: number;
  moved: number;
  failureReason?: string;
};

/**
 * The three calls of a dead-letter queue redrive, which fauxqs lacks. A task runs in the background. It moves the visible
 * messages that were there when it started, oldest first: each keeps its body, attributes and group and gets a new id and
 * send time. Tasks live as long as this process; AWS keeps them longer.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
 */
export function moveTasks(fauxqs: Fauxqs): Record<string, Handler> {
  /** By ARN of the source queue, newest first. */
  const tasks = new Map<string, Task[]>();
  /** AWS sends the bare code of these errors in the header that the SDK reads the name from; fauxqs adds a prefix. */
  class MoveTaskError extends fauxqs.SqsError {
    readonly queryErrorHeader: string;
    constructor(code: string, message: string, status: number) {
      super(code, message, status);
      this.queryErrorHeader = `${code};Sender`;
    }
  }
  const invalid = (message: string) => new MoveTaskError("InvalidParameterValue", message, 400);
  const missing = (message: string) => new MoveTaskError("ResourceNotFoundException", message, 404);
  const queueOf = (store: Store, arn: unknown, parameter: string): Queue => {
    const queue = store.getQueueByArn(String(arn));
    if (queue !== undefined) return queue;
    throw missing(`The resource that you specified for the ${parameter} parameter doesn't exist.`);
  };
  const limited = (body: Body, parameter: string, maximum: number): number | undefined => {
    const value = body[parameter] as number | undefined;
    if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= maximum)) return value;
    throw invalid(`Value ${value} for parameter ${parameter} is invalid. Reason: Must be between 1 and ${maximum}.`);
  };

  return {
    StartMessageMoveTask(body, store) {
      const source = queueOf(store, body["SourceArn"], "SourceArn");
      if (!isDeadLetterQueue(source, store)) throw invalid("Source queue must be configured as a Dead Letter Queue.");
      const destinationArn = body["DestinationArn"] as string | undefined;
      if (destinationArn !== undefined) queueOf(store, destinationArn, "DestinationArn");
      const earlier = tasks.get(source.arn) ?? [];
      if (earlier.some(({ status }) => status === "RUNNING" || status === "CANCELLING")) {
        throw invalid(
          "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        );
      }
      source.processTimers();
      const task: Task = {
        handle: toHandle({ taskId: randomUUID(), sourceArn: source.arn }),
        status: "RUNNING",
        source,
        destinationArn,
        perSecond: limited(body, "MaxNumberOfMessagesPerSecond", MAX_PER_SECOND),
        startedAt: Date.now(),
        toMove: source.messages.length,
        moved: 0,
      };
      tasks.set(source.arn, [task, ...earlier].slice(0, MAX_LISTED));
      run(task, store, fauxqs);
      return { TaskHandle: task.handle };
    },

    ListMessageMoveTasks(body, store) {
      const { arn } = queueOf(store, body["SourceArn"], "SourceArn");
      const count = limited(body, "MaxResults", MAX_LISTED) ?? 1;
      return { Results: (tasks.get(arn) ?? []).slice(0, count).map(toEntry) };
    },

    CancelMessageMoveTask(body, store) {
      const sourceArn = sourceOf(body["TaskHandle"]);
      if (sourceArn === undefined) throw invalid("Value for parameter TaskHandle is invalid.");
      const { arn } = queueOf(store, sourceArn, "SourceArn");
      const task = tasks.get(arn)?.find(({ handle }) => handle === body["TaskHandle"]);
      if (task?.status !== "RUNNING") throw missing("Task does not exist.");
      task.status = "CANCELLING";
      return { ApproximateNumberOfMessagesMoved: task.moved };
    },
  };
}

/** API_StartMessageMoveTask, `MaxNumberOfMessagesPerSecond`. */
const MAX_PER_SECOND = 500;
/** API_ListMessageMoveTasks, `MaxResults`. */
const MAX_LISTED = 10;

const TICK_MILLISECONDS = 20;
/** The pace without a rate: small enough that other calls are not delayed. */
const MESSAGES_PER_TICK = 100;

/** Moves messages tick by tick until none of those that were there at the start remains. */
function run(task: Task, store: Store, fauxqs: Fauxqs): void {
  const timer = setInterval(() => {
    if (task.status === "CANCELLING") task.status = "CANCELLED";
    else moveSome(task, store, fauxqs);
    if (task.status !== "RUNNING") clearInterval(timer);
  }, TICK_MILLISECONDS);
  timer.unref();
}

function moveSome(task: Task, store: Store, { SqsStore }: Fauxqs): void {
  const { source, startedAt, perSecond, destinationArn } = task;
  const elapsed = Date.now() - startedAt;
  const allowed = perSecond === undefined ? MESSAGES_PER_TICK : (elapsed * perSecond) / 1000 - task.moved;
  if (allowed < 1) return;
  source.processTimers();
  const next = source.messages.filter(({ sentTimestamp }) => sentTimestamp <= startedAt).slice(0, allowed);
  if (next.length === 0) {
    task.status = "COMPLETED";
    return;
  }
  if (destinationArn === undefined) return fail(task, "CouldNotDetermineMessageSource");
  const destination = store.getQueueByArn(destinationArn);
  if (destination === undefined) return fail(task, "AWS.SimpleQueueService.NonExistentQueue");
  const move = () => {
    for (const { messageId, body, messageAttributes, messageGroupId } of next) {
      store.persistence?.deleteMessage(messageId);
      destination.enqueue(SqsStore.createMessage(body, messageAttributes, undefined, messageGroupId));
    }
  };
  // All or nothing, even if this process is killed in between.
  if (store.persistence === undefined) move();
  else store.persistence.transaction(move);
  const moved = new Set(next);
  source.messages = source.messages.filter((message) => !moved.has(message));
  task.moved += next.length;
}

/**
 * AWS fails with `CouldNotDetermineMessageSource` for messages that were sent to the dead-letter queue directly. fauxqs
 * does not record a message's source queue, so here no message can be moved without a destination.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-dlq-redrive.html
 */
function fail(task: Task, reason: "CouldNotDetermineMessageSource" | "AWS.SimpleQueueService.NonExistentQueue"): void {
  task.status = "FAILED";
  task.failureReason = reason;
}

/** A task in the list. Its handle is shown only while it runs; options that were not given are left out. */
function toEntry(task: Task): Record<string, unknown> {
  return {
    ...(task.status === "RUNNING" && { TaskHandle: task.handle }),
    Status: task.status,
    SourceArn: task.source.arn,
    ...(task.destinationArn !== undefined && { DestinationArn: task.destinationArn }),
    ...(task.perSecond !== undefined && { MaxNumberOfMessagesPerSecond: task.perSecond }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(task.failureReason !== undefined && { FailureReason: task.failureReason }),
    StartedTimestamp: task.startedAt,
  };
}

function isDeadLetterQueue({ arn }: Queue, store: Store): boolean {
  return [...store.allQueues()].some(({ attributes }) => {
    const policy = JSON.parse(attributes["RedrivePolicy"] ?? "{}") as { deadLetterTargetArn?: string };
    return policy.deadLetterTargetArn === arn;
  });
}

function toHandle(parts: { taskId: string; sourceArn: string }): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64");
}

function sourceOf(handle: unknown): string | undefined {
  try {
    const { sourceArn } = JSON.parse(Buffer.from(String(handle), "base64").toString("utf8")) as { sourceArn?: unknown };
    return typeof sourceArn === "string" ? sourceArn : undefined;
  } catch {
    return undefined;
  }
}
