import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import { statusMessage, type StatusMessage } from "../core/status-message.ts";
import type { TakeOutcome } from "./take-ledger.ts";

type Read = { message: ReceivedMessage; content: StatusMessage };

/**
 * Handles the messages of the queue of `status`: all that ask for a snapshot are one request. A message that nobody can read stays, and
 * becomes a dead letter.
 */
export function createRunMessages({
  takeLedger,
}: {
  takeLedger: (due: number, until: number) => Promise<TakeOutcome>;
}): BatchRule {
  return async (messages, until) => {
    const read = messages.flatMap((message): Read[] => {
      const content = parse(message.body);
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
    const asked = read.filter(({ content }) => content.kind === "ledger");
    if (asked.length > 0) {
      const taken = await takeLedger(Math.max(...asked.map(({ content }) => content.due)), until);
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

function parse(body: string): StatusMessage | undefined {
  try {
    return statusMessage.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
