import { createHash } from "node:crypto";
import type { AuditEntry, AuditHead } from "./access.ts";
import { canonicalJson } from "./canonical-json.ts";

/**
 * The chain of a tenant's audit log: each entry holds the hash of the one before, so that nobody can change, remove, add or
 * reorder entries unseen. Whoever can write the whole table can write a whole other chain: only a head that was remembered
 * elsewhere finds that.
 */

/** The head of a chain without entries, and what the first entry follows. */
export const EMPTY_HEAD: AuditHead = { number: 0, hash: "0".repeat(64) };

/** Stands for the head of a chain that has none: of one that was never written, or of one whose head was removed. */
export const NO_HEAD: AuditHead = { number: 0, hash: "" };

/** An entry without its place in the chain. */
export type NewEntry = Omit<AuditEntry, "number" | "previous" | "hash">;

/** Makes the entry that follows a head. */
export function chainEntry(head: AuditHead, entry: NewEntry): AuditEntry {
  const chained = { ...entry, number: head.number + 1, previous: head.hash };
  return { ...chained, hash: hashEntry(chained) };
}

/** SHA-256 over the canonical text of an entry, in hex. */
export function hashEntry(entry: Omit<AuditEntry, "hash">): string {
  const { tenant, number, at, who, action, target, details, requestId, previous } = entry;
  const text = canonicalJson({ tenant, number, at, who, action, target, details, requestId, previous });
  return createHash("sha256").update(text, "utf8").digest("hex");
}

export type AuditFault = {
  kind: "edited" | "added" | "missing" | "out_of_order" | "replaced" | "removed_at_end" | "wrong_head" | "rewritten";
  /** The entry. */
  number: number;
  message: string;
};

/**
 * Verifies a whole chain: all entries of a tenant from the first on, and the head.
 * @param remembered a head of this chain that was written down earlier, outside of the installation
 * @returns the first fault; undefined for a chain in which nothing was changed
 */
export function verifyChain(
  entries: readonly AuditEntry[],
  head: AuditHead,
  remembered: AuditHead = EMPTY_HEAD,
): AuditFault | undefined {
  let last = EMPTY_HEAD;
  for (const entry of entries) {
    const fault = verifyLink(last, entry);
    if (fault !== undefined) return fault;
    last = entry;
  }
  return verifyHead(entries, head) ?? verifyRemembered(entries, remembered);
}

function verifyLink(last: AuditHead, entry: AuditEntry): AuditFault | undefined {
  const { number } = entry;
  if (!Number.isSafeInteger(number)) {
    return { kind: "added", number, message: `Entry ${number} was added: no change gets such a number.` };
  }
  if (number <= last.number) {
    return {
      kind: "out_of_order",
      number,
      message: `Entry ${number} is out of order: it comes after entry ${last.number}.`,
    };
  }
  if (number > last.number + 1) {
    const missing = last.number + 1;
    return { kind: "missing", number: missing, message: `Entry ${missing} is missing: it was removed.` };
  }
  if (hashEntry(entry) !== entry.hash) {
    return { kind: "edited", number, message: `Entry ${number} was edited: its hash is that of another text.` };
  }
  if (entry.previous !== last.hash) {
    const message =
      number === 1
        ? "Entry 1 was replaced: it follows another entry than the beginning of a chain."
        : `Entry ${number - 1} or ${number} was replaced: the hash of the one is not what the other follows.`;
    return { kind: "replaced", number, message };
  }
  return undefined;
}

/** Says what is wrong with a head that no append has written; undefined for one that can be a head. */
export function headFault(head: AuditHead): string | undefined {
  const { number, hash } = head;
  if (isMissing(head)) return "it has no head, which was removed";
  const isOne = Number.isSafeInteger(number) && number >= 0 && /^[0-9a-f]{64}$/.test(hash);
  if (isOne && (number > 0 || hash === EMPTY_HEAD.hash)) return undefined;
  return `its head, which names entry ${number}, was edited`;
}

const isMissing = ({ number, hash }: AuditHead) => number === NO_HEAD.number && hash === NO_HEAD.hash;

/** A head that is one entry behind is that of an append which is under way or was ended before it moved the head. */
function verifyHead(entries: readonly AuditEntry[], head: AuditHead): AuditFault | undefined {
  const last = entries.at(-1) ?? EMPTY_HEAD;
  const fault = isMissing(head) && entries.length === 0 ? undefined : headFault(head);
  if (fault !== undefined)
    return { kind: "wrong_head", number: head.number, message: `The log was changed: ${fault}.` };
  if (head.number > last.number) {
    const message = `Entry ${last.number + 1} is missing: the head names entry ${head.number}, so the end was removed.`;
    return { kind: "removed_at_end", number: last.number + 1, message };
  }
  if (head.number < last.number - 1) {
    const message = `The head names entry ${head.number}, and there are ${last.number}: it was changed.`;
    return { kind: "wrong_head", number: head.number, message };
  }
  if (head.number === 0 || entries[head.number - 1]?.hash === head.hash) return undefined;
  const message = `Entry ${head.number} is not the one that the head names: one of the two was replaced.`;
  return { kind: "replaced", number: head.number, message };
}

function verifyRemembered(entries: readonly AuditEntry[], remembered: AuditHead): AuditFault | undefined {
  const { number, hash } = remembered;
  const found = number === 0 ? EMPTY_HEAD : entries[number - 1];
  if (found === undefined) {
    const missing = entries.length + 1;
    const message = `Entry ${missing} is missing: the remembered head is entry ${number}, so the end was removed.`;
    return { kind: "removed_at_end", number: missing, message };
  }
  if (found.hash === hash) return undefined;
  const message = `Entry ${number} is not the remembered one: the chain was rewritten, at this entry or before it.`;
  return { kind: "rewritten", number, message };
}
