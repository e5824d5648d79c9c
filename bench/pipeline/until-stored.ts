import { setTimeout as delay } from "node:timers/promises";
import { requestOf } from "./events.ts";
import { messagesOf } from "./operations.ts";
import type { Pipeline } from "./pipeline.ts";
import type { LoadReport } from "./run-load.ts";

/**
 * Waits until this number of events of a source is stored.
 * @returns the time of the last one, ms since the epoch by the machine's clock, which the load generator shares
 * @throws Error with the number of stored events after a minute without progress
 */
export async function untilStored(pipeline: Pipeline, source: string, events: number): Promise<number> {
  let before = -1;
  let lastProgress = Date.now();
  for (;;) {
    const asked = performance.now();
    const [row] = await pipeline.ask(
      `select count(*)::integer as stored, (extract(epoch from max(stored_at)) * 1000)::float as last
       from ${pipeline.table} where source = $1`,
      [source],
    );
    const stored = Number(row?.["stored"]);
    if (stored === events) return Number(row?.["last"]);
    if (stored > events) throw new Error(`${stored} events of ${source} are stored, but ${events} were sent.`);
    if (stored > before) lastProgress = Date.now();
    before = stored;
    if (Date.now() - lastProgress > STALLED_MS)
      throw new Error(`Only ${stored} of ${events} events of ${source} were stored.`);
    await delay(Math.max(POLL_MS, (performance.now() - asked) / POLL_SHARE));
  }
}

/** Waits until a counted pipeline has deleted every sent message; nothing is counted afterwards. */
export async function untilDeleted(pipeline: Pipeline): Promise<void> {
  for (const deadline = Date.now() + DELETED_WITHIN_MS; ; ) {
    const operations = pipeline.operations();
    const sent = messagesOf(operations, "SendMessage", "SendMessageBatch");
    const deleted = messagesOf(operations, "DeleteMessage", "DeleteMessageBatch");
    if (deleted >= sent) return;
    if (Date.now() > deadline) throw new Error(`Of ${sent} messages only ${deleted} were deleted.`);
    await delay(POLL_MS);
  }
}

/**
 * Measures the milliseconds from each event's 202 to the insert of its row. The statement commits some milliseconds later,
 * after its whole chunk. A row that was written before the client read its answer counts as 0.
 */
export async function writtenAfter(pipeline: Pipeline, source: string, report: LoadReport): Promise<number[]> {
  const rows = await pipeline.ask(
    `select id, (extract(epoch from stored_at) * 1000)::float as stored from ${pipeline.table} where source = $1`,
    [source],
  );
  return rows.flatMap(({ id, stored }) => {
    const accepted = report.acceptedAt[requestOf(String(id))];
    return accepted === undefined || accepted === null ? [] : [Math.max(0, Number(stored) - accepted)];
  });
}

/**
 * The interval between polls; the result is the row's own time, not the time of the poll. A poll reads all rows, so it may
 * take only a share of the time, or it would slow the stack down.
 */
const POLL_MS = 100;
const POLL_SHARE = 0.05;
const STALLED_MS = 60_000;
const DELETED_WITHIN_MS = 30_000;
