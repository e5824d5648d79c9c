import { describe, expect, it } from "vitest";
import type { BatchRule } from "../../../functions/core/batch.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import type { ErasureOutcome } from "../../../functions/retain/erasure-step.ts";
import { createRunErasures } from "../../../functions/retain/run-erasures.ts";

const message = (body: string) => ({ messageId: "m", body }) as ReceivedMessage;
const others: BatchRule = async (messages) => ({
  remaining: messages,
  level: "info",
  fields: { failedMessages: 7, requeuedMessages: 0 },
  metrics: {},
});
const run = (outcome: ErasureOutcome, body = '{"erasure":"ers_1"}') =>
  createRunErasures(async () => outcome, others)([message(body)], 0);

describe("the messages of erasures", () => {
  it.each(["no JSON", "{}", '{"erasure":1}', '{"restore":"rst"}'])("%s is for the other rule", async (body) => {
    expect((await run({ kind: "over" }, body)).fields.failedMessages).toBe(7);
  });

  it("a failed erasure is counted for its alarm, and what it erased is in the line", async () => {
    const outcome = await run({ kind: "ended", state: "failed", reason: "on_hold", erased: 3, open: 2 });

    expect(outcome).toMatchObject({
      remaining: [],
      level: "warn",
      metrics: { ErasuresFailed: 1, OpenDeadLetters: 2 },
      fields: { erasure: { id: "ers_1", outcome: "ended", state: "failed", reason: "on_hold", erased: 3 } },
    });
  });

  it("an erasure that is done, or goes on, alarms nobody", async () => {
    expect((await run({ kind: "ended", state: "done", erased: 3 })).metrics).toEqual({});
    expect((await run({ kind: "settling", place: "rows" })).level).toBe("info");
  });

  it("a message whose next one was not sent stays in the queue", async () => {
    expect((await run({ kind: "unsent" })).remaining).toHaveLength(1);
    expect((await run({ kind: "retried", reason: "down" })).fields.requeuedMessages).toBe(1);
  });
});
