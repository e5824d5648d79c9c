import type { Page, PageRequest, TenantRecord } from "../core/access.ts";
import type { TenantChanges } from "../core/access-bodies.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { RequestError } from "../core/errors.ts";
import { INSTALLATION } from "../core/scopes.ts";
import type { AccessDeps } from "./access.ts";
import type { Caller } from "./caller.ts";
import type { createChanges } from "./changes.ts";

/** The rules about tenants. Only a key of the installation changes them. Each may throw an AccessError. */
export function createTenants({ store, clock }: AccessDeps, change: ReturnType<typeof createChanges>) {
  return {
    /**
     * Makes a tenant, or changes the members that are given. A change that changes nothing is no entry of the audit log.
     * @returns the tenant, and whether it is new
     */
    async put(caller: Caller, tenant: string, given: TenantChanges): Promise<{ record: TenantRecord; isNew: boolean }> {
      const present = await store.tenant(tenant);
      if (present === undefined) {
        const made = await make(caller, tenant, given);
        if (made !== undefined) return { record: made, isNew: true };
      }
      const before = present ?? (await find(tenant));
      const changes = changed(before, given);
      const after = { ...before, ...changes };
      if (Object.keys(changes).length === 0) return { record: before, isNew: false };
      const details = { ...changes, before: pick(before, Object.keys(changes)) };
      await change({ caller, tenant, action: "tenant.change", target: tenant, details }, () =>
        store.changeTenant(tenant, changes),
      );
      return { record: after, isNew: false };
    },

    /** Makes the tenant of a new key where there is none. A key of a tenant is proof that there is one. */
    async ensure(caller: Caller, tenant: string): Promise<void> {
      if (caller.keyTenant !== INSTALLATION || (await store.tenant(tenant)) !== undefined) return;
      await make(caller, tenant, {});
    },

    /** @throws RequestError `no_such_tenant` */
    show: (tenant: string): Promise<TenantRecord> => find(tenant),

    list: (page: PageRequest): Promise<Page<TenantRecord>> => store.listTenants(page),
  };

  /** Undefined where another request has made the tenant meanwhile. */
  async function make(caller: Caller, tenant: string, given: TenantChanges): Promise<TenantRecord | undefined> {
    const record = { tenant, state: "active" as const, createdAt: clock().toISOString(), ...defined(given) };
    const details = { ...defined(given), state: record.state };
    const isNew = await change({ caller, tenant, action: "tenant.create", target: tenant, details }, () =>
      store.createTenant(record),
    );
    return isNew ? record : undefined;
  }

  async function find(tenant: string): Promise<TenantRecord> {
    const record = await store.tenant(tenant);
    if (record !== undefined) return record;
    throw new RequestError("no_such_tenant", `There is no tenant ${tenant}. Make it with PUT /tenants/${tenant}.`);
  }
}

/** The given members that differ from those of a tenant. */
function changed(before: TenantRecord, given: TenantChanges) {
  const differ = (name: keyof TenantChanges) =>
    given[name] !== undefined && canonicalJson(given[name]) !== canonicalJson(before[name] ?? {});
  return defined({
    state: differ("state") ? given.state : undefined,
    limits: differ("limits") ? given.limits : undefined,
  });
}

function defined({ state, limits }: TenantChanges): Partial<Pick<TenantRecord, "state" | "limits">> {
  return { ...(state !== undefined && { state }), ...(limits !== undefined && { limits }) };
}

function pick(record: TenantRecord, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => names.includes(name)));
}
