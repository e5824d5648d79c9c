import { type KeyRecord, type Page, type PageRequest, stateOfKey } from "../core/access.ts";
import type { NewKey } from "../core/access-bodies.ts";
import type { ListedKey, MadeKey } from "../core/access-answers.ts";
import { RequestError } from "../core/errors.ts";
import { hashKey, makeKey } from "../core/key.ts";
import { INSTALLATION } from "../core/scopes.ts";
import type { AccessDeps } from "./access.ts";
import { type Caller, maySee, refuseLongerLife, refuseMoreRights, withOwnSettings } from "./caller.ts";
import type { createChanges } from "./changes.ts";
import { LATEST_MS, readEnd } from "./instants.ts";
import type { createTenants } from "./tenants.ts";

/** The rules about keys. Each may throw an AccessError. */
export function createKeys(
  deps: AccessDeps,
  change: ReturnType<typeof createChanges>,
  tenants: Pick<ReturnType<typeof createTenants>, "ensure">,
) {
  const { store, usage, secret, clock, randomBytes } = deps;

  return {
    /**
     * Makes a key, whose text is in the answer and nowhere else. The first key of a tenant makes the tenant.
     * @throws RequestError `forbidden`, `tenant_required`, `malformed_body`
     */
    async create(caller: Caller, request: NewKey): Promise<MadeKey> {
      const { role, name, expires } = request;
      const now = clock();
      const settings = {
        tenant: chooseTenant(caller, request.tenant),
        role,
        name,
        ...withOwnSettings(caller, request),
        expiresAt: expires === undefined ? undefined : readEnd("expires", expires, now),
      };
      refuseMoreRights(caller, settings);
      refuseLongerLife(caller, settings.expiresAt);
      if (settings.tenant !== INSTALLATION) await tenants.ensure(caller, settings.tenant);
      const { record, text } = await make({ ...settings, createdBy: caller.keyId, createdAt: now.toISOString() });
      const { tenant, ...details } = settings;
      await change({ caller, tenant, action: "key.create", target: record.id, details }, () => put(record));
      return { ...describe(record), key: text };
    },

    /**
     * Makes a key of the same settings in the place of another, which ends at once or after a time. It has a new id, so no
     * process that knows the old key refuses it. A key that expires gets as long a life again.
     * @throws RequestError `no_such_key`, `key_ended`, `forbidden`, `malformed_body`
     */
    async rotate(caller: Caller, id: string, grace: string | undefined): Promise<MadeKey> {
      const old = await find(caller, id);
      const now = clock();
      refuseEnded(old, now);
      refuseMoreRights(caller, old);
      const expiresAt = sameLife(old, now);
      refuseLongerLife(caller, expiresAt);
      const at = now.toISOString();
      const end =
        grace === undefined ? { revokedAt: at } : { expiresAt: earlier(readEnd("grace", grace, now), old.expiresAt) };
      const { tenant, role, name, types, sources, limits } = old;
      const { record, text } = await make({
        tenant,
        role,
        name,
        types,
        sources,
        limits,
        createdBy: caller.keyId,
        createdAt: at,
        expiresAt,
        replaces: id,
      });
      const details = { newKey: record.id, ...end };
      await change({ caller, tenant, action: "key.rotate", target: id, details }, async () => {
        // In this order a failure in between leaves the old key as it was, and a new one whose text nobody has got.
        await put(record);
        if (await store.replaceKey(id, { replacedBy: record.id, at, end })) return;
        // Another request has ended or rotated the old key meanwhile.
        await store.revokeKey(record.id, at);
        refuseEnded(await find(caller, id), clock());
        throw keyEnded("The key could not be rotated, because it changed meanwhile. Read it with GET /keys/{id}.");
      });
      return { ...describe(record), key: text };
    },

    /** Revokes a key; a revoked one stays as it is. @throws RequestError `no_such_key` */
    async revoke(caller: Caller, id: string): Promise<void> {
      const { tenant, revokedAt } = await find(caller, id);
      const now = clock().toISOString();
      if (revokedAt !== undefined && revokedAt <= now) return;
      await change({ caller, tenant, action: "key.revoke", target: id, details: {} }, () => store.revokeKey(id, now));
    },

    /** @throws RequestError `no_such_key` */
    async show(caller: Caller, id: string): Promise<ListedKey> {
      const record = await find(caller, id);
      return describe(record, (await usage.lastUsed([id])).get(id));
    },

    /** A part of the keys, from which those are left out that another key than `createdBy` made. */
    async list(
      caller: Caller,
      { createdBy, ...page }: PageRequest & { createdBy?: string | undefined },
    ): Promise<Page<ListedKey>> {
      const isOfAll = caller.tenant === INSTALLATION && caller.keyTenant === INSTALLATION;
      const { items: all, next } = await store.listKeys(isOfAll ? undefined : caller.tenant, page);
      const items = createdBy === undefined ? all : all.filter((record) => record.createdBy === createdBy);
      const days = await usage.lastUsed(items.map(({ id }) => id));
      return { items: items.map((record) => describe(record, days.get(record.id))), next };
    },
  };

  /** A key that exists and one of another tenant's get the same answer. */
  async function find(caller: Caller, id: string): Promise<KeyRecord> {
    const record = await store.key(id);
    if (record !== undefined && maySee(caller, record)) return record;
    throw new RequestError("no_such_key", `There is no key ${id}. GET /keys lists those there are.`);
  }

  async function make(settings: Omit<KeyRecord, "id" | "hash">): Promise<{ record: KeyRecord; text: string }> {
    const { id, text } = makeKey(randomBytes);
    return { record: { ...settings, id, hash: hashKey(await secret(), text) }, text };
  }

  async function put(record: KeyRecord): Promise<void> {
    if (!(await store.createKey(record))) throw new Error(`The id ${record.id} of a new key is taken already.`);
  }

  function describe({ hash: _hash, ...record }: KeyRecord, lastUsed?: string): ListedKey {
    return { ...record, state: stateOfKey(record, clock().toISOString()), lastUsed };
  }
}

