import { setTimeout as delay } from "node:timers/promises";
import { requestOf } from "./events.ts";
import { messagesOf } from "./operations.ts";
import type { Pipeline } from "./pipeline.ts";
import type { LoadReport } from "./run-load.ts";

/**
 * Waits until so many events of a source are stored.
 * @returns when the last of them was, ms since the epoch by the machine's clock, which the load generator shares
 * @throws Error that says how many came, once none has come for a minute
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

/** Waits until a counted pipeline has deleted every message it sent: nothing more will be counted then. */
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
 * How long after its 202 each event was written, in milliseconds: when its row was inserted. The statement
 * that inserts it commits when its whole chunk is in, some milliseconds later. One that was written before the client had
 * read its answer counts as 0.
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
 * Between questions; what is measured is the row's own time, not when it was seen. A question reads all rows, and may not
 * take more than a share of the time, or it would slow down what it waits for.
 */
const POLL_MS = 100;
const POLL_SHARE = 0.05;
const STALLED_MS = 60_000;
const DELETED_WITHIN_MS = 30_000;
