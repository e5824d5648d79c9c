import { DEPLOYER, type KeyRecord, type Limits } from "../core/access.ts";
import { RequestError } from "../core/errors.ts";
import { coversAll } from "../core/patterns.ts";
import type { Principal } from "../core/principal.ts";
import { INSTALLATION, scopesOf } from "../core/scopes.ts";

/** The caller of a request about keys, tenants or the audit log. */
export type Caller = Principal & { requestId: string };

/** The caller of a direct invocation: IAM decides who may invoke the function. */
export function deployer(requestId: string): Caller {
  return {
    tenant: INSTALLATION,
    keyId: DEPLOYER,
    keyTenant: INSTALLATION,
    role: "admin",
    types: undefined,
    sources: undefined,
    tenantLimits: undefined,
    keyLimits: undefined,
    expiresAt: undefined,
    requestId,
  };
}

/** Tells whether a caller may see a key: one of the caller's tenant, or of any tenant for the installation itself. */
export function maySee({ tenant, keyTenant }: Caller, record: KeyRecord): boolean {
  return record.tenant === tenant || (tenant === INSTALLATION && keyTenant === INSTALLATION);
}

/** The rights of a key that somebody makes or gets. */
type Rights = Pick<KeyRecord, "tenant" | "role" | "types" | "sources" | "limits">;

/**
 * Refuses a key that may do more than the caller's own key: nobody gets more rights by making or rotating a key.
 * @throws RequestError `forbidden`, which names what is too much
 */
export function refuseMoreRights(caller: Caller, rights: Rights): void {
  const own = scopesOf({ role: caller.role, tenant: caller.keyTenant });
  const more = scopesOf(rights).filter((scope) => !own.includes(scope));
  if (more.length > 0) throw tooMuch(`the scopes ${more.join(", ")}`);
  if (!coversAll(caller.types, rights.types)) throw tooMuch("types");
  if (!coversAll(caller.sources, rights.sources)) throw tooMuch("sources");
  const [most, asked] = [withBurst(caller.keyLimits), withBurst(rights.limits)];
  for (const name of ["eventsPerSecond", "burst", "requestsPerSecond", "eventsPerDay"] as const) {
    const own = most[name];
    if (own !== undefined && (asked[name] ?? Number.POSITIVE_INFINITY) > own)
      throw tooMuch(`limits, of which your ${name} is ${own}`);
  }
}

/**
 * Refuses a key that would live longer than the key of a tenant with which it is made. A key of the installation may make
 * such keys: the commands make lasting keys with one of a quarter of an hour.
 * @throws RequestError `forbidden`, which names both ends and what to do
 */
export function refuseLongerLife({ keyTenant, expiresAt: own }: Caller, expiresAt: string | undefined): void {
  if (keyTenant === INSTALLATION || own === undefined || (expiresAt !== undefined && expiresAt <= own)) return;
  const end = expiresAt === undefined ? "never end" : `end at ${expiresAt}`;
  throw new RequestError(
    "forbidden",
    `The key would ${end}, and yours ends at ${own}. Make one that ends by then with POST /keys and \`expires\`, or ask with a key that lives longer.`,
  );
}

/** Settings that were left out are those of the caller's own key. */
export function withOwnSettings(
  caller: Caller,
  { types, sources, limits }: Partial<Pick<Rights, "types" | "sources" | "limits">>,
): Pick<Rights, "types" | "sources" | "limits"> {
  const merged = { ...caller.keyLimits, ...limits };
  return {
    types: types ?? copy(caller.types),
    sources: sources ?? copy(caller.sources),
    limits: Object.keys(merged).length === 0 ? undefined : merged,
  };
}

const copy = (texts: readonly string[] | undefined) => (texts === undefined ? undefined : [...texts]);

/** Limits with the default of the one that has a default. */
function withBurst(limits: Limits = {}): Limits {
  return { ...limits, burst: limits.burst ?? limits.eventsPerSecond };
}

function tooMuch(what: string): RequestError {
  return new RequestError("forbidden", `The key would have more rights than yours: ${what}. Ask for less.`);
}
