import type { Limits } from "./access.ts";
import type { Meters } from "./lease.ts";
import type { BucketName } from "./lease-store.ts";
import type { Principal } from "./principal.ts";
import { type Reserve, toRate } from "./token-bucket.ts";

/** A tenant or a key with limits. */
export type Subject = {
  /** Its name in the lease store. */
  id: string;
  kind: "tenant" | "key";
  limits: Limits;
};

/** The subjects of a caller that have limits of one kind of tokens. */
export function subjectsOf(
  { tenant, keyId, tenantLimits, keyLimits }: Principal,
  name: BucketName,
): { tenant: Subject | undefined; key: Subject | undefined } {
  const subject = (kind: Subject["kind"], id: string, limits: Limits | undefined): Subject | undefined =>
    limits !== undefined && hasLimit(limits, name) ? { id: `limit#${kind}#${id}`, kind, limits } : undefined;
  return { tenant: subject("tenant", tenant, tenantLimits), key: subject("key", keyId, keyLimits) };
}

function hasLimit(limits: Limits, name: BucketName): boolean {
  if (name === "requests") return limits.requestsPerSecond !== undefined;
  return limits.eventsPerSecond !== undefined || limits.eventsPerDay !== undefined;
}

/** The limits of one kind of tokens, as a lease needs them. */
export function metersOf(limits: Limits, name: BucketName, reserve: Reserve): Meters {
  const { eventsPerSecond, burst, requestsPerSecond, eventsPerDay } = limits;
  if (name === "requests") {
    const rate = requestsPerSecond === undefined ? undefined : toRate(requestsPerSecond);
    return { name, rate, perDay: undefined, reserve };
  }
  const rate = eventsPerSecond === undefined ? undefined : toRate(eventsPerSecond, burst);
  return { name, rate, perDay: eventsPerDay, reserve: 0 };
}
