import type { Limits } from "./access.ts";
import type { Role } from "./scopes.ts";

/** The caller of a request, as the key and the tenant's record say. */
export type Principal = {
  /** The tenant whose events the caller sends and reads. INSTALLATION on a route that concerns no tenant. */
  tenant: string;
  /** The id of the key, which is no secret. */
  keyId: string;
  /** The tenant of the key itself: INSTALLATION for a key of the installation. */
  keyTenant: string;
  role: Role;
  /** Patterns of the event types that the key may send and read, for example `com.example.*`. @default every type */
  types: readonly string[] | undefined;
  /** The same for sources. */
  sources: readonly string[] | undefined;
  /** The limits of the tenant. */
  tenantLimits: Limits | undefined;
  /** The limits of the key itself. */
  keyLimits: Limits | undefined;
  /** The end of the key: RFC 3339, UTC, milliseconds. @default none */
  expiresAt: string | undefined;
  /** The session of the operator's page that sent the request in the place of the key: its hash, and its end. @default none */
  session?: { hash: string; expiresAt: string };
};

/** The tenant of messages whose sender is unknown: those that were put into a queue by hand without a group. */
export const DEFAULT_TENANT = "default";
