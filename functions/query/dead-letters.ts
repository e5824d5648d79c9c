import type { Cursors } from "../core/cursor.ts";
import { DEAD_LETTERS_DEFAULT } from "../core/dead-letter-limits.ts";
import type { DeadLetterPosition, DeadLetterReader, DeadLetterScope } from "../core/dead-letter-table.ts";
import { RequestError } from "../core/errors.ts";
import type { HttpResponse } from "../core/http.ts";
import { LIST_BUDGET_MS } from "../core/list-limits.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import type { AskedDeadLetters } from "./dead-letter-request.ts";

type Caller = {
  /** Whose dead letters are read: the tenant's, or of INSTALLATION those of all; of the types and sources of the key. */
  principal: Pick<Principal, "tenant" | "types" | "sources">;
  /** Time by which the answer must be ready, ms since the epoch. */
  deadline: number;
};

/** Reads dead letters: lists, groups, and one whole. */
export function createDeadLetters({
  reader,
  cursors,
  clock,
}: {
  reader: DeadLetterReader;
  cursors: Cursors;
  clock: Clock;
}) {
  return {
    /** @throws RequestError `bad_cursor`, `cursor_mismatch`; DatabaseError */
    async list({
      principal,
      selection,
      limit = DEAD_LETTERS_DEFAULT,
      cursor,
      deadline,
    }: Caller & AskedDeadLetters): Promise<HttpResponse<200>> {
      const { tenant, types, sources } = principal;
      const binding = { tenant, request: [selection, types, sources] };
      const after =
        cursor === undefined
          ? undefined
          : ((await cursors.read("dead-letters", binding, cursor)) as DeadLetterPosition);
      const budgetMs = Math.min(LIST_BUDGET_MS, deadline - clock().getTime());
      const { rows, next } = await reader.list(scopeOf(principal), selection, { after, limit, budgetMs }, deadline);
      const position = next === undefined ? null : await cursors.write("dead-letters", binding, next);
      return { status: 200, body: JSON.stringify({ deadLetters: rows, next: position }) };
    },

    /** @throws DatabaseError */
    async groups({ principal, selection, deadline }: Caller & AskedDeadLetters): Promise<HttpResponse<200>> {
      const groups = await reader.groups(scopeOf(principal), selection, deadline);
      return { status: 200, body: JSON.stringify({ groups }) };
    },

    /** @throws RequestError `no_such_dead_letter`; DatabaseError */
    async read({ principal, id, deadline }: Caller & { id: string }): Promise<HttpResponse<200>> {
      const found = await reader.read(scopeOf(principal), id, deadline);
      if (found === undefined) {
        throw new RequestError(
          "no_such_dead_letter",
          "No dead letter that the key may read has this id. GET /dead-letters lists those that there are.",
        );
      }
      return { status: 200, body: JSON.stringify(found) };
    },
  };
}

function scopeOf({ tenant, types, sources }: Caller["principal"]): DeadLetterScope {
  return { tenant, allowed: { types, sources } };
}
