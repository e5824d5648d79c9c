import { RequestError } from "./errors.ts";
import type { MetricCounts } from "./metric-names.ts";
import { type Policy, quotaExceeded, retryAfterSeconds } from "./rate-limit-fields.ts";

/** The error of a request that a limit refuses as a whole. `what` names what is to be sent again. */
export function rateLimited(
  what: string,
  policies: readonly Policy[],
  options: { members?: Record<string, unknown>; headers?: Record<string, string>; metrics?: MetricCounts } = {},
): RequestError {
  const violated = policies.filter(({ isViolated }) => isViolated).map(limitOf);
  const seconds = retryAfterSeconds(policies);
  return new RequestError("rate_limited", `Reached: ${violated.join(", ")}. Send ${what} again after ${seconds} s.`, {
    ...options,
    members: { ...quotaExceeded(policies), ...options.members },
    headers: { "retry-after": String(seconds), ...options.headers },
  });
}

/**
 * The error of a whole request that has more events than a limit of the day, undefined where it has not. No wait helps, so it
 * must not be a status that clients repeat.
 */
export function tooManyForDay(
  events: number,
  policies: readonly Policy[],
  options: { members?: Record<string, unknown>; headers?: Record<string, string>; metrics?: MetricCounts } = {},
): RequestError | undefined {
  const tooSmall = policies.find(
    ({ unit, windowSeconds, quota }) => unit === "events" && windowSeconds > 1 && quota < events,
  );
  if (tooSmall === undefined) return undefined;
  return new RequestError(
    "too_many_events",
    `The ${events} events never pass whole: they are more than ${limitOf(tooSmall)}. Send at most ${tooSmall.quota} events a request.`,
    options,
  );
}

function limitOf({ name, quota, unit, windowSeconds }: Policy): string {
  const owner = name.startsWith("key-") ? "key" : "tenant";
  return `the ${owner}'s limit of ${quota} ${unit} a ${windowSeconds === 1 ? "second" : "day"}`;
}
