import { randomBytes } from "node:crypto";
import type { KeyRecord, TenantRecord } from "../../../functions/core/access.ts";
import type { Principal } from "../../../functions/core/principal.ts";
import { createWorkCheck } from "../../../functions/core/work-allowed.ts";
import { createConsole } from "../../../functions/console/console.ts";
import { memorySessions } from "../../support/memory-sessions.ts";
import { memoryAuditLog } from "../access/support.ts";

const NOW = "2026-11-29T10:00:00.000Z";
export const SECRET = Buffer.from("the installation's secret");

/** Signing in over tables in memory. */
export function consoleUnderTest() {
  let now = NOW;
  const clock = () => new Date(now);
  const sessions = memorySessions();
  const audit = memoryAuditLog();
  const key: KeyRecord = {
    id: "4fQ0v7xYbN2k",
    hash: "00",
    tenant: "acme",
    role: "operator",
    createdBy: "deployer",
    createdAt: NOW,
  };
  const tenant: TenantRecord = { tenant: "acme", state: "active", createdAt: NOW };
  const reader = { key: async () => key, tenant: async () => tenant };
  return {
    ...sessions,
    audit,
    console: createConsole({
      store: sessions.store,
      whyEnded: createWorkCheck({ reader, clock }),
      audit: audit.log,
      secret: async () => SECRET,
      clock,
      randomBytes,
    }),
    pass: (seconds: number) => {
      now = new Date(Date.parse(now) + 1_000 * seconds).toISOString();
    },
    changeKey: (changes: Partial<KeyRecord>) => void Object.assign(key, changes),
    suspend: () => void (tenant.state = "suspended"),
    /** The actions of a tenant's audit log, with who did them and to what. */
    actions: () =>
      Array.from(audit.rowsOf("acme").entries.values(), ({ action, who, target, details }) => ({
        action,
        who,
        target,
        details,
      })),
  };
}

export function caller(changes: Partial<Principal> = {}): Principal & { requestId: string } {
  return {
    tenant: "acme",
    keyId: "4fQ0v7xYbN2k",
    keyTenant: "acme",
    role: "operator",
    types: undefined,
    sources: undefined,
    tenantLimits: undefined,
    keyLimits: undefined,
    expiresAt: undefined,
    requestId: "r-1",
    ...changes,
  };
}
