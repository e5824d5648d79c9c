import { beforeEach, describe, expect, it } from "vitest";
import { askBehindBatch, changesDeadLetters } from "../../../functions/core/ask-behind-batch.ts";
import type { BatchOutcome, BatchRule } from "../../../functions/core/batch.ts";

let outcome: BatchOutcome;
let steps: string[];
let isConfirmed: boolean;
let rule: BatchRule;
beforeEach(() => {
  outcome = { remaining: [], level: "info", fields: { failedMessages: 0, requeuedMessages: 0 }, metrics: {} };
  steps = [];
  isConfirmed = true;
  rule = askBehindBatch(
    async () => {
      steps.push("batch");
      return outcome;
    },
    {
      ask: async () => {
        steps.push("ask");
        return isConfirmed;
      },
      clock: () => new Date(0),
      isChange: changesDeadLetters,
      onUnsent: () => steps.push("unsent"),
    },
  );
});

describe("a batch that changes the ledger", () => {
  it("a batch that reports open dead letters, also none, asks for a snapshot behind it", async () => {
    outcome.metrics = { OpenDeadLetters: 0 };

    expect(await rule([], 0)).toBe(outcome);

    expect(steps).toEqual(["batch", "ask"]);
  });

  it("a batch that reports none asks for nothing", async () => {
    await rule([], 0);

    expect(steps).toEqual(["batch"]);
  });

  it("a request that was not confirmed is sent behind the next batch, whatever that does", async () => {
    outcome.metrics = { OpenDeadLetters: 3 };
    isConfirmed = false;
    await rule([], 0);
    outcome.metrics = {};
    isConfirmed = true;

    await rule([], 0);
    await rule([], 0);

    expect(steps).toEqual(["batch", "ask", "unsent", "batch", "ask", "batch"]);
  });
});
