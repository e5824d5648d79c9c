import type { AuditLog } from "../core/access.ts";
import type { Clock } from "../core/ports.ts";
import type { Caller } from "./caller.ts";

export type Change = {
  caller: Caller;
  /** The tenant in whose log it stands; INSTALLATION for none. */
  tenant: string;
  /** For example `key.create`. */
  action: string;
  target: string;
  /** Without any key or secret. */
  details: Record<string, unknown>;
};

/**
 * Makes changes that are in the audit log. The entry is written first: a change without an entry cannot be, and an entry
 * says what was about to be done. Where the change then fails, a second entry says so.
 */
export function createChanges({ audit, clock }: { audit: AuditLog; clock: Clock }) {
  const append = ({ caller, tenant, action, target, details }: Change) =>
    audit.append({
      tenant,
      at: clock().toISOString(),
      who: caller.keyId,
      action,
      target,
      details,
      requestId: caller.requestId,
    });

  /** @throws AccessError before anything is changed, where the log does not answer; the error of the change itself */
  return async function change<Result>(entry: Change, make: () => Promise<Result>): Promise<Result> {
    const { number } = await append(entry);
    try {
      return await make();
    } catch (error) {
      // A call whose answer was lost may have been made all the same. The first error is the one to report.
      const details = { entry: number, action: entry.action, outcome: "failed or unknown" };
      await append({ ...entry, action: "change.failed", details }).catch(() => undefined);
      throw error;
    }
  };
}
