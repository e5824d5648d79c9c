import type { AccessReader } from "./access.ts";
import { stateOfKey } from "./access.ts";
import { hasScope, INSTALLATION, type Scope } from "./scopes.ts";
import type { Clock } from "./ports.ts";

/** Why work that a key started must not go on. */
export type Ended = { reason: "key_ended" | "tenant_ended"; detail: string };

/**
 * Makes the check of work that goes on without its caller: a job ends when its key is revoked, expired or has lost the
 * scope, and when its tenant is suspended or deleted. It reads both as they are now.
 */
export function createWorkCheck({ reader, clock }: { reader: AccessReader; clock: Clock }) {
  /** @throws AccessError when the table does not answer: then nothing is known */
  return async function whyEnded(work: { tenant: string; keyId: string }, scope: Scope): Promise<Ended | undefined> {
    const isOfAll = work.tenant === INSTALLATION;
    const [key, tenant] = await Promise.all([reader.key(work.keyId), isOfAll ? undefined : reader.tenant(work.tenant)]);
    const state = key === undefined ? "deleted" : stateOfKey(key, clock().toISOString());
    if (key === undefined || state !== "active")
      return { reason: "key_ended", detail: `The key ${work.keyId} that started it is ${state}.` };
    if (!hasScope(key, scope))
      return { reason: "key_ended", detail: `The key ${work.keyId} that started it no longer has the scope ${scope}.` };
    // Work for no tenant is that of the installation.
    if (isOfAll) return undefined;
    if (tenant === undefined) return { reason: "tenant_ended", detail: `The tenant ${work.tenant} does not exist.` };
    if (tenant.state === "suspended")
      return { reason: "tenant_ended", detail: `The tenant ${work.tenant} is suspended.` };
    return undefined;
  };
}

export type WorkCheck = ReturnType<typeof createWorkCheck>;
