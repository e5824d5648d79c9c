import type * as z from "zod";
import { schemas } from "../../functions/core/answer.ts";
import type { ApiClient } from "../access/api-client.ts";

export type DeadLetter = z.output<typeof schemas.DeadLetter>;
export type Row = z.output<typeof schemas.DeadLetters>["deadLetters"][number];

type DeadLetterQuery = z.input<typeof schemas.DeadLetterQuery>;
type Query = NonNullable<Parameters<ApiClient["call"]>[0]["query"]>;

/** The dead letters of a tenant, by the API. */
export function createDeadLettersApi(api: ApiClient, tenant: string | undefined) {
  return {
    /** All of a list, those that became open last first, until the signal. */
    async *list(asked: DeadLetterQuery, signal: AbortSignal): AsyncGenerator<Row> {
      let cursor: string | undefined;
      do {
        const request = { method: "POST", path: "/dead-letters/query", body: { ...asked, cursor }, tenant } as const;
        const { deadLetters, next } = await api.call(request, schemas.DeadLetters);
        yield* deadLetters;
        cursor = next ?? undefined;
      } while (cursor !== undefined && !signal.aborted);
    },

    groups: async (query: Query) => {
      const request = { method: "GET", path: "/dead-letters/groups", query, tenant } as const;
      return (await api.call(request, schemas.DeadLetterGroups)).groups;
    },

    read: (id: string): Promise<DeadLetter> =>
      api.call({ method: "GET", path: `/dead-letters/${encodeURIComponent(id)}`, tenant }, schemas.DeadLetter),
  };
}
