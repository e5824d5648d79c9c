import type * as z from "zod";
import { schemas } from "../../functions/core/answer.ts";
import type { ApiClient } from "../access/api-client.ts";

export type Erasure = z.output<typeof schemas.Erasure>;
export type ErasurePlan = z.output<typeof schemas.ErasurePlan>;

/** The erasures of a tenant, by the API. */
export function createErasuresApi(api: ApiClient, tenant: string | undefined) {
  const at = (id: string) => `/erasures/${encodeURIComponent(id)}` as const;
  return {
    plan: (body: object): Promise<ErasurePlan> =>
      api.call({ method: "POST", path: "/erasures", body: { ...body, dryRun: true }, tenant }, schemas.ErasurePlan),
    start: (body: object): Promise<Erasure> =>
      api.call({ method: "POST", path: "/erasures", body, tenant }, schemas.Erasure),
    read: (id: string): Promise<Erasure> => api.call({ method: "GET", path: at(id), tenant }, schemas.Erasure),
    cancel: (id: string): Promise<Erasure> =>
      api.call({ method: "POST", path: `${at(id)}/cancel`, tenant }, schemas.Erasure),
  };
}

export type ErasuresApi = ReturnType<typeof createErasuresApi>;
