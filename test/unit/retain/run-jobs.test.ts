import { describe, expect, it } from "vitest";
import type { BatchOutcome } from "../../../functions/core/batch.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import type { ErasureOutcome } from "../../../functions/retain/erasure-step.ts";
import type { RestoreOutcome } from "../../../functions/retain/restore-step.ts";
import { createRunJobs } from "../../../functions/retain/run-jobs.ts";

const message = (body: string) => ({ messageId: "m-1", body, receiveCount: 1 }) as ReceivedMessage;
const OTHERS: BatchOutcome = {
  remaining: [],
  level: "warn",
  fields: { failedMessages: 7, requeuedMessages: 0 },
  metrics: {},
};
const others = async () => OTHERS;
const restore = (outcome: RestoreOutcome, bodies = ['{"restore":"rst_1","attempts":1}']) =>
  createRunJobs("restore", async () => outcome, others)(bodies.map(message), 0);
const erase = (outcome: ErasureOutcome, bodies = ['{"erasure":"ers_1"}']) =>
  createRunJobs("erasure", async () => outcome, others)(bodies.map(message), 0);

describe("the messages of jobs", () => {
  it.each(["no JSON", "{}", "[]", '{"restore":1}', '{"restore":"rst_1","attempts":-1}', '{"erasure":"ers_1"}'])(
    "a message %s is none of a restore, and another rule has it",
    async (body) => {
      expect(await restore({ kind: "over" }, [body])).toBe(OTHERS);
    },
  );

  it("a message of another rule in the batch of a job stays for the next delivery", async () => {
    const { remaining, fields } = await erase({ kind: "over" }, ['{"restore":"rst_1"}', '{"erasure":"ers_1"}']);

    expect(remaining.map(({ body }) => body)).toEqual(['{"restore":"rst_1"}']);
    expect(fields).toMatchObject({ failedMessages: 1, erasure: { id: "ers_1", outcome: "over" } });
  });

  it("a step whose next message nobody confirmed stays in its queue, and any other is done with", async () => {
    const kept = await Promise.all(
      [
        { kind: "unsent" as const },
        { kind: "absent" as const },
        { kind: "superseded" as const },
        { kind: "retried" as const, reason: "outage" },
        { kind: "continued" as const, read: 1, restored: 1 },
      ].map(async (outcome) => (await restore(outcome)).remaining.length),
    );

    expect(kept).toEqual([1, 0, 0, 0, 0]);
  });

  it("a step that was sent again is counted, and only one that failed is a warning", async () => {
    expect(await erase({ kind: "retried", reason: "down" })).toMatchObject({
      level: "warn",
      fields: { requeuedMessages: 1 },
    });
    expect(await erase({ kind: "postponed" })).toMatchObject({ level: "info", fields: { requeuedMessages: 1 } });
    expect(await erase({ kind: "settling", place: "rows" })).toMatchObject({
      level: "info",
      fields: { requeuedMessages: 0 },
    });
  });

  it("a restore that failed is counted for its alarm, and the line has its facts", async () => {
    const failed = {
      kind: "ended" as const,
      state: "failed" as const,
      reason: "archive_changed" as const,
      read: 3,
      restored: 2,
    };

    const { level, metrics, fields } = await restore(failed);

    expect([level, metrics]).toEqual(["warn", { RestoresFailed: 1 }]);
    expect(fields.restore).toEqual({
      id: "rst_1",
      outcome: "ended",
      state: "failed",
      reason: "archive_changed",
      read: 3,
      restored: 2,
    });
    expect((await restore({ ...failed, state: "done", reason: undefined })).metrics).toEqual({});
  });

  it("an erasure that failed is counted for its alarm, and the line has what it erased", async () => {
    const outcome = await erase({ kind: "ended", state: "failed", reason: "on_hold", erased: 3, open: 2 });

    expect(outcome).toMatchObject({
      remaining: [],
      level: "warn",
      metrics: { ErasuresFailed: 1, OpenDeadLetters: 2 },
      fields: { erasure: { id: "ers_1", outcome: "ended", state: "failed", reason: "on_hold", erased: 3 } },
    });
    expect((await erase({ kind: "ended", state: "done", erased: 3 })).metrics).toEqual({});
  });
});
