import type { ListedKey } from "../../functions/core/access-answers.ts";
import { schemas } from "../../functions/core/answer.ts";
import type { ApiClient } from "./api-client.ts";

/** Lists the keys of a tenant, or with a key of the installation and without a tenant those of all, in any state. */
export async function listKeys(
  api: ApiClient,
  { tenant, createdBy }: { tenant: string | undefined; createdBy?: string | undefined },
): Promise<ListedKey[]> {
  const listed: ListedKey[] = [];
  let after: string | undefined;
  do {
    const query = { after, createdBy };
    const { keys, next } = await api.call({ method: "GET", path: "/keys", query, tenant }, schemas.Keys);
    listed.push(...keys);
    after = next;
  } while (after !== undefined);
  return listed;
}
