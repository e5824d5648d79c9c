import { type Role, ROLES, type Scope, scopesOf } from "../../../functions/core/scopes.ts";

/** The roles that a key of these scopes can give: none with a scope that it has not itself. */
export function rolesToGive(own: readonly Scope[]): readonly Role[] {
  return ROLES.filter((role) => scopesOf({ role, tenant: "any" }).every((scope) => own.includes(scope)));
}

/** Text with commas or line breaks as a list; undefined where it is empty. */
export function listOf(text: string): string[] | undefined {
  const items = text
    .split(/[\n,]/)
    .map((item) => item.trim())
    .filter((item) => item !== "");
  return items.length === 0 ? undefined : items;
}

export type KeyDraft = {
  tenant: string;
  role: Role;
  name: string;
  expires: string;
  types: string;
  sources: string;
  eventsPerSecond: string;
  requestsPerSecond: string;
  eventsPerDay: string;
};

/** The body of `POST /keys`: what was left empty is left out. */
export function keyBody(draft: KeyDraft): Record<string, unknown> {
  const { tenant, role, name, expires, types, sources } = draft;
  const limits = Object.fromEntries(
    (["eventsPerSecond", "requestsPerSecond", "eventsPerDay"] as const)
      .filter((limit) => draft[limit].trim() !== "")
      .map((limit) => [limit, Number(draft[limit])]),
  );
  return Object.fromEntries(
    Object.entries({
      tenant: tenant.trim() === "" ? undefined : tenant.trim(),
      role,
      name: name.trim() === "" ? undefined : name.trim(),
      expires: expires.trim() === "" ? undefined : expires.trim(),
      types: listOf(types),
      sources: listOf(sources),
      limits: Object.keys(limits).length === 0 ? undefined : limits,
    }).filter(([, value]) => value !== undefined),
  );
}
