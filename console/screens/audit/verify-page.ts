import { canonicalJson } from "../../../functions/core/canonical-json.ts";
import type { AuditEntry } from "../../types.ts";

/** Whether the chain of a page of the audit log holds, and the first entry at which it does not. */
export type ChainCheck = { kind: "whole" } | { kind: "broken"; number: number; why: string };

/**
 * Checks that each entry of a page has the hash of its own text and follows the one before. It finds a change between
 * these entries; `npm run audit -- verify` checks the whole log and its head.
 * @param entries neighbours, oldest first
 */
export async function verifyPage(entries: readonly AuditEntry[]): Promise<ChainCheck> {
  let last: AuditEntry | undefined;
  for (const entry of entries) {
    const { number } = entry;
    if ((await hashOf(entry)) !== entry.hash) return { kind: "broken", number, why: "it was edited" };
    if (last !== undefined && number !== last.number + 1)
      return { kind: "broken", number: last.number + 1, why: "it is missing" };
    if (last !== undefined && entry.previous !== last.hash)
      return { kind: "broken", number, why: "it does not follow the entry before" };
    last = entry;
  }
  return { kind: "whole" };
}

async function hashOf({ hash: _hash, ...entry }: AuditEntry): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonicalJson(entry)));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
