import type { SqlValue } from "../../core/ports.ts";
import type { Subscription } from "../../core/subscription.ts";
import type { ListPage } from "../../core/subscription-store.ts";

/** Reads a record as the functions of functions/sql/0009_subscriptions.sql write it: without its members that are null. */
export function toRecord(text: SqlValue | undefined): unknown {
  return JSON.parse(String(text), (_name, value: unknown) => value ?? undefined);
}

/** A subscription has the patterns of its key at its side there. */
export function toSubscription(text: string): Subscription {
  type Row = Omit<Subscription, "allowed"> & { types: string[] | undefined; sources: string[] | undefined };
  const { types, sources, ...subscription } = toRecord(text) as Row;
  return { ...subscription, allowed: { types, sources } };
}

/** Joins the pieces of records, rows of [id, piece], into one text for each id. */
export function joinById(rows: readonly SqlValue[][]): string[] {
  const texts = new Map<SqlValue, string>();
  for (const [id = null, piece] of rows) texts.set(id, (texts.get(id) ?? "") + String(piece));
  return [...texts.values()];
}

/** A page of numbered rows [number, text], of which one more than the limit was asked for. */
export function toNumberedPage(rows: readonly SqlValue[][], limit: number): ListPage<unknown> {
  const items = rows.slice(0, limit).map(([, text]) => toRecord(text));
  return { items, next: rows.length > limit ? String(rows[limit - 1]?.[0]) : undefined };
}
