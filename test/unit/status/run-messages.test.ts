import { describe, expect, it } from "vitest";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { createRunMessages } from "../../../functions/status/run-messages.ts";

const message = (body: string) => ({ messageId: body, body }) as ReceivedMessage;

describe("the messages of the queue of status", () => {
  it("a message that is none of Sluice stays, and is counted", async () => {
    const bodies = ["{", "{}", '{"kind":"other"}', '{"kind":"ledger"}', '{"kind":"ledger","due":1}'];

    const outcome = await createRunMessages()(bodies.map(message), 0);

    expect(outcome.remaining.map(({ body }) => body)).toEqual(bodies.slice(0, 4));
    expect(outcome).toMatchObject({ level: "warn", fields: { failedMessages: 4, unreadable: 4 } });
  });
});
