import type { AuditEntry, AuditHead } from "../../core/access.ts";
import { NO_HEAD } from "../../core/audit.ts";
import { parseJson } from "../../core/parse-json.ts";
import type { Item } from "./items.ts";

/**
 * Items of the audit log, read as they are: also one that somebody has written by hand is read, so that verification can
 * name it.
 */

/** The number of the item that is the head. */
export const HEAD = 0;

/** Details are settings of keys and tenants, a few levels deep. Deeper ones would overflow the stack of whoever hashes them. */
const DETAILS_MAX_DEPTH = 16;

/** Stands where an item has no such text. It is no hash, so verification finds it. */
const UNREADABLE = "unreadable";

/** Reads an entry; a damaged one has another hash than that of its text. */
export function toEntry(item: Item): AuditEntry {
  const text = (name: string): string => item[name]?.S ?? "";
  return {
    tenant: text("tenant"),
    number: Number(item["number"]?.N),
    at: text("at"),
    who: text("who"),
    action: text("action"),
    target: text("target"),
    details: parseDetails(text("details")),
    requestId: text("requestId"),
    previous: text("previous"),
    hash: text("hash"),
  };
}

/** Reads the head; a damaged one has a number or a hash that no entry has. */
export function toHead(item: Item | undefined): AuditHead {
  if (item === undefined) return NO_HEAD;
  // Without a hash it would be as if there were no head.
  return { number: Number(item["last"]?.N ?? 0), hash: item["hash"]?.S || UNREADABLE };
}

function parseDetails(text: string): Record<string, unknown> {
  try {
    const details = parseJson(text);
    // Another text for the same details, such as one with a member twice, was not written by an append either.
    if (isRecord(details) && !isDeeperThan(DETAILS_MAX_DEPTH, details) && JSON.stringify(details) === text)
      return details;
  } catch {
    // Not what an append has written.
  }
  return { [UNREADABLE]: text };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}
