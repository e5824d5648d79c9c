import { describe, expect, it } from "vitest";
import type { BatchOutcome } from "../../../functions/core/batch.ts";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import type { RestoreOutcome } from "../../../functions/retain/restore-step.ts";
import { createRunRestores } from "../../../functions/retain/run-restores.ts";
import { RESTORE } from "./restore-support.ts";

const message = (body: string) => ({ messageId: "m-1", body, receiveCount: 1 }) as ReceivedMessage;
const OTHERS: BatchOutcome = {
  remaining: [],
  level: "warn",
  fields: { failedMessages: 7, requeuedMessages: 0 },
  metrics: {},
};
const run = (body: string, result: RestoreOutcome = { kind: "over" }) =>
  createRunRestores(
    async () => result,
    async () => OTHERS,
  )([message(body)], 0);
const step = JSON.stringify({ restore: RESTORE, attempts: 1 });

describe("the messages of restores", () => {
  it.each(["no JSON", "{}", "[]", '{"restore":1}', '{"restore":"rst","attempts":-1}', '{"id":"rpl"}'])(
    "a message %s is none of a restore, and another rule has it",
    async (body) => {
      expect(await run(body)).toBe(OTHERS);
    },
  );

  it("a step whose next message nobody confirmed stays in its queue, and any other is done with", async () => {
    const kept = await Promise.all(
      [
        { kind: "unsent" as const },
        { kind: "absent" as const },
        { kind: "superseded" as const },
        { kind: "retried" as const, reason: "outage" },
        { kind: "continued" as const, read: 1, restored: 1 },
      ].map(async (result) => (await run(step, result)).remaining.length),
    );

    expect(kept).toEqual([1, 0, 0, 0, 0]);
  });

  it("a restore that failed is counted for the alarm, and the line has its facts", async () => {
    const failed = {
      kind: "ended" as const,
      state: "failed" as const,
      reason: "archive_changed" as const,
      read: 3,
      restored: 2,
    };

    const { level, metrics, fields } = await run(step, failed);

    expect([level, metrics]).toEqual(["warn", { RestoresFailed: 1 }]);
    expect(fields.restore).toEqual({
      id: RESTORE,
      outcome: "ended",
      state: "failed",
      reason: "archive_changed",
      read: 3,
      restored: 2,
    });
    expect((await run(step, { ...failed, state: "done", reason: undefined })).metrics).toEqual({});
  });
});
