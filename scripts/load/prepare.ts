import { schemas } from "../../functions/core/answer.ts";
import type { ApiClient } from "../access/api-client.ts";
import type { createMix } from "./mix.ts";
import type { Api } from "../send/post-events.ts";
import { postOnce } from "./post.ts";
import type { LoadSource } from "./stored.ts";

/** Gives a run sources that no other event has: one, or one for each of its tenants, which it makes where they are missing. */
export async function openSources(api: ApiClient, run: string, tenants: number | undefined): Promise<LoadSource[]> {
  if (tenants === undefined) return [{ tenant: undefined, source: `/load/${run}` }];
  return Promise.all(
    Array.from({ length: tenants }, async (_, index) => {
      const tenant = `load-${index + 1}`;
      await api.call({ method: "PUT", path: `/tenants/${tenant}`, body: {} }, schemas.Tenant);
      return { tenant, source: `/load/${run}` };
    }),
  );
}

/**
 * Asks the API about an event of each type, without sending it.
 * @throws Error that names a type of which no event can be made by its JSON Schema alone, or says why the key may not send
 */
export async function refuseUnsendable(
  to: Api,
  mix: Pick<ReturnType<typeof createMix>, "eventOfEach" | "types">,
  [{ tenant, source } = { tenant: undefined, source: "/load" }]: readonly LoadSource[],
): Promise<void> {
  const verdicts = await postOnce({ ...to, tenant }, mix.eventOfEach(source), "?validate=only");
  for (const [index, verdict] of verdicts.entries()) {
    if (verdict.status === "unknown") throw new Error("POST /events has no verdict on an event. Try npm run send.");
    if (verdict.status === "accepted") continue;
    throw new Error(
      `An event of ${mix.types[index]?.type} that its JSON Schema describes is refused with ${verdict.code}: ${verdict.why}`,
    );
  }
}
