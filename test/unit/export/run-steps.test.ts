import { describe, expect, it } from "vitest";
import type { ReceivedMessage } from "../../../functions/core/queue-message.ts";
import { createRunSteps } from "../../../functions/export/run-steps.ts";
import type { StepOutcome } from "../../../functions/export/step.ts";
import { outage } from "./support.ts";

const message = (body: string): ReceivedMessage => ({
  messageId: "m-1",
  body,
  receiptHandle: "",
  receiveCount: 1,
  attempts: 1,
  replays: 0,
  deadLetterId: undefined,
  group: "acme",
  firstSentAt: 0,
});

const step = '{"tenant":"acme","id":"exp_1"}';
const run = (outcome: StepOutcome, body = step) => createRunSteps(async () => outcome)([message(body)], 0);

describe("the messages of steps", () => {
  it.each([
    ["continued", { kind: "continued", rows: 1 }],
    ["done", { kind: "done", rows: 1 }],
    ["failed", { kind: "failed", reason: "key_ended" }],
    ["tried again by another message", { kind: "retried", error: outage() }],
    ["of no job", { kind: "absent" }],
    ["of a finished job", { kind: "over" }],
    ["of a job that another step holds", { kind: "superseded" }],
  ] as const)("a message that is %s is done with", async (_, outcome) => {
    expect((await run(outcome)).remaining).toEqual([]);
  });

  it.each(["busy", "unsent"] as const)("a message whose step is %s stays in the queue", async (kind) => {
    const { remaining, fields } = await run({ kind });

    expect([remaining.length, fields.failedMessages]).toEqual([1, 1]);
  });

  it.each(["", "no JSON", "{}", '{"tenant":"acme"}', "[]"])(
    "the message %j, which is no step, stays and becomes a dead letter",
    async (body) => {
      const outcome = await run({ kind: "done", rows: 0 }, body);

      expect([outcome.remaining.length, outcome.level]).toEqual([1, "warn"]);
    },
  );

  it("the log has the job and what became of it, and no word of the database", async () => {
    const { fields } = await run({ kind: "retried", error: outage() });

    expect(fields.export).toEqual({ tenant: "acme", id: "exp_1", outcome: "retried", reason: "database_unavailable" });
  });

  it("a failed export is counted", async () => {
    expect((await run({ kind: "failed", reason: "crashed" })).metrics).toEqual({ ExportsFailed: 1 });
  });
});
