import {
  bucketTokens,
  DAY_MS,
  dayOf,
  dayTokens,
  type LeasedTokens,
  leastFor,
  leftOfDay,
  type Meters,
} from "./lease.ts";
import type { LimitRecord } from "./lease-store.ts";
import type { Policy } from "./rate-limit-fields.ts";
import { timeUntil, tokensIn } from "./token-bucket.ts";

/** A policy before a request, and whether it has too little for it. */
type Available = Omit<Policy, "isViolated"> & { isShort: boolean };

/** The policies of one subject for one kind of tokens, as this process knows them before it spends any. */
export function availableOf(
  kind: "tenant" | "key",
  held: LeasedTokens,
  record: LimitRecord,
  { name, rate, perDay, reserve }: Meters,
  { need, isWhole, nowMs }: { need: number; isWhole: boolean; nowMs: number },
): Available[] {
  const now = nowMs * 1_000;
  const policies: Available[] = [];
  if (rate !== undefined) {
    const ofLease = bucketTokens(held, nowMs);
    const inBucket = tokensIn(rate, record[name], now, reserve);
    const least = leastFor(need - ofLease, isWhole);
    const isShort = inBucket < least;
    const wait = isShort ? timeUntil(rate, record[name], now, least, reserve) : 0;
    policies.push({
      name: `${kind}-${name}`,
      unit: name,
      quota: rate.perSecond,
      windowSeconds: 1,
      ...(rate.burst !== rate.perSecond && { burst: rate.burst }),
      isShort,
      remaining: Math.min(ofLease + inBucket, rate.burst),
      resetSeconds: Math.max(Math.ceil(wait / 1_000_000), 1),
    });
  }
  if (perDay !== undefined) {
    const available = dayTokens(held, nowMs) + leftOfDay(record, perDay, nowMs);
    policies.push({
      name: `${kind}-day`,
      unit: "events",
      quota: perDay,
      windowSeconds: DAY_MS / 1_000,
      isShort: available < need,
      remaining: available,
      resetSeconds: Math.max(Math.ceil(((dayOf(nowMs) + 1) * DAY_MS - nowMs) / 1_000), 1),
    });
  }
  return policies;
}

/**
 * The policies after a request. Those that had too little are violated; where none had, other processes were faster, and the
 * first one counts.
 */
export function toPolicies(all: Available[], { granted, need }: { granted: number; need: number }): Policy[] {
  const isAnyShort = all.some(({ isShort }) => isShort);
  return all.map(({ isShort, ...policy }, index) => {
    const isViolated = granted < need && (isAnyShort ? isShort : index === 0);
    return { ...policy, remaining: isViolated ? 0 : Math.max(policy.remaining - granted, 0), isViolated };
  });
}

/**
 * The policies of a tenant and of a key. The key is asked for no more than its tenant seemed to have, so where the tenant has
 * more after all, a request is refused and neither had too little: then the tenant's first one counts.
 */
export function toSharedPolicies(
  ofTenant: readonly Policy[],
  ofKey: readonly Policy[],
  { granted, need }: { granted: number; need: number },
): Policy[] {
  const all = [...ofTenant, ...ofKey];
  if (granted === need || all.some(({ isViolated }) => isViolated)) return all;
  return all.map((policy, index) => (index === 0 ? { ...policy, remaining: 0, isViolated: true } : policy));
}
