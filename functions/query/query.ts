import { RequestError } from "../core/errors.ts";
import type { EventReader } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";

export type QueryRequest = {
  /** The caller, who may read the events of the tenant whose type and source the key allows. */
  principal: Pick<Principal, "tenant" | "types" | "sources">;
  id: string;
  source: string | undefined;
  /** Time by which the answer must be ready, ms since the epoch. */
  deadline: number;
};

/** Reads one event as CloudEvents JSON text. `source` is needed where several sources used the same id. */
export function createQuery(deps: { reader: EventReader }) {
  /** @throws RequestError `not_found`, `ambiguous_id`; DatabaseError from the reader */
  return async function query({ principal, id, source, deadline }: QueryRequest): Promise<string> {
    const { tenant, types, sources } = principal;
    const found = await deps.reader.find({ tenant, id, source, allowed: { types, sources } }, deadline);
    switch (found.kind) {
      case "found":
        return found.json;
      case "absent":
        throw new RequestError(
          "not_found",
          "No event with this id is stored. An accepted event can be read as soon as the consumer has stored it, usually within seconds.",
        );
      case "ambiguous":
        throw new RequestError("ambiguous_id", "Several sources used this id. Name one with ?source=.", {
          members: { sources: found.sources },
        });
    }
  };
}