/**
 * The tenant of a new key: that of the caller's key, or the one that a key of the installation names.
 * @throws RequestError `forbidden`, `tenant_required`, `malformed_body`
 */
function chooseTenant(caller: Caller, named: string | undefined): string {
  if (caller.keyTenant !== INSTALLATION) {
    if (named === undefined || named === caller.keyTenant) return caller.keyTenant;
    throw new RequestError("forbidden", "The key belongs to another tenant than `tenant` names. Leave it out.");
  }
  const ofHeader = caller.tenant === INSTALLATION ? undefined : caller.tenant;
  if (named !== undefined && ofHeader !== undefined && named !== ofHeader) {
    throw new RequestError("malformed_body", "`tenant` and the header `Sluice-Tenant` differ. Send one of them.");
  }
  const tenant = named ?? ofHeader;
  if (tenant !== undefined) return tenant;
  throw new RequestError(
    "tenant_required",
    `A key of the installation names the tenant of a new key in \`tenant\`, or "${INSTALLATION}" for a key of the installation.`,
  );
}

function refuseEnded(record: KeyRecord, now: Date): void {
  // One that is to be revoked later, or was by a process whose clock is ahead, is not rotated either.
  const state = record.revokedAt === undefined ? stateOfKey(record, now.toISOString()) : "revoked";
  if (record.replacedBy !== undefined)
    throw keyEnded(`The key was rotated already. Rotate its successor, ${record.replacedBy}.`);
  if (state !== "active")
    throw keyEnded(`The key is ${state}, so it cannot be rotated. Make a new one with POST /keys.`);
}

const keyEnded = (message: string) => new RequestError("key_ended", message);

const earlier = (end: string, other = end): string => (other < end ? other : end);

/** The end of a key that lives as long as another one was made for. */
function sameLife({ createdAt, expiresAt }: KeyRecord, now: Date): string | undefined {
  if (expiresAt === undefined) return undefined;
  const life = Date.parse(expiresAt) - Date.parse(createdAt);
  return new Date(Math.min(now.getTime() + life, LATEST_MS)).toISOString();
}
