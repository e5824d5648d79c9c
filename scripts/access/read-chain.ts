import * as z from "zod";
import type { AuditEntry, AuditHead } from "../../functions/core/access.ts";
import type { ApiClient } from "./api-client.ts";

export type Chain = {
  /** Whose log it is; INSTALLATION for that of the installation. */
  tenant: string;
  entries: AuditEntry[];
  head: AuditHead;
};

/** An answer of `GET /audit` whatever somebody has written into the table, so that verification can name the entry. */
const page = z.object({
  tenant: z.string(),
  entries: z.array(
    z.object({
      tenant: z.string(),
      number: z.number(),
      at: z.string(),
      who: z.string(),
      action: z.string(),
      target: z.string(),
      details: z.custom<AuditEntry["details"]>(isObject),
      requestId: z.string(),
      previous: z.string(),
      hash: z.string(),
    }),
  ),
  head: z.object({ number: z.number(), hash: z.string() }),
});

/** Taken as it is: a schema of records leaves a member out that is called `__proto__`, and then the entry has another hash. */
function isObject(value: unknown): value is AuditEntry["details"] {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The API takes no larger number to go on from, and no change has one. */
const MAX_AFTER = 1e15;

/**
 * Reads every entry of an audit log after a number. It ends at a page without entries: the head of that page was read after
 * all entries were, so it is the head of this chain also while others append to it.
 */
export async function readChain(
  api: Pick<ApiClient, "call">,
  { tenant, after: start = 0 }: { tenant: string | undefined; after?: number },
): Promise<Chain> {
  const entries: AuditEntry[] = [];
  let after = start;
  for (;;) {
    const read = await api.call({ method: "GET", path: "/audit", query: { after }, tenant }, page);
    entries.push(...read.entries);
    // The number to go on from is the largest: a number that stands twice must not end in a loop.
    const last = read.entries.reduce((most, { number }) => Math.max(most, number), after);
    if (last === after || last >= MAX_AFTER) return { tenant: read.tenant, entries, head: read.head };
    after = last;
  }
}
