import type { AuditEntry, KeyRecord, TenantRecord } from "../../functions/core/access.ts";
import type { NewEntry } from "../../functions/core/audit.ts";

export function keySample(changes: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id: "4fQ0v7xYbN2k",
    hash: "00".repeat(32),
    tenant: "acme",
    role: "producer",
    createdBy: "deployer",
    createdAt: "2026-11-29T10:00:00.000Z",
    ...changes,
  };
}

export function tenantSample(changes: Partial<TenantRecord> = {}): TenantRecord {
  return { tenant: "acme", state: "active", createdAt: "2026-11-29T10:00:00.000Z", ...changes };
}

export function auditSample(changes: Partial<AuditEntry> = {}): NewEntry {
  return {
    tenant: "acme",
    at: "2026-11-29T10:00:00.000Z",
    who: "deployer",
    action: "key.create",
    target: "4fQ0v7xYbN2k",
    details: { role: "producer", limits: { eventsPerSecond: 5 }, name: "größe \ud83d\ude00" },
    requestId: "r-1",
    ...changes,
  };
}
