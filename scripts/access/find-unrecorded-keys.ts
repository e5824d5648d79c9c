import type { AuditEntry } from "../../functions/core/access.ts";
import type { ApiClient } from "./api-client.ts";
import { listKeys } from "./list-keys.ts";
import { type Chain, readChain } from "./read-chain.ts";

/**
 * Finds the keys of a chain's tenant that no entry names: each has one from before it was made, so entries were removed, with
 * a head to match, or somebody wrote a key into the table.
 * @returns their ids
 */
export async function findUnrecordedKeys(
  api: ApiClient,
  { chain, tenant }: { chain: Chain; tenant: string | undefined },
): Promise<string[]> {
  const keys = await listKeys(api, { tenant });
  // A key that was made since has its entry behind the chain.
  const { entries } = await readChain(api, { tenant, after: chain.entries.at(-1)?.number ?? 0 });
  const named = new Set([...chain.entries, ...entries].flatMap(keysOf));
  return keys.filter((key) => key.tenant === chain.tenant && !named.has(key.id)).map(({ id }) => id);
}

function keysOf({ action, target, details }: AuditEntry): unknown[] {
  if (action === "key.create") return [target];
  return action === "key.rotate" ? [details["newKey"]] : [];
}
