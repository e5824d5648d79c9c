import type { AuditLog } from "../core/access.ts";
import { RequestError } from "../core/errors.ts";
import type { HoldRecord, Holds, NewHoldRecord } from "../core/hold.ts";
import type { Clock } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { INSTALLATION } from "../core/scopes.ts";

export type HoldDeps = {
  holds: Holds;
  audit: Pick<AuditLog, "append">;
  clock: Clock;
  /** A new id, which begins with the time. */
  newId: () => string;
};

/** The caller of a request about holds. */
export type HoldCaller = Pick<Principal, "tenant" | "keyId"> & { requestId: string };

/** Makes and releases legal holds. The audit log has each change before it happens. */
export function createHoldRule({ holds, audit, clock, newId }: HoldDeps) {
  /** @throws RequestError `no_such_hold`; DatabaseError */
  async function read({ tenant }: Pick<HoldCaller, "tenant">, id: string, deadline: number): Promise<HoldRecord> {
    return found(await holds.read(tenant, id, deadline));
  }

  const record = ({ tenant, keyId, requestId }: HoldCaller, action: string, target: string, details: object) =>
    audit.append({ tenant, at: clock().toISOString(), who: keyId, action, target, details: { ...details }, requestId });

  return {
    read,

    /** @throws RequestError `tenant_required`, `malformed_body`, `too_many_holds`; AccessError; DatabaseError */
    async make(
      caller: HoldCaller,
      wanted: Pick<NewHoldRecord, "filter" | "reason" | "until">,
      deadline: number,
    ): Promise<HoldRecord> {
      if (caller.tenant === INSTALLATION) throw new RequestError("tenant_required", TENANT_REQUIRED);
      if (wanted.until !== undefined && Date.parse(wanted.until) <= clock().getTime())
        throw new RequestError("malformed_body", "The body is not valid: until: is over already.");
      const id = newId();
      await record(caller, "hold.create", id, wanted);
      const made = await holds.make({ id, tenant: caller.tenant, createdBy: caller.keyId, ...wanted }, deadline);
      if (made === undefined) throw new RequestError("too_many_holds", TOO_MANY);
      return made;
    },

    /** Releases a hold; one that is released or has ended stays as it is. @throws RequestError `no_such_hold`; AccessError; DatabaseError */
    async release(caller: HoldCaller, id: string, reason: string, deadline: number): Promise<HoldRecord> {
      const hold = await read(caller, id, deadline);
      if (hold.state !== "active") return hold;
      await record(caller, "hold.release", id, { reason });
      return found(await holds.release(caller.tenant, id, { reason, keyId: caller.keyId }, deadline));
    },

    /** The holds of the tenant, latest first. @throws DatabaseError */
    list: (
      { tenant }: Pick<HoldCaller, "tenant">,
      page: { after: string | undefined; limit: number },
      deadline: number,
    ) => holds.list(tenant, page, deadline),
  };
}

function found(hold: HoldRecord | undefined): HoldRecord {
  if (hold === undefined) throw new RequestError("no_such_hold", NO_SUCH_HOLD);
  return hold;
}

const TENANT_REQUIRED = "Name the tenant whose events are held in the header `Sluice-Tenant`.";

const TOO_MANY =
  "The tenant has as many holds in force, or as long filters in them, as it may have. Make one hold with `any` of their filters, or release one with POST /holds/{id}/release.";

const NO_SUCH_HOLD = "The tenant has no hold with this id. `GET /holds` lists them.";
