import type { AccessReader, KeyRecord, KeyUsage, TenantRecord } from "./access.ts";
import { AccessError, TENANT_NAME, TENANT_NAME_ERROR } from "./access.ts";
import { RequestError } from "./errors.ts";
import { hasHash, hashKey, parseKey } from "./key.ts";
import type { Clock } from "./ports.ts";
import type { Principal } from "./principal.ts";
import { createRecordCache, createTableHealth } from "./record-cache.ts";
import { isToken, type SessionReader } from "./session.ts";
import {
  concernsInstallation,
  hasScope,
  INSTALLATION,
  mayConcernInstallation,
  mayConcernSuspended,
  type Scope,
} from "./scopes.ts";

export type CheckKeyDeps = {
  reader: AccessReader & SessionReader;
  usage: Pick<KeyUsage, "used">;
  /** The installation's secret, under which keys are hashed. @throws AccessError */
  secret: () => Promise<Uint8Array>;
  clock: Clock;
  /** Resolves after so many milliseconds. */
  wait: (milliseconds: number) => Promise<unknown>;
  /** Called for each use of a record that could not be read again. */
  onStale: () => void;
};

/** Keys in use in one process at a time; more of them only cost their hash again. */
const MAX_REMEMBERED = 1_000;

/** The parts of a request that name its sender. */
export type Caller = {
  /** The key as it was sent; undefined where there is none. */
  key: string | undefined;
  /** The session of the operator's page, as its cookie was sent. Counts only where there is no key. */
  session?: string | undefined;
  /** The value of the header `Sluice-Tenant`. */
  tenant: string | undefined;
};

export type CheckKey = (caller: Caller, scope: Scope) => Promise<Principal>;

/**
 * The check of a request's key: it decides the sender, and refuses what the sender may not do. The key alone decides the tenant; only a key of the installation names
 * one. A key whose checksum is wrong is refused without a look-up.
 */
export function createCheckKey({ reader, usage, secret, clock, wait, onStale }: CheckKeyDeps): CheckKey {
  const health = createTableHealth();
  const findKey = createRecordCache({ load: (id) => reader.key(id), health, clock, wait, onStale });
  const findSession = createRecordCache({ load: (hash) => reader.session(hash), health, clock, wait, onStale });
  const findTenant = createRecordCache({ load: (name) => reader.tenant(name), health, clock, wait, onStale });
  const isFirstUse = createDayMemory();
  const isKeyOf = createHashMemory();

  /** @throws RequestError `unauthenticated`, `tenant_required`, `forbidden`, `no_such_tenant`, `tenant_suspended`, `access_unavailable` */
  return async function checkKey(caller, scope) {
    try {
      const bySession = caller.key === undefined && caller.session !== undefined;
      const session = bySession ? await openSession(caller.session as string) : undefined;
      const authenticated = session === undefined ? authenticate(caller.key) : keyOf(session);
      const record = authenticated instanceof Promise ? await authenticated : authenticated;
      const tenant = chooseTenant(record, caller.tenant, scope);
      requireScope(record, scope);
      const evenSuspended = record.tenant === INSTALLATION && mayConcernSuspended(scope);
      const found = tenant === INSTALLATION ? undefined : activeTenant(tenant, await findTenant(tenant), evenSuspended);
      const now = clock();
      if (isFirstUse(record.id, now)) await usage.used(record.id, now.toISOString().slice(0, 10));
      const { id: keyId, tenant: keyTenant, role, expiresAt, types, sources, limits: keyLimits } = record;
      const principal = { tenant, keyId, keyTenant, role, expiresAt, types, sources, keyLimits };
      if (session === undefined) return { ...principal, tenantLimits: found?.limits };
      const { hash, expiresAt: end } = session;
      return { ...principal, tenantLimits: found?.limits, session: { hash, expiresAt: end } };
    } catch (error) {
      if (error instanceof AccessError) throw unavailable(error);
      throw error;
    }
  };

  /** The record of a key: at once where the key was right before and its record is fresh, as of nearly every request. */
  function authenticate(text: string | undefined): KeyRecord | Promise<KeyRecord> {
    if (text === undefined) {
      throw unauthenticated("Send a key in the header `Authorization: Bearer KEY`, or in `x-api-key`.");
    }
    const right = isKeyOf.known(text);
    const id = right?.id ?? parseKey(text)?.id;
    if (id === undefined) throw unauthenticated(MISTYPED);
    const found = findKey(id);
    const isKnown = right !== undefined && !(found instanceof Promise) && found?.hash === right.hash;
    return isKnown ? unlessEnded(found) : authenticateBy(found, text);
  }

  async function authenticateBy(found: ReturnType<typeof findKey>, text: string): Promise<KeyRecord> {
    const record = await found;
    // A key that does not exist and one whose secret part is wrong get the same answer.
    if (record === undefined || !(await isKeyOf.check(text, record))) throw unauthenticated(UNKNOWN);
    return unlessEnded(record);
  }

  /** The session of a cookie. @throws RequestError `unauthenticated` for one that is over or never was */
  async function openSession(text: string) {
    if (!isToken("session", text)) throw unauthenticated(NO_SESSION);
    const hash = hashKey(await secret(), text);
    const found = await findSession(hash);
    if (found === undefined || isOver(found.expiresAt)) throw unauthenticated(NO_SESSION);
    return { hash, ...found };
  }

  /** The record of a session's key. @throws RequestError `unauthenticated` for a key that has ended */
  async function keyOf({ keyId }: { keyId: string }): Promise<KeyRecord> {
    const record = await findKey(keyId);
    if (record === undefined) throw unauthenticated(UNKNOWN);
    return unlessEnded(record);
  }

  /** @throws RequestError `unauthenticated` for a key that is revoked or expired */
  function unlessEnded(record: KeyRecord): KeyRecord {
    if (isOver(record.revokedAt)) throw unauthenticated("The key is revoked. Ask the operator for another.");
    if (isOver(record.expiresAt))
      throw unauthenticated(`The key expired at ${record.expiresAt}. Ask the operator for another.`);
    return record;
  }

  function isOver(instant: string | undefined): boolean {
    return instant !== undefined && Date.parse(instant) <= clock().getTime();
  }

  /**
   * Remembers the keys whose hash was right, so that a steady sender costs no HMAC. A text is found only if it is the whole
   * key; any other is hashed and compared in constant time.
   */
  function createHashMemory() {
    const right = new Map<string, Pick<KeyRecord, "id" | "hash">>();
    return {
      known: (text: string) => right.get(text),
      async check(text: string, { id, hash }: KeyRecord): Promise<boolean> {
        if (right.get(text)?.hash === hash) return true;
        if (!hasHash({ hash }, await secret(), text)) return false;
        if (right.size === MAX_REMEMBERED) right.clear();
        right.set(text, { id, hash });
        return true;
      },
    };
  }

  /** @param evenSuspended the owner of the installation manages keys and reads the audit log of a suspended tenant too */
  function activeTenant(name: string, found: TenantRecord | undefined, evenSuspended: boolean): TenantRecord {
    if (found === undefined) {
      throw new RequestError(
        "no_such_tenant",
        `There is no tenant ${name}. Make it with its first key: npm run keys -- create --tenant ${name} --role admin.`,
      );
    }
    if (found.state === "suspended" && !evenSuspended) {
      throw new RequestError("tenant_suspended", `The tenant ${name} is suspended. Ask the operator.`);
    }
    return found;
  }
}

