import { textOfMessage } from "../../../functions/core/message-text.ts";
import type { SentEvent } from "./client.ts";
import type { FaultStack } from "./fault-stack.ts";

/** `late`: SQS fails twice; `never`: whenever it is asked; `refused`: for what the message is. */
export type Fate = "taken" | "late" | "never" | "refused";

/**
 * From now on the messages of ingest meet these fates, in the order in which they are first sent. SQS answers 200 whatever
 * they are.
 * @returns whether the message of an event was taken
 */
export function failByFate(stack: FaultStack, fates: readonly Fate[]): (id: string) => boolean {
  const messages = new Map<string, { fate: Fate | undefined; tries: number }>();
  const taken = new Set<string>();
  stack.sqs.setFaults({
    kind: "failEntries",
    action: "SendMessageBatch",
    queue: stack.queue.name,
    entries: ({ MessageBody: body = "" }) => {
      const ids = (JSON.parse(textOfMessage(body).text) as { events: SentEvent[] }).events.map(({ id }) => id);
      const [first = ""] = ids;
      const message = messages.get(first) ?? { fate: fates[messages.size], tries: 0 };
      messages.set(first, message);
      message.tries += 1;
      if (message.fate === "refused") return "sender";
      const fails = message.fate === "never" || (message.fate === "late" && message.tries <= 2);
      if (!fails) for (const id of ids) taken.add(id);
      return fails;
    },
  });
  return (id) => taken.has(id);
}
