import { createListReader } from "../../functions/adapters/data-api/list-reader.ts";
import { createCursors } from "../../functions/core/cursor.ts";
import type { SqlDatabase } from "../../functions/core/ports.ts";
import { createList, type ListRequest } from "../../functions/query/list.ts";
import { writePage } from "../../functions/query/write-page.ts";
import type { Selection } from "../../functions/core/selection.ts";
import { soon, type TestDatabase } from "./database.ts";
import { eventually } from "./eventually.ts";
import { adminOf } from "./principal.ts";

/** A page as the API answers it. */
export type Page = {
  events: { id: string; source: string; type: string; tenant: string; receivedat: string; data?: unknown }[];
  next: string | null;
  prev: string | null;
  complete: boolean;
  plan: "index" | "scan";
  scanned: { rows: number };
  count?: { value: number; relation: string };
};

export type Changes = Partial<Omit<ListRequest, "principal">> &
  Partial<ListRequest["principal"]> & { select?: Selection };

/** Lists events over the reader of a database; what a test does not say is as in a request without parameters. */
export function openLists(database: SqlDatabase, options: { budgetMs?: number } = {}) {
  const list = createList({
    reader: createListReader(database),
    cursors: createCursors(async () => new TextEncoder().encode("a secret of tests")),
    clock: () => new Date(),
    ...options,
  });

  async function text({ tenant = "default", types, sources, select, ...changes }: Changes = {}): Promise<string> {
    const page = await list({
      principal: { ...adminOf(tenant), types, sources },
      filter: undefined,
      received: { from: undefined, to: undefined },
      produced: { from: undefined, to: undefined },
      order: "-receivedAt",
      limit: 100,
      cursor: undefined,
      count: "none",
      deadline: soon(),
      ...changes,
    });
    return writePage(page, select);
  }

  async function page(changes?: Changes): Promise<Page> {
    return JSON.parse(await text(changes)) as Page;
  }

  /** The pages of a list from its first to its last, or from a page back to the first. */
  async function* walk(changes: Changes, direction: "next" | "prev" = "next"): AsyncGenerator<Page> {
    let { cursor } = changes;
    for (;;) {
      const each = await page({ ...changes, cursor });
      yield each;
      const to = each[direction];
      if (to === null) return;
      if (to === cursor) throw new Error("The page behind a cursor ends where it begins.");
      cursor = to;
    }
  }

  return { text, page, walk };
}

/**
 * Waits until every stored event is below the horizon, and so in a list that begins now. Any writer holds the horizon, also
 * one of another database on the server of the tests.
 */
export async function untilListed(db: TestDatabase): Promise<void> {
  await eventually(
    () =>
      db.ask<{ listed: boolean }>(
        "select coalesce(max(transaction_number), 0) < event_horizon() as listed from events",
      ),
    ([row]) => row?.listed === true,
  );
}
