import type { HoldRecord, Holds } from "../../core/hold.ts";
import { HOLDS_FILTERS_MAX_BYTES, HOLDS_MAX } from "../../core/hold-limits.ts";
import type { SqlDatabase } from "../../core/ports.ts";

/** Legal holds in PostgreSQL, as the owner; the functions are documented in functions/sql/0014_holds.sql. */
export function createHolds(database: Pick<SqlDatabase, "execute">): Holds {
  const readOne = async (call: string, parameters: Record<string, string | null>, deadline: number) => {
    const { rows } = await database.execute(`select ${call}`, parameters, deadline);
    const json = rows[0]?.[0];
    return typeof json === "string" ? toHold(json) : undefined;
  };

  return {
    make: ({ id, tenant, filter = null, reason, until = null, createdBy }, deadline) =>
      readOne(MAKE, { id, tenant, filter, reason, until, key: createdBy }, deadline),

    read: (tenant, id, deadline) => readOne("read_hold(:tenant, :id)", { tenant, id }, deadline),

    async list(tenant, { after = null, limit }, deadline) {
      const { rows } = await database.execute(LIST, { tenant, after, most: String(limit + 1) }, deadline);
      const items = rows.slice(0, limit).map(([hold]) => toHold(String(hold)));
      return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
    },

    release: (tenant, id, { reason, keyId }, deadline) =>
      readOne("release_hold(:tenant, :id, :reason, :key)", { tenant, id, reason, key: keyId }, deadline),

    async countActive(deadline) {
      const { rows } = await database.execute("select holds, tenants from count_active_holds()", {}, deadline);
      const [holds, tenants] = (rows[0] ?? []).map(Number);
      return { holds: holds ?? 0, tenants: tenants ?? 0 };
    },
  };
}

const MAKE = `make_hold(
    :id, :tenant, :filter, :reason, cast(:until as timestamptz), :key, ${HOLDS_MAX}, ${HOLDS_FILTERS_MAX_BYTES}
  )`;
const LIST = "select hold from list_holds(:tenant, :after, cast(:most as integer))";

/** A hold as `hold_json` writes it: a member that is missing is null. */
type Row = {
  [Name in keyof HoldRecord]:
    | Exclude<HoldRecord[Name], undefined>
    | (undefined extends HoldRecord[Name] ? null : never);
};

function toHold(json: string): HoldRecord {
  const { filter, until, releasedAt, releasedBy, releaseReason, ...hold } = JSON.parse(json) as Row;
  return {
    ...hold,
    filter: filter ?? undefined,
    until: until ?? undefined,
    releasedAt: releasedAt ?? undefined,
    releasedBy: releasedBy ?? undefined,
    releaseReason: releaseReason ?? undefined,
  };
}
