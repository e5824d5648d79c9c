import { AccessError } from "../core/access.ts";
import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import type { StoreMarker } from "../core/feed.ts";
import type { Clock } from "../core/ports.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { readJson } from "../core/read-json.ts";
import type { RefusalsMessage } from "../core/refusal.ts";
import { statusMessage, type StatusMessage } from "../core/status-message.ts";
import type { TakeOutcome } from "./take-ledger.ts";

type Read = { message: ReceivedMessage; content: StatusMessage };

/**
 * Handles the messages of the queue of `status`: all that ask for a snapshot are one request, all that ask for a mark are another, and
 * refusals are counted together. A message that nobody can read stays, and becomes a dead letter.
 */
export function createRunMessages({
  countRefusals,
  marker,
  takeLedger,
  clock,
}: {
  /** Throws AccessError where refusals could not be written. */
  countRefusals: (messages: readonly RefusalsMessage[]) => Promise<void>;
  marker: StoreMarker;
  takeLedger: (due: number, until: number) => Promise<TakeOutcome>;
  clock: Clock;
}): BatchRule {
  return async (messages, until) => {
    const read = messages.flatMap((message): Read[] => {
      const content = readJson(statusMessage, message.body);
      return content === undefined ? [] : [{ message, content }];
    });
    const readable = new Set(read.map(({ message }) => message));
    const remaining = messages.filter((message) => !readable.has(message));
    const outcome: BatchOutcome = {
      remaining,
      level: remaining.length > 0 ? "warn" : "info",
      fields: { failedMessages: 0, requeuedMessages: 0 },
      metrics: {},
    };
    if (remaining.length > 0) outcome.fields.unreadable = remaining.length;
    const refused = read.flatMap(({ message, content }) => (content.kind === "refusals" ? [{ message, content }] : []));
    const unmarked = read.flatMap(({ message, content }) => (content.kind === "mark" ? [message] : []));
    // Both before the snapshot, which may wait for the database.
    if (unmarked.length > 0 && !(await answered(marker.change(undefined, clock().getTime() + MARK_MS))))
      addUnavailable(outcome, unmarked);
    if (refused.length > 0)
      addCounted(outcome, await answered(countRefusals(refused.map(({ content }) => content))), refused);
    const asked = read.flatMap(({ message, content }) => (content.kind === "ledger" ? [{ message, content }] : []));
    if (asked.length > 0) {
      // A message that comes again may be of a snapshot that was killed, which left ledgers of its own moment behind a later one.
      const now = clock().getTime();
      const due = asked.map(({ message, content }) => (message.receiveCount > 1 ? now : content.due));
      const taken = await takeLedger(Math.max(...due), until);
      addTaken(outcome, taken, asked);
    }
    outcome.fields.failedMessages = remaining.length;
    return outcome;
  };
}

function addTaken(outcome: BatchOutcome, taken: TakeOutcome, asked: readonly Read[]): void {
  const { kind, ...facts } = taken;
  outcome.fields.ledger = { outcome: kind, ...facts };
  switch (taken.kind) {
    case "fresh":
      break;
    case "taken":
      outcome.metrics.LedgerDifference = taken.difference;
      if (taken.difference > 0) outcome.level = "warn";
      break;
    case "postponed":
      outcome.fields.requeuedMessages += 1;
      outcome.level = "warn";
      break;
    case "failed":
      outcome.remaining.push(...asked.map(({ message }) => message));
      outcome.level = "warn";
      break;
    default:
      taken satisfies never;
  }
}

/** An answer takes milliseconds; without one the message comes again. */
const MARK_MS = 5_000;

type Refused = { message: ReceivedMessage; content: RefusalsMessage };

function addCounted(outcome: BatchOutcome, counted: boolean, refused: readonly Refused[]): void {
  const groups = refused.flatMap(({ content }) => content.groups);
  outcome.fields.refusals = groups.reduce((sum, { count }) => sum + count, 0);
  if (counted) return;
  addUnavailable(
    outcome,
    refused.map(({ message }) => message),
  );
}

function addUnavailable(outcome: BatchOutcome, messages: readonly ReceivedMessage[]): void {
  outcome.remaining.push(...messages);
  outcome.fields.reason = "table_unavailable";
  outcome.level = "warn";
}

/** Tells whether the table answered. @throws every other error */
async function answered(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof AccessError) return false;
    throw error;
  }
}
