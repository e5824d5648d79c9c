import { INSTALLATION } from "../../functions/core/scopes.ts";
import { call } from "../api/client.ts";
import { useLoad } from "../parts/use-load.ts";
import { setParams, TENANT_PARAMETER } from "../route.ts";
import { can, tenant } from "../session.ts";

type Tenants = { tenants: { tenant: string }[]; next?: string };

/** Tenants to choose from; the address may name another one. */
const MAX_TENANTS = 1_000;

/** For a key of the installation: the tenant whose data is shown, or the whole installation. */
export function TenantChoice() {
  const { data } = useLoad("tenants", async (signal) => {
    if (!can("tenants")) return [];
    const names: string[] = [];
    let after: string | undefined;
    do {
      const { body } = await call<Tenants>("GET", "tenants", { query: { after }, signal, record: false, tenant: null });
      names.push(...body.tenants.map((each) => each.tenant));
      after = body.next;
    } while (after !== undefined && names.length < MAX_TENANTS);
    return names;
  });
  const chosen = tenant.value;
  const names = [...new Set([...(data ?? []), ...(chosen === undefined ? [] : [chosen])])];
  return (
    <label class="tenant">
      <span class="visually-hidden">Tenant</span>
      <select
        value={chosen ?? INSTALLATION}
        onChange={({ currentTarget: { value } }) =>
          setParams({ [TENANT_PARAMETER]: value === INSTALLATION ? undefined : value })
        }
      >
        <option value={INSTALLATION}>All tenants</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
