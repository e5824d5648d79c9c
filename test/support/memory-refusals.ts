import { REFUSAL_DAY_GROUPS } from "../../functions/core/refusal-limits.ts";
import type { RefusalStore, StoredRefusals } from "../../functions/core/refusal.ts";

/** Groups of refusals in memory, with the contract of the table; `rows` counts the items that the table would have. */
export function memoryRefusals() {
  const groups = new Map<string, StoredRefusals>();
  const days = new Map<string, string[]>();
  const dayOf = (tenant: string, day: string) => `${tenant}/${day}`;
  const store: RefusalStore = {
    async admit(tenant, day, ids) {
      const known = days.get(dayOf(tenant, day)) ?? [];
      const added = ids.filter((id) => !known.includes(id)).slice(0, REFUSAL_DAY_GROUPS - known.length);
      days.set(dayOf(tenant, day), [...known, ...added]);
      return new Set(ids.filter((id) => known.includes(id) || added.includes(id)));
    },
    readAdmitted: async (tenant, day) => days.get(dayOf(tenant, day)) ?? [],
    async change({ tenant, day, id }, change) {
      const key = `${dayOf(tenant, day)}/${id}`;
      const after = change(structuredClone(groups.get(key)));
      if (after !== undefined) groups.set(key, structuredClone(after));
    },
    async readDay(tenant, day) {
      const found = [...groups].filter(([key]) => key.startsWith(`${dayOf(tenant, day)}/`));
      return found.map(([, group]) => structuredClone(group));
    },
  };
  return { store, rows: () => groups.size + days.size };
}
