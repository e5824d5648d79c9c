import { describe, expect, it } from "vitest";
import { decideOutcome } from "../../../localstack/event-source/outcome.ts";
import type { InvokeResult } from "../../../localstack/lambda/invoke.ts";

const BATCH = ["a", "b", "c"];

const answered = (payload: string): InvokeResult => ({ kind: "success", payload });
const report = (payload: string) => decideOutcome(answered(payload), BATCH, true);

describe("a report of batch item failures deletes the whole batch when it is", () => {
  it.each([
    ["an empty list", '{"batchItemFailures": []}'],
    ["a null list", '{"batchItemFailures": null}'],
    ["an empty object", "{}"],
    ["null", "null"],
    ["nothing, as from a function without a return", ""],
  ])("a report of batch item failures deletes the whole batch when it is %s", (_, payload) => {
    expect(report(payload)).toEqual({ kind: "settled", deleted: BATCH, failed: [], reason: undefined });
  });
});

describe("a report of batch item failures keeps the whole batch when it has", () => {
  it.each([
    ["invalid JSON", '{"batchItemFailures": [', "not JSON"],
    ["a null itemIdentifier", '{"batchItemFailures": [{"itemIdentifier": null}]}', "no itemIdentifier"],
    ["an empty itemIdentifier", '{"batchItemFailures": [{"itemIdentifier": ""}]}', "no itemIdentifier"],
    ["a misspelt itemIdentifier", '{"batchItemFailures": [{"itemIdentifer": "a"}]}', "no itemIdentifier"],
    ["a number for an itemIdentifier", '{"batchItemFailures": [{"itemIdentifier": 1}]}', "no itemIdentifier"],
    ["a bare id instead of an object", '{"batchItemFailures": ["a"]}', "no itemIdentifier"],
    ["an id that is not in the batch", '{"batchItemFailures": [{"itemIdentifier": "z"}]}', "z is not in the batch"],
    [
      "a good id and one not in the batch",
      '{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "z"}]}',
      "z is not in the batch",
    ],
    ["a list that is an object", '{"batchItemFailures": {"itemIdentifier": "a"}}', "no list"],
    ["only keys that Lambda does not know", '{"batchItemFailure": [{"itemIdentifier": "a"}]}', "no list"],
    ["a text for an answer", '"done"', "not an object"],
    ["a list for an answer", "[]", "not an object"],
    ["a number for an answer", "1", "not an object"],
  ])("a report of batch item failures keeps the whole batch when it has %s", (_, payload, reason) => {
    expect(report(payload)).toEqual({
      kind: "settled",
      deleted: [],
      failed: BATCH,
      reason: expect.stringContaining(reason),
    });
  });
});

describe("a report of batch item failures", () => {
  it("a report of batch item failures deletes the messages it does not name and keeps those it names", () => {
    expect(report('{"batchItemFailures": [{"itemIdentifier": "b"}]}')).toEqual({
      kind: "settled",
      deleted: ["a", "c"],
      failed: ["b"],
      reason: undefined,
    });
  });

  it("a report of batch item failures may name a message twice", () => {
    const twice = '{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}';

    expect(report(twice)).toMatchObject({ deleted: ["a", "c"], failed: ["b"] });
  });

  it("a report of batch item failures may name every message", () => {
    const all = JSON.stringify({ batchItemFailures: BATCH.map((id) => ({ itemIdentifier: id })) });

    expect(report(all)).toMatchObject({ deleted: [], failed: BATCH });
  });
});

describe("a function that does not answer keeps the whole batch:", () => {
  it.each<[string, InvokeResult, string]>([
    ["an error", { kind: "error", errorType: "TypeError", errorMessage: "no", stack: [] }, "TypeError: no"],
    ["a timeout", { kind: "timeout", seconds: 60 }, "timed out after 60 s"],
    ["a crash", { kind: "crash", detail: "killed by SIGKILL" }, "killed by SIGKILL"],
  ])("a function that does not answer keeps the whole batch: %s", (_, result, reason) => {
    for (const reportBatchItemFailures of [true, false]) {
      expect(decideOutcome(result, BATCH, reportBatchItemFailures)).toEqual({
        kind: "settled",
        deleted: [],
        failed: BATCH,
        reason,
      });
    }
  });
});

describe("without reports of batch item failures", () => {
  it.each(["", "null", "not JSON", '{"batchItemFailures": [{"itemIdentifier": "a"}]}'])(
    "without reports of batch item failures any answer deletes the whole batch: %j",
    (payload) => {
      expect(decideOutcome(answered(payload), BATCH, false)).toMatchObject({ deleted: BATCH, failed: [] });
    },
  );
});

describe("a throttled invocation", () => {
  it("a throttled invocation is tried again", () => {
    expect(decideOutcome({ kind: "throttle" }, BATCH, true)).toEqual({ kind: "retry-invoke" });
  });
});
