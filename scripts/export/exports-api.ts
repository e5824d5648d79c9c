import { schemas } from "../../functions/core/answer.ts";
import type * as z from "zod";
import type { ApiClient } from "../access/api-client.ts";

export type Export = z.output<typeof schemas.Export>;
export type ExportPlan = z.output<typeof schemas.ExportPlan>;
type ExportFile = NonNullable<Export["files"]>[number];

/** The exports of a tenant, by the API. */
export function createExportsApi(api: ApiClient, tenant: string | undefined) {
  const at = (id: string) => `/exports/${encodeURIComponent(id)}` as const;
  const read = (id: string, after?: number): Promise<Export> =>
    api.call({ method: "GET", path: at(id), query: { after }, tenant }, schemas.Export);

  return {
    read,
    plan: (body: object): Promise<ExportPlan> =>
      api.call({ method: "POST", path: "/exports", body: { ...body, plan: true }, tenant }, schemas.ExportPlan),
    start: (body: object): Promise<Export> =>
      api.call({ method: "POST", path: "/exports", body, tenant }, schemas.Export),
    cancel: (id: string): Promise<Export> =>
      api.call({ method: "POST", path: `${at(id)}/cancel`, tenant }, schemas.Export),

    /** All files of an export that is done, whose links are some minutes old at most. */
    async files(id: string): Promise<Map<string, ExportFile>> {
      const files = new Map<string, ExportFile>();
      let after: number | undefined;
      do {
        const page = await read(id, after);
        for (const file of page.files ?? []) files.set(file.name, file);
        after = page.next;
      } while (after !== undefined);
      return files;
    },
  };
}

export type ExportsApi = ReturnType<typeof createExportsApi>;
