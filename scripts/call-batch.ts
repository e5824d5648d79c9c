import { setTimeout as delay } from "node:timers/promises";
import type { BatchResultErrorEntry } from "@aws-sdk/client-sqs";

/** Attempts for an entry that fails by a fault of SQS; the pause between them doubles. */
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 100;

/**
 * Makes one batch call for up to ten items, and repeats it for the entries that failed by a fault of SQS. Returns the
 * items that failed in the end, each with the reason.
 * @throws Error when a call failed as a whole, also after the client's own attempts
 */
export async function callBatch<T>(
  items: T[],
  call: (entries: { Id: string; item: T }[]) => Promise<{ Failed?: BatchResultErrorEntry[] | undefined }>,
): Promise<Map<T, string>> {
  const failures = new Map<T, string>();
  let open = items.map((item, index) => ({ Id: String(index), item }));
  for (let attempt = 1; open.length > 0; attempt++) {
    const { Failed: failed = [] } = await call(open);
    const again: typeof open = [];
    for (const entry of open) {
      const failure = failed.find(({ Id }) => Id === entry.Id);
      if (failure === undefined) continue;
      if (failure.SenderFault || attempt === ATTEMPTS)
        failures.set(entry.item, `${failure.Code}: ${failure.Message ?? ""}`);
      else again.push(entry);
    }
    open = again;
    if (open.length > 0) await delay(FIRST_PAUSE_MS * 2 ** (attempt - 1));
  }
  return failures;
}
