import { describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import type { RefusalsMessage } from "../../../functions/core/refusal.ts";
import { createRunMessages } from "../../../functions/status/run-messages.ts";
import { refusalGroup } from "../../support/refusal-samples.ts";

const refusals = (id: string, count: number) =>
  JSON.stringify({ kind: "refusals", id, groups: [refusalGroup({ count })] });

const message = (body: string) => ({ messageId: body, body }) as ReceivedMessage;

describe("the messages of the queue of status", () => {
  it("a message that is none of Sluice stays, and is counted", async () => {
    const bodies = ["{", "{}", '{"kind":"other"}', '{"kind":"ledger"}', '{"kind":"ledger","due":1}'];

    const outcome = await createRunMessages({ countRefusals: () => Promise.resolve() })(bodies.map(message), 0);

    expect(outcome.remaining.map(({ body }) => body)).toEqual(bodies.slice(0, 4));
    expect(outcome).toMatchObject({ level: "warn", fields: { failedMessages: 4, unreadable: 4 } });
  });

  it("refusals are counted together, and their messages are done", async () => {
    const counted: RefusalsMessage[][] = [];
    const countRefusals = async (messages: readonly RefusalsMessage[]) => void counted.push([...messages]);

    const outcome = await createRunMessages({ countRefusals })([refusals("a", 2), refusals("b", 3)].map(message), 0);

    expect(counted.map((messages) => messages.map(({ id }) => id))).toEqual([["a", "b"]]);
    expect(outcome).toMatchObject({ remaining: [], level: "info", fields: { failedMessages: 0, refusals: 5 } });
  });

  it("refusals whose table does not answer come again, and no other message does", async () => {
    const countRefusals = () => Promise.reject(new AccessError("DynamoDB did not answer a call."));
    const ledger = '{"kind":"ledger","due":1}';

    const outcome = await createRunMessages({ countRefusals })([ledger, refusals("a", 2)].map(message), 0);

    expect(outcome.remaining.map(({ body }) => body)).toEqual([refusals("a", 2)]);
    expect(outcome).toMatchObject({ level: "warn", fields: { failedMessages: 1, reason: "table_unavailable" } });
  });

  it("a fault of ours while refusals are counted fails the invocation", async () => {
    const countRefusals = () => Promise.reject(new TypeError("a fault"));

    await expect(createRunMessages({ countRefusals })([message(refusals("a", 2))], 0)).rejects.toThrow("a fault");
  });
});
