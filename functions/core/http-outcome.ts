import type { NotifyOutcome } from "./notifier.ts";
import { RETRY_AFTER_MAX_HOURS } from "./subscription-limits.ts";

/**
 * The meaning of an HTTP status of a sink. Only 2xx is a success. Every other status is tried again, as Standard Webhooks asks for:
 * 400, 401 or 404 come from a receiver that is being deployed, and the schedule ends by itself. 410 is the one that says for ever.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
 * @param now ms since the epoch
 */
export function toHttpOutcome(
  { code, retryAfter, response }: { code: number; retryAfter: string | undefined; response: string },
  now: number,
): NotifyOutcome {
  const answered = { code, ...(response !== "" && { response }) };
  if (code >= 200 && code < 300) return { kind: "delivered", ...answered };
  if (code === TAKES_NO_MORE) {
    return { kind: "never", isEnded: true, ...answered, error: "The sink answered 410: it takes no more events." };
  }
  const retryAfterMs = readRetryAfter(retryAfter, now);
  return { kind: "later", ...answered, ...(retryAfterMs !== undefined && { retryAfterMs }), error: errorOf(code) };
}

const TAKES_NO_MORE = 410;

function errorOf(code: number): string {
  if (code < 300 || code >= 400) return `The sink answered ${code}.`;
  return `The sink answered ${code}, a redirect, which is not followed. Give the subscription the URL that it leads to.`;
}

/**
 * Reads `Retry-After`, seconds or a date, up to RETRY_AFTER_MAX_HOURS; undefined where it is missing, past or none.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function readRetryAfter(text: string | undefined, now: number): number | undefined {
  const value = text?.trim() ?? "";
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : DATE.test(value) ? Date.parse(value) - now : Number.NaN;
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MAX_HOURS * 3_600_000) : undefined;
}

/** The form of HTTP dates since 1999, for example `Sun, 06 Nov 1994 08:49:37 GMT`. RFC 9110 section 5.6.7. */
const DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
