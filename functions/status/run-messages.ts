import { AccessError } from "../core/access.ts";
import type { BatchOutcome, BatchRule } from "../core/batch.ts";
import type { ReceivedMessage } from "../core/queue-message.ts";
import type { RefusalsMessage } from "../core/refusal.ts";
import { statusMessage, type StatusMessage } from "../core/status-message.ts";

/**
 * Handles the messages of the queue of `status`. A message that nobody can read stays, and becomes a dead letter. Refusals that could not
 * be written stay, and come again.
 */
export function createRunMessages({
  countRefusals,
}: {
  countRefusals: (messages: readonly RefusalsMessage[]) => Promise<void>;
}): BatchRule {
  return async (messages) => {
    const unreadable: ReceivedMessage[] = [];
    const refused: { received: ReceivedMessage; message: RefusalsMessage }[] = [];
    for (const received of messages) {
      const message = read(received.body);
      if (message === undefined) unreadable.push(received);
      else if (message.kind === "refusals") refused.push({ received, message });
    }
    const isCounted = await isDone(() => countRefusals(refused.map(({ message }) => message)));
    const remaining = isCounted ? unreadable : [...unreadable, ...refused.map(({ received }) => received)];
    const outcome: BatchOutcome = {
      remaining,
      level: remaining.length > 0 ? "warn" : "info",
      fields: { failedMessages: remaining.length, requeuedMessages: 0 },
      metrics: {},
    };
    if (unreadable.length > 0) outcome.fields.unreadable = unreadable.length;
    if (refused.length > 0) outcome.fields.refusals = sumOf(refused.map(({ message }) => message));
    if (!isCounted) outcome.fields.reason = "table_unavailable";
    return outcome;
  };
}

function read(body: string): StatusMessage | undefined {
  try {
    return statusMessage.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/** Tells whether the tables answered. @throws every other error */
async function isDone(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof AccessError) return false;
    throw error;
  }
}

const sumOf = (messages: readonly RefusalsMessage[]): number =>
  messages.flatMap(({ groups }) => groups).reduce((sum, { count }) => sum + count, 0);
