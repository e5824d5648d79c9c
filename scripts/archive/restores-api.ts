import type * as z from "zod";
import { schemas } from "../../functions/core/answer.ts";
import type { ApiClient } from "../access/api-client.ts";

export type Restore = z.output<typeof schemas.Restore>;
export type RestorePlan = z.output<typeof schemas.RestorePlan>;

/** The restores of a tenant, by the API. */
export function createRestoresApi(api: ApiClient, tenant: string | undefined) {
  const at = (id: string) => `/restores/${encodeURIComponent(id)}` as const;
  return {
    plan: (body: object): Promise<RestorePlan> =>
      api.call({ method: "POST", path: "/restores", body: { ...body, dryRun: true }, tenant }, schemas.RestorePlan),
    start: (body: object): Promise<Restore> =>
      api.call({ method: "POST", path: "/restores", body, tenant }, schemas.Restore),
    read: (id: string): Promise<Restore> => api.call({ method: "GET", path: at(id), tenant }, schemas.Restore),
    cancel: (id: string): Promise<Restore> =>
      api.call({ method: "POST", path: `${at(id)}/cancel`, tenant }, schemas.Restore),
  };
}

export type RestoresApi = ReturnType<typeof createRestoresApi>;
