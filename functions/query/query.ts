import type { DeadLetterReader } from "../core/dead-letter-table.ts";
import { RequestError } from "../core/errors.ts";
import type { EventReader } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { hasScope } from "../core/scopes.ts";

export type QueryRequest = {
  /** The caller, who may read the events of the tenant whose type and source the key allows. */
  principal: Pick<Principal, "tenant" | "keyTenant" | "role" | "types" | "sources">;
  id: string;
  source: string | undefined;
  /** Time by which the answer must be ready, ms since the epoch. */
  deadline: number;
};

/** Reads one event as CloudEvents JSON text. `source` is needed where several sources used the same id. */
export function createQuery(deps: { reader: EventReader; deadLetters: Pick<DeadLetterReader, "find"> }) {
  /** @throws RequestError `not_found`, `dead_lettered`, `ambiguous_id`; DatabaseError from the readers */
  return async function query({ principal, id, source, deadline }: QueryRequest): Promise<string> {
    const { tenant, types, sources } = principal;
    const found = await deps.reader.find({ tenant, id, source, allowed: { types, sources } }, deadline);
    switch (found.kind) {
      case "found":
        return found.json;
      case "absent":
        throw await whyAbsent({ principal, id, source, deadline });
      case "ambiguous":
        throw new RequestError("ambiguous_id", "Several sources used this id. Name one with ?source=.", {
          members: { sources: found.sources },
        });
    }
  };

  async function whyAbsent({ principal, id, source, deadline }: QueryRequest): Promise<RequestError> {
    const { tenant, types, sources, role, keyTenant } = principal;
    const found = await deps.deadLetters.find({ tenant, allowed: { types, sources } }, { id, source }, deadline);
    if (found === undefined) {
      return new RequestError(
        "not_found",
        "No event with this id is stored. An accepted event can be read as soon as the consumer has stored it, usually within seconds.",
      );
    }
    // The database's words may quote other events, so only who may read dead letters gets them.
    const mayReadAll = hasScope({ role, tenant: keyTenant }, "dead-letters:read");
    return new RequestError(
      "dead_lettered",
      found.state === "replayed"
        ? "The event could not be stored before, and a replay has sent it again. It is stored within seconds, or was sent to another queue by an operator."
        : "The event was accepted and could not be stored. It is kept until an operator replays or discards it.",
      {
        members: {
          reason: found.reason,
          ...(mayReadAll && { message: found.message, deadLetter: found.id }),
        },
      },
    );
  }
}
