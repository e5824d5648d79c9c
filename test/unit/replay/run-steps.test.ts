import { describe, expect, it } from "vitest";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { createRunSteps } from "../../../functions/replay/run-steps.ts";
import type { StepOutcome } from "../../../functions/replay/step.ts";
import { JOB_ID } from "./support.ts";

const message = (body: string) => ({ messageId: "m-1", body, receiveCount: 1 }) as ReceivedMessage;
const run = (body: string, result: StepOutcome = { kind: "postponed" }) =>
  createRunSteps(async () => result)([message(body)], 0);
const step = JSON.stringify({ id: JOB_ID, attempts: 1 });

describe("the messages of steps", () => {
  it.each(["no JSON", "{}", "[]", '{"id":1}', `{"id":"${JOB_ID}","looks":-1}`])(
    "a message %s, which is no step, stays in its queue",
    async (body) => {
      const { remaining, level } = await run(body);

      expect([remaining.length, level]).toEqual([1, "warn"]);
    },
  );

  it("a step whose next message nobody confirmed stays in its queue, and any other is done with", async () => {
    const kept = await Promise.all(
      [
        { kind: "unsent" as const },
        { kind: "absent" as const },
        { kind: "postponed" as const },
        { kind: "retried" as const, reason: "outage" },
        { kind: "settled" as const, unsettled: 0, open: 0 },
      ].map(async (result) => (await run(step, result)).remaining.length),
    );

    expect(kept).toEqual([1, 0, 0, 0, 0]);
  });

  it("a step reports the dead letters that are open, by which the alarm ends", async () => {
    const { metrics, fields } = await run(step, { kind: "ended", state: "done", sent: 3, open: 0 });

    expect(metrics).toEqual({ OpenDeadLetters: 0 });
    expect(fields.replay).toMatchObject({ id: JOB_ID, outcome: "ended", state: "done", sent: 3 });
  });

  it("a replay that failed is counted for its alarm, and one that was cancelled is not", async () => {
    const failed = await run(step, { kind: "ended", state: "failed", reason: "key_ended", sent: 0, open: 5 });
    const cancelled = await run(step, { kind: "ended", state: "cancelled", sent: 0, open: 5 });

    expect(failed).toMatchObject({ level: "warn", metrics: { ReplaysFailed: 1 } });
    expect(cancelled.metrics).toEqual({ OpenDeadLetters: 5 });
  });
});
