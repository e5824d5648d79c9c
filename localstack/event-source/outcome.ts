import { isObject } from "../is-object.ts";
import { explainFailure, type InvokeResult } from "../lambda/invoke.ts";

/** The outcome of a batch. Messages that are not deleted are delivered again after their visibility timeout. */
export type Outcome =
  | { kind: "retry-invoke" }
  | { kind: "settled"; deleted: string[]; failed: string[]; reason: string | undefined };

/**
 * Lambda's contract for the result of a batch, row by row:
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 * Where the page is silent the stricter reading applies: no message is deleted that AWS might keep.
 */
export function decideOutcome(result: InvokeResult, messageIds: string[], reportBatchItemFailures: boolean): Outcome {
  switch (result.kind) {
    case "throttle":
      return { kind: "retry-invoke" };
    case "success":
      return reportBatchItemFailures ? decideReport(result.payload, messageIds) : allDeleted(messageIds);
    default:
      return allFailed(messageIds, explainFailure(result));
  }
}

function decideReport(payload: string, messageIds: string[]): Outcome {
  const answer = parse(payload);
  if (answer === undefined) return allFailed(messageIds, "the answer is not JSON");
  if (answer.value === null) return allDeleted(messageIds);
  if (!isObject(answer.value)) return allFailed(messageIds, "the answer is not an object");
  const { batchItemFailures: failures } = answer.value;
  if (failures === null || Object.keys(answer.value).length === 0) return allDeleted(messageIds);
  if (!Array.isArray(failures)) return allFailed(messageIds, "the answer has no list batchItemFailures");

  const failed = new Set<string>();
  for (const failure of failures as unknown[]) {
    const id = isObject(failure) ? failure["itemIdentifier"] : undefined;
    if (typeof id !== "string" || id === "") {
      return allFailed(messageIds, `no itemIdentifier in ${JSON.stringify(failure)}`);
    }
    if (!messageIds.includes(id)) return allFailed(messageIds, `the itemIdentifier ${id} is not in the batch`);
    failed.add(id);
  }
  return {
    kind: "settled",
    deleted: messageIds.filter((id) => !failed.has(id)),
    failed: [...failed],
    reason: undefined,
  };
}

function allDeleted(messageIds: string[]): Outcome {
  return { kind: "settled", deleted: messageIds, failed: [], reason: undefined };
}

function allFailed(messageIds: string[], reason: string): Outcome {
  return { kind: "settled", deleted: [], failed: messageIds, reason };
}

/** A function without a return value has an empty payload, which counts as `null`. */
function parse(payload: string): { value: unknown } | undefined {
  if (payload.trim() === "") return { value: null };
  try {
    return { value: JSON.parse(payload) };
  } catch {
    return undefined;
  }
}
