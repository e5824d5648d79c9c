import type { BatchResult, BatchRule, ReceivedMessage } from "../core/batch.ts";
import { CHUNK_MIN_REMAINING_MS, RENEW_FROM_ATTEMPT, RETURNED_MAX_TURNS } from "../core/limits.ts";
import type { MetricName } from "../core/metric-names.ts";
import type { Acknowledge, Postpone } from "../core/ports.ts";

export type TurnsResult = Required<Omit<BatchResult, "failed">> & {
  /** Messages that must come again: failed by the rule's answer, or not begun. */
  failed: ReceivedMessage[];
  /** Messages of the turns in which the rule threw, and what it threw. */
  broken: ReceivedMessage[];
  errors: unknown[];
};

type Options = {
  rule: BatchRule;
  postpone: Postpone;
  acknowledge: Acknowledge;
  visibilitySeconds: number;
  random: () => number;
};

/**
 * Runs a rule over the messages of an invocation so that one that ends the function takes few along. Fresh ones go
 * together. What has come back may be why it did, and a renewed copy may be what the database fails on: these go in
 * small turns, in random order, each acknowledged before the next is begun, so whatever came before the culprit is gone.
 * What SQS handed out before has a visibility of its own by then, from half to one and a half times the queue's, and
 * comes back without the company it had. The fresh ones go first or last, by chance and by their share: were they always first,
 * new culprits would keep the others from ever being begun. While nothing can be stored no further small turn is begun,
 * and when time is short none at all.
 */
export async function takeInTurns(
  deliveries: ReceivedMessage[],
  deadline: number,
  { rule, postpone, acknowledge, visibilitySeconds, random }: Options,
): Promise<TurnsResult> {
  const total: TurnsResult = { failed: [], broken: [], errors: [], failure: undefined, conflicts: [], metrics: {} };
  const fresh = deliveries.filter(isFresh);
  const apart = deliveries
    .filter(({ receiveCount }) => receiveCount !== 1)
    .map(({ receiptHandle }) => ({ receiptHandle, seconds: Math.round(visibilitySeconds * (0.5 + random())) }));
  await postpone(apart, deadline);
  const turns = intoTurns(
    deliveries.filter((delivery) => !isFresh(delivery)),
    random,
  );
  const isFreshFirst = random() * deliveries.length <= fresh.length;
  if (fresh.length > 0) turns.splice(isFreshFirst ? 0 : turns.length, 0, fresh);
  for (const turn of turns) {
    // One old event may be all that the database fails on, so it does not speak for the fresh ones.
    if ((turn !== fresh && total.failure?.isOutage) || Date.now() + CHUNK_MIN_REMAINING_MS > deadline) {
      total.failed.push(...turn);
      continue;
    }
    let result: BatchResult;
    try {
      result = await rule(turn, deadline);
    } catch (error) {
      total.broken.push(...turn);
      total.errors.push(error);
      continue;
    }
    const done = add(result, turn, total);
    if (turns.length > 1) await acknowledge(done, deadline);
  }
  return total;
}

/** Handed out for the first time, and no copy of one that failed as often as to be renewed. */
function isFresh({ receiveCount, attempts }: ReceivedMessage): boolean {
  return receiveCount === 1 && attempts < RENEW_FROM_ATTEMPT;
}

function intoTurns(messages: ReceivedMessage[], random: () => number): ReceivedMessage[][] {
  const shuffled = messages
    .map((delivery) => ({ delivery, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ delivery }) => delivery);
  const size = Math.ceil(shuffled.length / RETURNED_MAX_TURNS);
  const turns: ReceivedMessage[][] = [];
  for (let i = 0; i < shuffled.length; i += size) turns.push(shuffled.slice(i, i + size));
  return turns;
}

/** Adds a turn's result to the total, and answers the messages that are done. */
function add(
  { failed, failure, conflicts = [], metrics }: BatchResult,
  turn: ReceivedMessage[],
  total: TurnsResult,
): ReceivedMessage[] {
  const again = new Set(failed.map(({ messageId }) => messageId));
  total.failed.push(...turn.filter(({ messageId }) => again.has(messageId)));
  total.failure = failure ?? total.failure;
  total.conflicts.push(...conflicts);
  for (const [name, value] of Object.entries(metrics) as [MetricName, number][])
    total.metrics[name] = (total.metrics[name] ?? 0) + value;
  return turn.filter(({ messageId }) => !again.has(messageId));
}
