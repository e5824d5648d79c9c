/**
 * The fields that tell a client its limits.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/ (no RFC yet)
 */

/** One limit of a subject, and what is left of it. */
export type Policy = {
  /** For example `tenant-events`. */
  name: string;
  unit: "requests" | "events";
  quota: number;
  windowSeconds: number;
  /** Units that may come at once after a pause, where that is not the quota. */
  burst?: number;
  /** An estimate: other processes take from the same limit. */
  remaining: number;
  /** Seconds within which no more than `remaining` can be used, rounded up; at least 1. */
  resetSeconds: number;
  /** The limit is why something was refused. */
  isViolated: boolean;
};

/**
 * Writes `RateLimit-Policy` with all policies, and `RateLimit` with what is left of them. After a refusal `RateLimit` has the
 * violated ones alone: `Retry-After` must not end before their windows (section 6), and may end before those of others.
 */
export function rateLimitFields(policies: readonly Policy[]): Record<string, string> {
  if (policies.length === 0) return {};
  const violated = policies.filter(({ isViolated }) => isViolated);
  const listed = violated.length > 0 ? violated : policies;
  return {
    "ratelimit-policy": policies.map(policyItem).join(", "),
    ratelimit: listed
      .map(({ name, remaining, resetSeconds }) => `"${name}";r=${integer(remaining)};t=${integer(resetSeconds)}`)
      .join(", "),
  };
}

/**
 * Section 3.1. The unit of events is in no registry yet; a client that does not know it must not take it for requests, which
 * is what a policy without a unit counts.
 */
function policyItem({ name, unit, quota, windowSeconds, burst }: Policy): string {
  const parameters = [
    `q=${integer(quota)}`,
    `w=${integer(windowSeconds)}`,
    ...(unit === "requests" ? [] : [`qu="${unit}"`]),
    ...(burst === undefined ? [] : [`sluice-burst=${integer(burst)}`]),
  ];
  return [`"${name}"`, ...parameters].join(";");
}

/** An Integer has at most 15 digits (RFC 9651 section 3.3.1). */
function integer(value: number): number {
  return Math.min(Math.max(Math.trunc(value), 0), 999_999_999_999_999);
}

/** The members of a problem document that section 5.1 defines. */
export function quotaExceeded(policies: readonly Policy[]): Record<string, unknown> {
  return {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    "violated-policies": policies.filter(({ isViolated }) => isViolated).map(({ name }) => name),
  };
}

/** `Retry-After` for a refusal: the end of the last window of a violated policy. */
export function retryAfterSeconds(policies: readonly Policy[]): number {
  return Math.max(1, ...policies.filter(({ isViolated }) => isViolated).map(({ resetSeconds }) => resetSeconds));
}
