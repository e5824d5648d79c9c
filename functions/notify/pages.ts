import type { Cursors } from "../core/cursor.ts";
import type { ListPage, PageOf } from "../core/subscription-store.ts";

/** A part of a list; `next` is the cursor of the rest. */
export type Page<Item> = { items: Item[]; next: string | null };

/**
 * Reads a part of a list of a tenant. The position that the store gives is signed, so that it gets no other one back.
 * @param list the name of the list and its conditions
 * @throws RequestError `bad_cursor`, `cursor_mismatch`; AccessError; what `read` throws
 */
export async function readPage<Item>(
  cursors: Cursors,
  { tenant, list, after, limit }: PageOf & { tenant: string; list: readonly unknown[] },
  read: (page: PageOf) => Promise<ListPage<Item>>,
): Promise<Page<Item>> {
  const binding = { tenant, request: list };
  const position = after === undefined ? undefined : ((await cursors.read("subscriptions", binding, after)) as string);
  const { items, next } = await read({ after: position, limit });
  return { items, next: next === undefined ? null : await cursors.write("subscriptions", binding, next) };
}