/** @throws RequestError where a key of the installation names no tenant, or a key of a tenant another one */
function chooseTenant(record: KeyRecord, named: string | undefined, scope: Scope): string {
  if (record.tenant === INSTALLATION) {
    if (concernsInstallation(scope)) return INSTALLATION;
    if (named === undefined || named === "") {
      if (mayConcernInstallation(scope)) return INSTALLATION;
      throw new RequestError(
        "tenant_required",
        "A key of the installation belongs to no tenant. Name one in the header `Sluice-Tenant`.",
      );
    }
    // No other text can be a tenant, so none of them is looked up.
    if (!TENANT_NAME.test(named)) {
      throw new RequestError("bad_header", `\`Sluice-Tenant\` ${TENANT_NAME_ERROR}.`);
    }
    return named;
  }
  if (named !== undefined && named !== record.tenant) {
    throw new RequestError(
      "forbidden",
      "The key belongs to another tenant than the header `Sluice-Tenant` names. Leave the header out.",
    );
  }
  return record.tenant;
}

function requireScope(record: KeyRecord, scope: Scope): void {
  if (hasScope(record, scope)) return;
  const whose =
    concernsInstallation(scope) && record.role === "admin" ? ", which only a key of the installation has" : "";
  throw new RequestError("forbidden", `This needs the scope ${scope}${whose}. The key has the role ${record.role}.`, {
    members: { scope },
  });
}

/** Tells whether a key is used for the first time on a day, as far as this process knows. */
function createDayMemory() {
  let today = 0;
  let keys = new Set<string>();
  return (keyId: string, now: Date): boolean => {
    const day = Math.floor(now.getTime() / DAY_MS);
    if (day !== today) {
      today = day;
      keys = new Set();
    }
    if (keys.has(keyId)) return false;
    keys.add(keyId);
    return true;
  };
}

const DAY_MS = 86_400_000;

function unauthenticated(detail: string): RequestError {
  // RFC 9110 section 11.6.1 asks for the challenge.
  return new RequestError("unauthenticated", detail, { headers: { "www-authenticate": 'Bearer realm="sluice"' } });
}

const MISTYPED =
  "The text is no key of Sluice: a key begins with `sluice_` and has 57 characters, and its last six are a checksum. Send it whole.";
const NO_SESSION = "The session is over. Sign in again: npm run console prints a link.";
const UNKNOWN = "There is no such key. It may be from another installation.";

function unavailable(cause: AccessError): RequestError {
  return new RequestError(
    "access_unavailable",
    "The key could not be checked. Send the request again after Retry-After.",
    {
      cause,
    },
  );
}
