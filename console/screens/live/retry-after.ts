import type { Problem } from "../../api/problem.ts";

/** Statuses after which the same request may succeed; 0 is no answer. */
const PASSING: ReadonlySet<number> = new Set([0, 429, 502, 503, 504]);

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** The wait before a request that failed is sent again: as the API says, else longer each time; undefined where it never helps. */
export function retryAfter(
  { status, code, retryAfterSeconds }: Pick<Problem, "status" | "code" | "retryAfterSeconds">,
  attempt: number,
): number | undefined {
  if (!PASSING.has(status) || code === "page_fault") return undefined;
  return retryAfterSeconds === undefined ? Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) : 1_000 * retryAfterSeconds;
}
