import type { AuditLog } from "../core/access.ts";
import type { Clock } from "../core/ports.ts";
import type { Caller } from "./find-subscription.ts";

export type RecordChange = (caller: Caller, action: string, target: string, details: object) => Promise<void>;

/** Writes a change into the audit log, before it happens. The details have no secret. @throws AccessError */
export const createRecordChange =
  ({ audit, clock }: { audit: Pick<AuditLog, "append">; clock: Clock }): RecordChange =>
  async ({ tenant, keyId, requestId }, action, target, details) => {
    await audit.append({
      tenant,
      at: clock().toISOString(),
      who: keyId,
      action: `subscription.${action}`,
      target,
      details: { ...details },
      requestId,
    });
  };
