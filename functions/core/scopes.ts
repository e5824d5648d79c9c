/**
 * The rights of keys. A route names the one scope that it needs (functions/routes), and a role is a named set of scopes.
 */
export const SCOPES = [
  "events:write",
  "events:read",
  "dead-letters:read",
  "dead-letters:replay",
  "subscriptions",
  "status",
  /** Signing in to the operator's page. */
  "console",
  /** Keys of the tenant. */
  "keys",
  /** The audit log, restores and erasures of the tenant. */
  "admin",
  /** Tenants themselves. Only a key of the installation has it. */
  "tenants",
] as const;

export type Scope = (typeof SCOPES)[number];

export const ROLES = ["producer", "reader", "operator", "admin"] as const;

export type Role = (typeof ROLES)[number];

/** The tenant of a key that belongs to the installation: it names the tenant of a request in the header `Sluice-Tenant`. */
export const INSTALLATION = "*";

const byRole: Record<Role, readonly Scope[]> = {
  producer: ["events:write"],
  reader: ["events:read", "console"],
  operator: ["events:read", "dead-letters:read", "dead-letters:replay", "subscriptions", "status", "console"],
  admin: SCOPES,
};

/** The scopes that only a key of the installation has, whatever its role. */
const ofInstallation: ReadonlySet<Scope> = new Set(["tenants"]);

/** The scopes of a key, by its role and its tenant. */
export function scopesOf(key: { role: Role; tenant: string }): readonly Scope[] {
  return byRole[key.role].filter((scope) => hasScope(key, scope));
}

/** Tells whether a key has a scope. */
export function hasScope({ role, tenant }: { role: Role; tenant: string }, scope: Scope): boolean {
  return byRole[role].includes(scope) && (tenant === INSTALLATION || !ofInstallation.has(scope));
}

/**
 * The scopes of routes about tenants and about the installation too: its own keys and audit log, the dead letters of every
 * tenant and of none, the sums of all tenants, and signing in.
 */
const ofBoth: ReadonlySet<Scope> = new Set([
  "keys",
  "admin",
  "dead-letters:read",
  "dead-letters:replay",
  "status",
  "console",
]);

/**
 * Tells whether a key of the installation may use a route with this scope without naming a tenant: then the request
 * concerns the installation itself.
 */
export function mayConcernInstallation(scope: Scope): boolean {
  return ofInstallation.has(scope) || ofBoth.has(scope);
}

/** Tells whether a key of the installation may use a route with this scope for a suspended tenant: to manage it. */
export function mayConcernSuspended(scope: Scope): boolean {
  return ofInstallation.has(scope) || ofSuspended.has(scope);
}

const ofSuspended: ReadonlySet<Scope> = new Set(["keys", "admin", "console"]);

/** Tells whether a route with this scope concerns the installation and never a tenant. */
export function concernsInstallation(scope: Scope): boolean {
  return ofInstallation.has(scope);
}
