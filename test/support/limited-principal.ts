import type { Limits } from "../../functions/core/access.ts";
import type { Principal } from "../../functions/core/principal.ts";
import { adminOf } from "./principal.ts";

/** A caller with limits of its tenant and of its key. */
export function limitedPrincipal(
  limits: { tenant?: Limits; key?: Limits } = {},
  { tenant = "acme", keyId = "key-1" }: { tenant?: string; keyId?: string } = {},
): Principal {
  return adminOf(tenant, { keyId, tenantLimits: limits.tenant, keyLimits: limits.key });
}
