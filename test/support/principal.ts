import type { Principal } from "../../functions/core/principal.ts";

/** A caller who may do everything that concerns one tenant. */
export function adminOf(tenant: string, changes: Partial<Principal> = {}): Principal {
  return {
    tenant,
    keyId: "4fQ0v7xYbN2k",
    keyTenant: tenant,
    role: "admin",
    types: undefined,
    sources: undefined,
    tenantLimits: undefined,
    keyLimits: undefined,
    expiresAt: undefined,
    ...changes,
  };
}
