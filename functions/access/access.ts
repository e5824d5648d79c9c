import type { AccessStore, AuditLog, KeyUsage } from "../core/access.ts";
import type { AuditPage } from "../core/access-answers.ts";
import type { Clock } from "../core/ports.ts";
import type { Caller } from "./caller.ts";
import { createChanges } from "./changes.ts";
import { createKeys } from "./keys.ts";
import { createTenants } from "./tenants.ts";

export type AccessDeps = {
  store: AccessStore;
  usage: Pick<KeyUsage, "lastUsed">;
  audit: AuditLog;
  /** The installation's secret, under which keys are hashed. @throws AccessError */
  secret: () => Promise<Uint8Array>;
  clock: Clock;
  randomBytes: (count: number) => Uint8Array;
};

/** Manages keys and tenants and reads the audit log, in which every change is. */
export function createAccess(deps: AccessDeps) {
  const change = createChanges(deps);
  const tenants = createTenants(deps, change);
  return {
    tenants,
    keys: createKeys(deps, change, tenants),

    /** Entries of the caller's tenant, or of the installation. @throws AccessError */
    async readAudit(caller: Caller, page: { after: number; limit: number }): Promise<AuditPage> {
      const { entries, head } = await deps.audit.read(caller.tenant, page.after, page.limit);
      const last = entries.at(-1)?.number;
      const isMore = last !== undefined && (entries.length >= page.limit || last < head.number);
      return { tenant: caller.tenant, entries, head, next: isMore ? last : undefined };
    },
  };
}

export type Access = ReturnType<typeof createAccess>;
