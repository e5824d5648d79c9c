import type { KeyRecord } from "../../../functions/core/access.ts";
import { INSTALLATION } from "../../../functions/core/scopes.ts";
import { createAccess } from "../../../functions/access/access.ts";
import type { Caller } from "../../../functions/access/caller.ts";
import { adminOf } from "../../support/principal.ts";
import { memoryAccessStore, memoryAuditLog, memoryKeyUsage } from "./support.ts";

export const KEY_SECRET = Buffer.from("the secret of one installation");
export const NOW = "2026-11-29T10:00:00.000Z";

/** The rules of access over stores in memory, at a time that a test sets. */
export function accessUnderTest() {
  const keys = memoryAccessStore();
  const usage = memoryKeyUsage();
  const audit = memoryAuditLog();
  let now = NOW;
  let made = 0;
  const access = createAccess({
    store: keys.store,
    usage: usage.usage,
    audit: audit.log,
    secret: async () => KEY_SECRET,
    clock: () => new Date(now),
    // Other bytes for each key.
    randomBytes: (count) => {
      made += 1;
      return Uint8Array.from({ length: count }, (_, at) => (made * 7 + at * (made % 5)) % 248);
    },
  });
  return {
    ...access,
    store: keys.store,
    usage: usage.usage,
    audit,
    outageOfStore: keys.outage,
    recoverStore: keys.recover,
    setTime: (time: string) => {
      now = time;
    },
    /** Action, target and author of each entry of a tenant. */
    async changes(tenant: string): Promise<string[]> {
      const { entries } = await audit.log.read(tenant, 0, 1_000);
      return entries.map(({ action, target, who }) => `${who} ${action} ${target}`);
    },
    async entries(tenant: string) {
      return (await audit.log.read(tenant, 0, 1_000)).entries;
    },
  };
}

/** An admin of the tenant `acme`, or what the changes say. */
export function callerSample(changes: Partial<Caller> = {}): Caller {
  const tenant = changes.keyTenant ?? "acme";
  return { ...adminOf(tenant, { keyId: "caller000000" }), requestId: "r-1", ...changes };
}

/** A key of the installation, which may name a tenant. */
export const installation = (tenant: string = INSTALLATION): Caller =>
  callerSample({ keyId: "installation", keyTenant: INSTALLATION, tenant });

/** The caller that a key makes, as the check of keys does. */
export function callerOf({ id, tenant, role, types, sources, limits, expiresAt }: Omit<KeyRecord, "hash">): Caller {
  return callerSample({ keyId: id, keyTenant: tenant, role, types, sources, keyLimits: limits, expiresAt });
}
