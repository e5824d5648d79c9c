import type * as z from "zod";
import { schemas } from "../../functions/core/answer.ts";
import type { ApiClient } from "../access/api-client.ts";

export type Replay = z.output<typeof schemas.Replay>;
export type ReplayPlan = z.output<typeof schemas.ReplayPlan>;

type Start = "/replays" | "/dead-letters/discard";

/** Replays and discards of a tenant, by the API. */
export function createReplaysApi(api: ApiClient, tenant: string | undefined) {
  const at = (id: string) => `/replays/${encodeURIComponent(id)}` as const;
  return {
    plan: (path: Start, body: object): Promise<ReplayPlan> =>
      api.call({ method: "POST", path, body: { ...body, dryRun: true }, tenant }, schemas.ReplayPlan),
    start: (path: Start, body: object): Promise<Replay> =>
      api.call({ method: "POST", path, body, tenant }, schemas.Replay),
    read: (id: string): Promise<Replay> => api.call({ method: "GET", path: at(id), tenant }, schemas.Replay),
    cancel: (id: string): Promise<Replay> =>
      api.call({ method: "POST", path: `${at(id)}/cancel`, tenant }, schemas.Replay),
  };
}

export type ReplaysApi = ReturnType<typeof createReplaysApi>;
