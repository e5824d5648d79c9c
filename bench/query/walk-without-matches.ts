import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
import { createCursors } from "../../functions/core/cursor.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { createList } from "../../functions/query/list.ts";

/** Every event passes the check of one member, and none matches. */
const NOTHING = { data: { unit: [{ wildcard: "*no*such*text*" }] } };

/**
 * Follows the pages of a filter that matches nothing, by the rule of `GET /events`, to the end of the tenant's rows.
 * @returns the seconds of the slowest page
 * @throws Error unless the pages together read every row and found none
 */
export async function walkWithoutMatches(reader: SqlDatabase, tenant: string, rows: number): Promise<number> {
  const list = createList({
    reader: createListReader(reader),
    cursors: createCursors(async () => new TextEncoder().encode("the secret of a benchmark")),
    clock: () => new Date(),
  });
  let slowest = 0;
  let scanned = 0;
  for (let cursor: string | undefined; ; ) {
    const started = performance.now();
    const page = await list({
      principal: { tenant, types: undefined, sources: undefined },
      filter: NOTHING,
      received: { from: undefined, to: undefined },
      produced: { from: undefined, to: undefined },
      order: "-receivedAt",
      limit: 100,
      cursor,
      count: "none",
      deadline: Date.now() + 60_000,
    });
    slowest = Math.max(slowest, (performance.now() - started) / 1_000);
    if (page.events.length > 0) throw new Error(`The filter matched ${page.events.length} events.`);
    scanned += page.scanned;
    if (page.next === null) break;
    cursor = page.next;
  }
  if (scanned !== rows) throw new Error(`The pages read ${scanned} of ${rows} rows.`);
  return slowest;
}
