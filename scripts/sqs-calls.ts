import { setTimeout as delay } from "node:timers/promises";
import type { BatchResultErrorEntry } from "@aws-sdk/client-sqs";
import { SEND_BATCH_MAX_ENTRIES } from "../functions/core/limits.ts";

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

/** Cuts a list into those of one batch call. */
export function batchesOfTen<T>(items: T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / SEND_BATCH_MAX_ENTRIES) }, (_, index) =>
    items.slice(index * SEND_BATCH_MAX_ENTRIES, (index + 1) * SEND_BATCH_MAX_ENTRIES),
  );
}

/** Runs `work` for each item, `limit` at a time. The first error stops the rest and is thrown when all have ended. */
export async function mapConcurrently<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const worker = async () => {
    try {
      for (let next = left.next(); !next.done && errors.length === 0; next = left.next()) await work(next.value);
    } catch (error) {
      errors.push(error);
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (errors.length > 0) throw errors[0];
}
