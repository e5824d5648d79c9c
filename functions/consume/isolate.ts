import { ISOLATION_MAX_GROUPS, REQUEUE_FROM_ATTEMPT } from "./limits.ts";
import type { DatabaseError } from "../core/errors.ts";
import type { Clock, ReceivedMessages } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { StoreMessages, StoreResult } from "./store-messages.ts";
import { hasTimeForChunk } from "./time-for-chunk.ts";

export type IsolationResult = Omit<StoreResult, "failed"> & {
  /** Messages that are delivered again: they failed, or were not begun. */
  failed: ReceivedMessage[];
  /** Messages of the groups on which storing threw, and what it threw. */
  threw: ReceivedMessage[];
  errors: unknown[];
};

export type IsolationDeps = {
  storeMessages: StoreMessages;
  queue: ReceivedMessages;
  clock: Clock;
  /** The queue's visibility timeout. */
  visibilitySeconds: number;
  /** From 0 (included) to 1 (excluded). */
  random: () => number;
};

/**
 * Stores the messages of an invocation so that a poison message, which ends the function, takes few others along. First
 * deliveries are one group. Redelivered messages and requeued copies go in at most ten small groups, in random order; each
 * group is deleted before the next begins. Redelivered messages get visibility timeouts of their own first, so that they
 * come back apart from each other. The large group goes first or last, by chance and by its share: if it were always
 * first, new poison messages would keep the others from ever being begun. In an outage no further small group is begun,
 * and without time for a chunk none at all. See docs/decisions/0005-outages-and-crashes.md.
 * @param deadline ms since the epoch
 */
export async function isolate(
  messages: ReceivedMessage[],
  deadline: number,
  { storeMessages, queue, clock, visibilitySeconds, random }: IsolationDeps,
): Promise<IsolationResult> {
  const total: IsolationResult = { failed: [], threw: [], errors: [], failure: undefined, conflicts: [], metrics: {} };
  const fresh = messages.filter(isFirstDelivery);
  const staggered = messages
    .filter(({ receiveCount }) => receiveCount !== 1)
    .map(({ receiptHandle }) => ({ receiptHandle, seconds: Math.round(visibilitySeconds * (0.5 + random())) }));
  await queue.changeVisibility(staggered, deadline);
  const groups = intoGroups(
    messages.filter((message) => !isFirstDelivery(message)),
    random,
  );
  const isFreshFirst = random() * messages.length <= fresh.length;
  if (fresh.length > 0) groups.splice(isFreshFirst ? 0 : groups.length, 0, fresh);
  for (const group of groups) {
    // One old event may be all that the database fails on, so an outage seen by a small group does not stop the large one.
    if ((group !== fresh && total.failure?.isOutage) || !hasTimeForChunk(deadline, clock)) {
      total.failed.push(...group);
      continue;
    }
    let result: StoreResult;
    try {
      result = await storeMessages(group, deadline);
    } catch (error) {
      total.threw.push(...group);
      total.errors.push(error);
      continue;
    }
    addResult(result, total);
    const failed = new Set(result.failed);
    const done = group.filter((message) => !failed.has(message));
    if (groups.length > 1) await queue.delete(done, deadline);
  }
  return total;
}

/** Delivered for the first time, and no copy of a message that failed so often that it was requeued. */
function isFirstDelivery({ receiveCount, attempts }: ReceivedMessage): boolean {
  return receiveCount === 1 && attempts < REQUEUE_FROM_ATTEMPT;
}

/** At most ten groups of about the same size, in random order. */
function intoGroups(messages: ReceivedMessage[], random: () => number): ReceivedMessage[][] {
  const shuffled = messages
    .map((message) => ({ message, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ message }) => message);
  const size = Math.ceil(shuffled.length / ISOLATION_MAX_GROUPS);
  const groups: ReceivedMessage[][] = [];
  for (let i = 0; i < shuffled.length; i += size) groups.push(shuffled.slice(i, i + size));
  return groups;
}

/** The failure that decides the alarm: `stop` before any other outage, and an outage before a wait. */
function graver(a: DatabaseError | undefined, b: DatabaseError | undefined): DatabaseError | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const gravity = ({ disposition, isOutage }: DatabaseError) => (disposition === "stop" ? 2 : isOutage ? 1 : 0);
  return gravity(b) > gravity(a) ? b : a;
}

function addResult({ failed, failure, conflicts, metrics }: StoreResult, total: IsolationResult): void {
  total.failed.push(...failed);
  total.failure = graver(total.failure, failure);
  total.conflicts.push(...conflicts);
  for (const [name, value] of Object.entries(metrics)) {
    const metric = name as keyof typeof metrics;
    total.metrics[metric] = (total.metrics[metric] ?? 0) + value;
  }
}
